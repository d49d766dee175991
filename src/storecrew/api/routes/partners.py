"""Customers and suppliers' deliveries, as a person or another system enters them."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, act, page_answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.api.routes.offers import Key
from storecrew.domain import actions, care
from storecrew.domain.actions import Action
from storecrew.domain.codec import decode
from storecrew.domain.errors import InvalidInput

router = APIRouter(prefix="/api", route_class=LedgerRoute)

Purchase = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


@router.get("/customers")
async def customers(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List customers by id."""
    found = await plane.store.customer_page(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.put("/customers/{customer:path}/consent")
async def consent(request: Request, customer: Key, body: bodies.ConsentBody) -> JSONResponse:
    """Record whether a customer agrees to marketing; an opt-out holds at once."""
    await act(request, care.SetConsent(customer=customer, marketing=body.marketing))
    return JSONResponse({"customer": customer, "marketing": body.marketing})


@router.put("/customers/{customer:path}")
async def put_customer(request: Request, customer: Key, body: bodies.CustomerBody) -> JSONResponse:
    """Enter a customer, or change what is known of one."""
    action = care.PutCustomer(
        customer=customer, name=body.name, email=body.email, locale=body.locale
    )
    await act(request, action)
    return JSONResponse({"customer": customer, "name": body.name})


@router.post("/wishes", status_code=201)
async def wish(request: Request, body: bodies.WishBody) -> JSONResponse:
    """Have a customer told once when a product can be bought again."""
    skus = await skus_of(plane_of(request).store, [body.product])
    sku = skus[body.product]
    await act(request, care.WatchStock(customer=body.customer, sku=sku))
    return JSONResponse({"customer": body.customer, "product": sku}, 201)


@router.get("/purchases")
async def purchases(
    plane: ThePlane,
    status: str | None = "open",
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
) -> JSONResponse:
    """List purchase orders of a status, oldest first: `open`, `received`, `cancelled` or `all`."""
    if status not in ("open", "received", "cancelled", "all"):
        raise InvalidInput("status", f"{status!r} is not open, received, cancelled or all")
    known = None if status == "all" else status
    found = await plane.store.purchase_page(status=known, page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.post("/purchases/{purchase_id}/receive")
async def receive(
    request: Request, purchase_id: Purchase, body: bodies.ReceivedBody | None = None
) -> JSONResponse:
    """Put what a supplier delivered on the shelf."""
    quantity = body.quantity if body else None
    action = actions.ReceivePurchase(purchase_id=purchase_id, quantity=quantity)
    return await _settled(request, purchase_id, action, "received")


@router.post("/purchases/{purchase_id}/cancel")
async def cancel(request: Request, purchase_id: Purchase) -> JSONResponse:
    """Call a purchase off."""
    action = actions.CancelPurchase(purchase_id=purchase_id)
    return await _settled(request, purchase_id, action, "cancelled")


@router.post("/purchases/{purchase_id}/delay")
async def delay(request: Request, purchase_id: Purchase, body: bodies.DelayBody) -> JSONResponse:
    """Record that a purchase arrives at another time."""
    action = decode(actions.DelayPurchase, {"purchase_id": purchase_id, "due_at": body.due_at})
    return await _settled(request, purchase_id, action, "open")


async def _settled(request: Request, purchase_id: int, action: Action, status: str) -> JSONResponse:
    await act(request, action)
    return JSONResponse({"purchase_id": purchase_id, "status": status})
