"""What is offered and shown to customers, set by a person: codes, bundles, places, ways to pay."""

from datetime import timedelta
from decimal import Decimal
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, act, answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.domain import actions, selling

router = APIRouter(prefix="/api", route_class=LedgerRoute)

Key = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]


@router.get("/offers")
async def offers(plane: ThePlane) -> JSONResponse:
    """List the discounts that have not ended, the bundles, and products that were suggested."""
    store = plane.store
    return answer(
        {
            "discounts": await store.discounts(ending_after=plane.clock.now()),
            "bundles": await store.bundles(),
            "suggestions": await store.suggestions(),
        }
    )


@router.post("/discounts", status_code=201)
async def discount(request: Request, body: bodies.DiscountBody) -> JSONResponse:
    """Lower prices for who names this code, from now on for so many days."""
    plane = plane_of(request)
    skus, now = await skus_of(plane.store, body.products), plane.clock.now()
    action = selling.CreateDiscount(
        code=body.code,
        percent=Decimal(body.percent),
        skus=tuple(dict.fromkeys(skus[name] for name in body.products)),
        customers=tuple(dict.fromkeys(body.customers)),
        starts_at=now,
        ends_at=now + timedelta(days=body.days),
    )
    await act(request, action)
    return JSONResponse({"code": body.code, "status": "offered"}, 201)


@router.post("/discounts/{code:path}/end")
async def end_discount(request: Request, code: Key) -> JSONResponse:
    """End a code now; orders placed with it stay."""
    await act(request, selling.EndDiscount(code=code))
    return JSONResponse({"code": code, "status": "ended"})


@router.post("/bundles", status_code=201)
async def bundle(request: Request, body: bodies.BundleBody) -> JSONResponse:
    """Offer one of each of these products for a price."""
    plane = plane_of(request)
    skus = await skus_of(plane.store, body.products)
    price = body.money(request.app.state.settings.store.currency)
    named = tuple(skus[name] for name in body.products)
    await act(request, selling.OfferBundle(name=body.name, skus=named, price=price))
    return JSONResponse({"name": body.name, "status": "offered"}, 201)


@router.post("/bundles/{name:path}/withdraw")
async def withdraw(request: Request, name: Key) -> JSONResponse:
    """Offer a bundle no longer."""
    await act(request, selling.WithdrawBundle(name=name))
    return JSONResponse({"name": name, "status": "withdrawn"})


@router.get("/places/{place:path}")
async def place(plane: ThePlane, place: Key) -> JSONResponse:
    """Show which products a place of the shop shows, best first."""
    return answer({"place": place, "products": await plane.store.recommendations(place)})


@router.put("/places/{place:path}")
async def show(request: Request, place: Key, body: bodies.PlaceBody) -> JSONResponse:
    """Show these products in `home`, `product:<sku>` or `customer:<id>`."""
    skus = await skus_of(plane_of(request).store, body.products)
    shown = tuple(skus[name] for name in body.products)
    await act(request, selling.SetRecommendations(place=place, skus=shown))
    return JSONResponse({"place": place, "products": list(shown)})


@router.post("/acts", status_code=201)
async def acted(request: Request, body: bodies.ActBody) -> JSONResponse:
    """Note what a customer did in the shop's window."""
    skus = await skus_of(plane_of(request).store, [body.product]) if body.product else {}
    action = selling.RecordAct(
        customer=body.customer,
        kind=body.kind,
        sku=skus.get(body.product, ""),
        text=body.text,
    )
    await act(request, action)
    return JSONResponse({"customer": body.customer, "kind": body.kind}, 201)


@router.get("/payment-methods")
async def methods(plane: ThePlane) -> JSONResponse:
    """List the ways to pay that were ever used or set, and whether each is offered."""
    return answer({"methods": await plane.store.payment_methods()})


@router.put("/payment-methods/{method:path}")
async def offer_method(request: Request, method: Key, body: bodies.EnabledBody) -> JSONResponse:
    """Offer a way to pay, or offer it no longer."""
    await act(request, actions.SetPaymentMethod(method=method, enabled=body.enabled))
    return JSONResponse({"method": method, "enabled": body.enabled})
