"""Purchase orders: listed, received, cancelled, delayed."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Path, Request
from pydantic import StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, page_answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.actions import Action
from storecrew.domain.codec import decode
from storecrew.domain.control.proposals import PostponedPurchase
from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    PurchaseOrder,
    ReceivePurchaseOrder,
)

router = APIRouter(prefix="/api", route_class=LedgerRoute, tags=["purchasing"])


PurchaseStatus = TypedDict("PurchaseStatus", {"purchase_id": int, "status": str})


PurchaseCreated = TypedDict(
    "PurchaseCreated", {"purchase_id": int, "status": str, "supplier": str, "due_at": str}
)


Purchase = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


class CreatePurchaseOrderRequest(bodies.Strict):
    """What to buy, and where it is delivered."""

    product: bodies.Name
    quantity: bodies.Quantity
    warehouse: bodies.Name = DEFAULT_WAREHOUSE


class ReceivePurchaseOrderRequest(bodies.Strict):
    """What a supplier delivered; everything unless a number is given."""

    quantity: bodies.Quantity | None = None


class DelayPurchaseOrderRequest(bodies.Strict):
    """When a purchase arrives after all: a moment with its zone."""

    due_at: Annotated[str, StringConstraints(max_length=40)]


@router.get("/purchase-orders")
@requires(VIEWER)
async def purchases(
    plane: CurrentPlane,
    status: str | None = "open",
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
) -> PageResponse[PurchaseOrder]:
    """List purchase orders of a status, oldest first: `open`, `received`, `cancelled` or `all`."""
    if status not in ("open", "received", "cancelled", "all"):
        raise InvalidInput("status", f"{status!r} is not open, received, cancelled or all")
    known = None if status == "all" else status
    found = await plane.store.purchase_page(status=known, page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.post("/purchase-orders", status_code=201)
@requires(OPERATOR)
@bodies.example(product="Product A", quantity=20)
async def create(request: Request, body: CreatePurchaseOrderRequest) -> PurchaseCreated:
    """Buy from the product's supplier; one purchase may be open per product and warehouse."""
    plane = plane_of(request)
    sku = (await skus_of(plane.store, [body.product]))[body.product]
    action = CreatePurchaseOrder(sku=sku, quantity=body.quantity, warehouse=body.warehouse)
    detail = (await act(request, action)).detail
    return {
        "purchase_id": detail["purchase_id"],
        "status": "open",
        "supplier": detail["supplier"],
        "due_at": detail["due_at"],
    }


@router.get("/purchase-orders/postponed")
@requires(VIEWER)
async def postponed(
    plane: CurrentPlane, day: bodies.Day | None = None
) -> Sequence[PostponedPurchase]:
    """List what the crew would buy on a day, today by default, and did not ask about.

    The day's budget is used up by what was bought and asked about.
    """
    return await plane.journal.postponed_purchases(day or plane.crew.day.name)


@router.post("/purchase-orders/{purchase_id}/receive")
@requires(OPERATOR)
@bodies.example(quantity=20)
async def receive(
    request: Request, purchase_id: Purchase, body: ReceivePurchaseOrderRequest | None = None
) -> PurchaseStatus:
    """Put what a supplier delivered on the shelf."""
    quantity = body.quantity if body else None
    action = ReceivePurchaseOrder(purchase_id=purchase_id, quantity=quantity)
    return await _settled(request, purchase_id, action, "received")


@router.post("/purchase-orders/{purchase_id}/cancel")
@requires(OPERATOR)
async def cancel(request: Request, purchase_id: Purchase) -> PurchaseStatus:
    """Call a purchase off."""
    action = CancelPurchaseOrder(purchase_id=purchase_id)
    return await _settled(request, purchase_id, action, "cancelled")


@router.post("/purchase-orders/{purchase_id}/delay")
@requires(OPERATOR)
@bodies.example(due_at="2026-12-24T12:00:00+00:00")
async def delay(
    request: Request, purchase_id: Purchase, body: DelayPurchaseOrderRequest
) -> PurchaseStatus:
    """Record that a purchase arrives at another time."""
    action = decode(DelayPurchaseOrder, {"purchase_id": purchase_id, "due_at": body.due_at})
    return await _settled(request, purchase_id, action, "open")


async def _settled(
    request: Request, purchase_id: int, action: Action, status: str
) -> PurchaseStatus:
    await act(request, action)
    return {"purchase_id": purchase_id, "status": status}
