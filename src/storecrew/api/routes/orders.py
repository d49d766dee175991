"""Orders under `/api/orders`: one store action per request, answered after its commit."""

from collections.abc import Sequence
from typing import Annotated
from unicodedata import normalize

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints, model_validator
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal, act, page_answer
from storecrew.api.requests import JsonRoute, LedgerRoute, scoped_key
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.actions import Action
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import (
    MAX_LINES,
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    Line,
    Order,
    OrderQuery,
    OrderStatus,
    PlaceOrder,
    ReleaseOrder,
    orders_to_pack,
    parse_order,
)
from storecrew.domain.shop.payments import AuthorizePayment, CapturePayment
from storecrew.domain.shop.returns import AcceptReturn, ReturnRequested

router = APIRouter(prefix="/api/orders", route_class=LedgerRoute, tags=["orders"])
noted = APIRouter(prefix="/api/orders", route_class=JsonRoute, tags=["orders"])
"""Routes that record an event and change no order."""

OrderStatusView = TypedDict("OrderStatusView", {"id": int, "order_id": int, "status": str})
OrderHold = TypedDict("OrderHold", {"order_id": int, "held": str})
ReturnRequestAccepted = TypedDict("ReturnRequestAccepted", {"order_id": int, "event_id": int})
AuthorizationRecorded = TypedDict(
    "AuthorizationRecorded", {"order_id": int, "reference": str, "method": str}
)

Id = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


class OrderLineFields(bodies.Strict):
    """So many units of one product, by SKU or name."""

    product: bodies.Name
    quantity: bodies.Quantity

    def line(self) -> Line:
        """Return it as the store takes it."""
        return Line(sku=normalize("NFC", self.product.strip()), quantity=self.quantity)


class OrderRequest(bodies.Strict):
    """An order: as text, or as lines."""

    text: bodies.Text | None = None
    lines: Annotated[list[OrderLineFields], Field(min_length=1, max_length=MAX_LINES)] | None = None
    customer: bodies.Name | None = None
    code: bodies.OfferName = ""
    bundle: bodies.OfferName = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> "OrderRequest":
        if (self.text is None) == (self.lines is None):
            raise ValueError("give either text or lines")
        return self

    def order_lines(self) -> tuple[Line, ...]:
        """Return the lines as the store takes them."""
        if self.lines is not None:
            return tuple(line.line() for line in self.lines)
        return lines_of(self.text or "")


def lines_of(text: str) -> tuple[Line, ...]:
    """Read an order's text into lines; raises `InvalidInput` naming the bad part."""
    return tuple(Line(sku=each.name, quantity=each.quantity) for each in parse_order(text))


class CapturePaymentRequest(bodies.Strict):
    """A payment that came in."""

    reference: bodies.Name
    amount: bodies.Amount | None = None

    def money(self, currency: str) -> Money | None:
        """Return the amount in the shop's currency, or None where none was given."""
        return None if self.amount is None else bodies.money("amount", self.amount, currency)


class AuthorizePaymentRequest(bodies.Strict):
    """A payment that a provider set aside."""

    reference: bodies.Name
    amount: bodies.Amount
    method: bodies.Name = "card"

    def money(self, currency: str) -> Money:
        """Return the amount in the shop's currency."""
        return bodies.money("amount", self.amount, currency)


class HoldOrderRequest(bodies.Strict):
    """Why a person has to look."""

    reason: bodies.Name


_TRACKING = r"^[A-Za-z0-9 ./_-]*$"
"""What carriers number parcels with."""


class FulfilOrderRequest(bodies.Strict):
    """How the parcel is found at the carrier."""

    tracking: Annotated[str, StringConstraints(max_length=64, pattern=_TRACKING)] = ""


class ReturnOrderRequest(bodies.ReasonRequest):
    """What comes back; no lines means everything."""

    lines: Annotated[list[OrderLineFields], Field(max_length=MAX_LINES)] = Field(
        default_factory=list[OrderLineFields]
    )


@router.get("")
@requires(VIEWER)
async def orders(
    plane: CurrentPlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    status: OrderStatus | None = None,
    customer: str | None = None,
    held: bool | None = None,
) -> PageResponse[Order]:
    """List orders, newest first; `held=true` are those that wait for a person's release."""
    query = OrderQuery(status=status, customer=customer, held=held, page=page, per_page=per_page)
    found = await plane.store.orders(query)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/to-pack")
@requires(VIEWER)
async def to_pack(plane: CurrentPlane) -> Sequence[Order]:
    """List the paid orders that wait to be packed and sent, oldest first, without held ones."""
    return orders_to_pack(await plane.store.open_orders())


@router.post("", status_code=201, response_model=OrderStatusView)
@requires(OPERATOR)
@bodies.example(lines=[{"product": "Product A", "quantity": 5}])
async def place(request: Request, body: OrderRequest) -> JSONResponse:
    """Accept an order: all its lines reserved, or nothing."""
    action = PlaceOrder(
        lines=body.order_lines(),
        customer=body.customer,
        order_text=body.text or "",
        code=body.code,
        bundle=body.bundle,
    )
    outcome = await act(request, action)
    return JSONResponse(
        {**outcome.detail, "id": outcome.detail["order_id"], "status": OrderStatus.RECEIVED}, 201
    )


@router.get("/{order_id}")
@requires(VIEWER)
async def order(plane: CurrentPlane, order_id: Id) -> Order:
    """Show one order."""
    return await plane.store.order(order_id)


@router.post("/{order_id}/approve", response_model=OrderStatusView)
@requires(OPERATOR)
async def approve(request: Request, order_id: Id) -> JSONResponse:
    """Approve a received order; it then awaits payment."""
    return await _moved(request, ApproveOrder(order_id=order_id), OrderStatus.AWAITING_PAYMENT)


@router.post("/{order_id}/payments", response_model=OrderStatusView)
@requires(OPERATOR)
@bodies.example(reference="bank-1", amount="49.50")
async def pay(request: Request, order_id: Id, body: CapturePaymentRequest) -> JSONResponse:
    """Record the full payment, once per reference."""
    currency = request.app.state.settings.store.currency
    action = CapturePayment(
        order_id=order_id, reference=body.reference, amount=body.money(currency)
    )
    return await _moved(request, action, OrderStatus.AWAITING_PAYMENT)


@router.post("/{order_id}/fulfil", response_model=OrderStatusView)
@requires(OPERATOR)
@bodies.example(tracking="JD014600006281230704")
async def fulfil(
    request: Request, order_id: Id, body: FulfilOrderRequest | None = None
) -> JSONResponse:
    """Hand a paid order to the carrier; the customer is told the tracking number."""
    action = FulfilOrder(order_id=order_id, tracking=body.tracking if body else "")
    return await _moved(request, action, OrderStatus.AWAITING_DELIVERY)


@router.post("/{order_id}/deliver", response_model=OrderStatusView)
@requires(OPERATOR)
async def deliver(request: Request, order_id: Id) -> JSONResponse:
    """Record that the parcel arrived."""
    return await _moved(request, CompleteDelivery(order_id=order_id), OrderStatus.DELIVERED)


@router.post("/{order_id}/cancel", response_model=OrderStatusView)
@requires(OPERATOR)
@bodies.example(reason="the customer changed her mind")
async def cancel(
    request: Request, order_id: Id, body: bodies.ReasonRequest | None = None
) -> JSONResponse:
    """Call the order off: reservation released, payment refunded."""
    reason = body.reason if body else ""
    action = CancelOrder(order_id=order_id, reason=reason)
    return await _moved(request, action, OrderStatus.CANCELLED)


@router.post("/{order_id}/returns", response_model=OrderStatusView)
@requires(OPERATOR)
@bodies.example(lines=[{"product": "Product A", "quantity": 1}], reason="damaged")
async def take_back(
    request: Request, order_id: Id, body: ReturnOrderRequest | None = None
) -> JSONResponse:
    """Take a delivered order back: units restocked, value refunded."""
    body = body or ReturnOrderRequest()
    action = AcceptReturn(
        order_id=order_id, lines=tuple(line.line() for line in body.lines), reason=body.reason
    )
    return await _moved(request, action, OrderStatus.RETURNED)


@noted.post("/{order_id}/return-requests", status_code=202)
@requires(OPERATOR)
@bodies.example(lines=[{"product": "Product A", "quantity": 1}], reason="too small")
async def ask_to_return(
    request: Request,
    plane: CurrentPlane,
    by: CurrentPrincipal,
    order_id: Id,
    body: ReturnOrderRequest | None = None,
) -> ReturnRequestAccepted:
    """Note that the customer wants to give goods back; order management judges it."""
    await plane.store.order(order_id)
    body = body or ReturnOrderRequest()
    event = ReturnRequested(
        order_id=order_id, lines=tuple(line.line() for line in body.lines), reason=body.reason
    )
    fact = EventEnvelope(
        source="returns", external_id=scoped_key(request), event=event, at=plane.clock.now(),
        actor=by,
    )  # fmt: skip
    (receipt,) = await plane.publish([fact])
    return {"order_id": order_id, "event_id": receipt.event_id}


@router.post("/{order_id}/authorizations", status_code=201)
@requires(OPERATOR)
@bodies.example(reference="pi_1042", amount="49.50", method="card")
async def authorize(
    request: Request, order_id: Id, body: AuthorizePaymentRequest
) -> AuthorizationRecorded:
    """Record that a provider set an amount aside, once per reference; it is captured later."""
    currency = request.app.state.settings.store.currency
    action = AuthorizePayment(
        order_id=order_id, reference=body.reference, amount=body.money(currency), method=body.method
    )
    await act(request, action)
    return {"order_id": order_id, "reference": body.reference, "method": body.method}


@router.post("/{order_id}/hold")
@requires(OPERATOR)
@bodies.example(reason="the address looks odd")
async def hold(request: Request, order_id: Id, body: HoldOrderRequest) -> OrderHold:
    """Hold an open order until a person releases it."""
    await act(request, HoldOrder(order_id=order_id, reason=body.reason))
    return {"order_id": order_id, "held": body.reason}


@router.post("/{order_id}/release")
@requires(OPERATOR)
async def release(request: Request, order_id: Id) -> OrderHold:
    """Let a held order go on."""
    await act(request, ReleaseOrder(order_id=order_id))
    return {"order_id": order_id, "held": ""}


async def _moved(request: Request, action: Action, status: OrderStatus) -> JSONResponse:
    """Answer from the outcome alone, so that a repeated key gets the same words."""
    outcome = await act(request, action)
    order_id = getattr(action, "order_id")  # noqa: B009 - every caller passes an order's action
    return JSONResponse({**outcome.detail, "id": order_id, "order_id": order_id, "status": status})
