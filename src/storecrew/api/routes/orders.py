"""Orders under `/api/orders`: one store action per request, answered after its commit."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, act, action_key, answer, page_answer
from storecrew.api.requests import LedgerRoute
from storecrew.domain import actions
from storecrew.domain.commerce import OrderQuery
from storecrew.domain.events import Published, ReturnRequested
from storecrew.domain.orders import Status

router = APIRouter(prefix="/api/orders", route_class=LedgerRoute)

Id = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


@router.get("")
async def orders(
    plane: ThePlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    status: Status | None = None,
    customer: str | None = None,
) -> JSONResponse:
    """List orders, newest first."""
    query = OrderQuery(status=status, customer=customer, page=page, per_page=per_page)
    found = await plane.store.orders(query)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.post("", status_code=201)
async def place(request: Request, body: bodies.OrderBody) -> JSONResponse:
    """Accept an order: all its lines reserved, or nothing."""
    action = actions.PlaceOrder(
        lines=body.order_lines(),
        customer=body.customer,
        order_text=body.text or "",
        code=body.code,
        bundle=body.bundle,
    )
    outcome = await act(request, action)
    return JSONResponse(
        {**outcome.detail, "id": outcome.detail["order_id"], "status": Status.RECEIVED}, 201
    )


@router.get("/{order_id}")
async def order(plane: ThePlane, order_id: Id) -> JSONResponse:
    """Show one order."""
    return answer(await plane.store.order(order_id))


@router.post("/{order_id}/approve")
async def approve(request: Request, order_id: Id) -> JSONResponse:
    """Approve a received order; it then awaits payment."""
    return await _moved(request, actions.ApproveOrder(order_id=order_id), Status.AWAITING_PAYMENT)


@router.post("/{order_id}/payments")
async def pay(request: Request, order_id: Id, body: bodies.PaymentBody) -> JSONResponse:
    """Record the full payment, once per reference."""
    currency = request.app.state.settings.store.currency
    action = actions.CapturePayment(
        order_id=order_id, reference=body.reference, amount=body.money(currency)
    )
    return await _moved(request, action, Status.AWAITING_PAYMENT)


@router.post("/{order_id}/fulfil")
async def fulfil(request: Request, order_id: Id) -> JSONResponse:
    """Hand a paid order to the carrier."""
    return await _moved(request, actions.FulfilOrder(order_id=order_id), Status.AWAITING_DELIVERY)


@router.post("/{order_id}/deliver")
async def deliver(request: Request, order_id: Id) -> JSONResponse:
    """Record that the parcel arrived."""
    return await _moved(request, actions.CompleteDelivery(order_id=order_id), Status.DELIVERED)


@router.post("/{order_id}/cancel")
async def cancel(
    request: Request, order_id: Id, body: bodies.ReasonBody | None = None
) -> JSONResponse:
    """Call the order off: reservation released, payment refunded."""
    reason = body.reason if body else ""
    action = actions.CancelOrder(order_id=order_id, reason=reason)
    return await _moved(request, action, Status.CANCELLED)


@router.post("/{order_id}/returns")
async def take_back(
    request: Request, order_id: Id, body: bodies.ReturnBody | None = None
) -> JSONResponse:
    """Take a delivered order back: units restocked, value refunded."""
    body = body or bodies.ReturnBody()
    action = actions.AcceptReturn(
        order_id=order_id, lines=tuple(line.line() for line in body.lines), reason=body.reason
    )
    return await _moved(request, action, Status.RETURNED)


@router.post("/{order_id}/return-requests", status_code=202)
async def ask_to_return(
    request: Request,
    plane: ThePlane,
    by: TheCaller,
    order_id: Id,
    body: bodies.ReturnBody | None = None,
) -> JSONResponse:
    """Note that the customer wants to give goods back; order management judges it."""
    await plane.store.order(order_id)
    body = body or bodies.ReturnBody()
    event = ReturnRequested(
        order_id=order_id, lines=tuple(line.line() for line in body.lines), reason=body.reason
    )
    fact = Published(
        source="returns", external_id=action_key(request), event=event, at=plane.clock.now(),
        actor=by,
    )  # fmt: skip
    (receipt,) = await plane.publish([fact])
    return JSONResponse({"order_id": order_id, "event_id": receipt.event_id}, 202)


@router.post("/{order_id}/authorizations", status_code=201)
async def authorize(request: Request, order_id: Id, body: bodies.AuthorizationBody) -> JSONResponse:
    """Record that a provider set an amount aside, once per reference; it is captured later."""
    currency = request.app.state.settings.store.currency
    action = actions.AuthorizePayment(
        order_id=order_id,
        reference=body.reference,
        amount=body.money(currency),
        method=body.method,
    )
    await act(request, action)
    said = {"order_id": order_id, "reference": body.reference, "method": body.method}
    return JSONResponse(said, 201)


@router.post("/{order_id}/hold")
async def hold(request: Request, order_id: Id, body: bodies.HoldBody) -> JSONResponse:
    """Keep an open order from going on until somebody releases it."""
    await act(request, actions.HoldOrder(order_id=order_id, reason=body.reason))
    return JSONResponse({"order_id": order_id, "held": body.reason})


@router.post("/{order_id}/release")
async def release(request: Request, order_id: Id) -> JSONResponse:
    """Let a held order go on."""
    await act(request, actions.ReleaseOrder(order_id=order_id))
    return JSONResponse({"order_id": order_id, "held": ""})


async def _moved(request: Request, action: actions.Action, status: Status) -> JSONResponse:
    """Answer from the outcome alone, so that a repeated key gets the same words."""
    outcome = await act(request, action)
    order_id = getattr(action, "order_id")  # noqa: B009 - every caller passes an order's action
    return JSONResponse({**outcome.detail, "id": order_id, "order_id": order_id, "status": status})
