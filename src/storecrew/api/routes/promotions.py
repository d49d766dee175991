"""What is offered and shown to customers, set by a person: codes, bundles, places, ways to pay."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Annotated, Literal

from annotated_types import Ge, Le
from fastapi import APIRouter, Path, Request
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, plane_of, skus_of
from storecrew.api.requests import JsonRoute, LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.app.floor_check import check_floor
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import ProductSuggestion
from storecrew.domain.shop.customers import RecordCustomerActivity
from storecrew.domain.shop.payments import SetPaymentMethod
from storecrew.domain.shop.promotions import (
    Bundle,
    CreateDiscount,
    Discount,
    EndDiscount,
    OfferBundle,
    SetRecommendations,
    WithdrawBundle,
)

router = APIRouter(prefix="/api", route_class=LedgerRoute, tags=["promotions"])
timed = APIRouter(prefix="/api", route_class=JsonRoute, tags=["promotions"])
"""Routes whose actions hold the time of the request: a retry makes another action, so the journal
keeps their answers."""

Key = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]

OfferListing = TypedDict(
    "OfferListing",
    {
        "discounts": Sequence[Discount],
        "bundles": Sequence[Bundle],
        "suggestions": Sequence[ProductSuggestion],
    },
)
DiscountAdded = TypedDict("DiscountAdded", {"code": str, "status": Literal["offered"]})
DiscountEnded = TypedDict("DiscountEnded", {"code": str, "status": Literal["ended"]})
BundleAdded = TypedDict("BundleAdded", {"name": str, "status": Literal["offered"]})
BundleWithdrawn = TypedDict("BundleWithdrawn", {"name": str, "status": Literal["withdrawn"]})
Placement = TypedDict("Placement", {"place": str, "products": list[str]})
ActivityRecorded = TypedDict("ActivityRecorded", {"customer": str, "kind": str})
PaymentMethods = TypedDict("PaymentMethods", {"methods": dict[str, bool]})
PaymentMethod = TypedDict("PaymentMethod", {"method": str, "enabled": bool})


class DiscountRequest(bodies.Strict):
    """A code that lowers prices from now on."""

    code: bodies.Name
    percent: Annotated[str, StringConstraints(pattern=r"^[0-9]{1,2}(\.[0-9]{1,2})?$")]
    """Per cent, in quotes."""
    products: Annotated[list[bodies.Name], Field(min_length=1, max_length=500)]
    days: Annotated[int, Ge(1), Le(366)]
    customers: Annotated[list[bodies.Name], Field(max_length=500)] = Field(
        default_factory=list[str]
    )
    """Who may use it; empty is everybody."""
    anyway: bodies.Anyway = False


class BundleRequest(bodies.Strict):
    """Products that cost less together."""

    name: bodies.Name
    products: Annotated[list[bodies.Name], Field(min_length=2, max_length=10)]
    price: bodies.Amount
    anyway: bodies.Anyway = False

    def money(self, currency: str) -> Money:
        """Return the price in the shop's currency."""
        return bodies.money("price", self.price, currency)


class PlacementRequest(bodies.Strict):
    """What is shown in a place of the shop, best first."""

    products: Annotated[list[bodies.Name], Field(max_length=50)]


class CustomerActivityRequest(bodies.Strict):
    """What a customer did in the shop's window."""

    customer: bodies.Name
    kind: Literal["viewed", "carted", "searched"]
    product: bodies.OfferName = ""
    text: Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")] = ""


class EnabledRequest(bodies.Strict):
    """Whether a way to pay is offered."""

    enabled: bool


@router.get("/offers")
@requires(VIEWER)
async def offers(plane: CurrentPlane) -> OfferListing:
    """List the discounts that have not ended, the bundles, and products that were suggested."""
    store = plane.store
    return {
        "discounts": await store.discounts(ending_after=plane.clock.now()),
        "bundles": await store.bundles(),
        "suggestions": await store.product_suggestions(),
    }


@timed.post("/discounts", status_code=201)
@requires(OPERATOR)
@bodies.example(code="SPRING", percent="10", products=["Product A"], days=14)
async def discount(request: Request, body: DiscountRequest) -> DiscountAdded:
    """Lower prices for who names this code, from now on for so many days."""
    plane = plane_of(request)
    skus, now = await skus_of(plane.store, body.products), plane.clock.now()
    action = CreateDiscount(
        code=body.code,
        percent=Decimal(body.percent),
        skus=tuple(dict.fromkeys(skus[name] for name in body.products)),
        customers=tuple(dict.fromkeys(body.customers)),
        starts_at=now,
        ends_at=now + timedelta(days=body.days),
    )
    await check_floor(plane, action, anyway=body.anyway)
    await act(request, action)
    return {"code": body.code, "status": "offered"}


@router.post("/discounts/{code:path}/end")
@requires(OPERATOR)
async def end_discount(request: Request, code: Key) -> DiscountEnded:
    """End a code now; orders placed with it stay."""
    await act(request, EndDiscount(code=code))
    return {"code": code, "status": "ended"}


@router.post("/bundles", status_code=201)
@requires(OPERATOR)
@bodies.example(name="set", products=["Product A", "Product B"], price="17.90")
async def bundle(request: Request, body: BundleRequest) -> BundleAdded:
    """Offer one of each of these products for a price."""
    plane = plane_of(request)
    skus = await skus_of(plane.store, body.products)
    price = body.money(request.app.state.settings.store.currency)
    named = tuple(skus[name] for name in body.products)
    action = OfferBundle(name=body.name, skus=named, price=price)
    await check_floor(plane, action, anyway=body.anyway)
    await act(request, action)
    return {"name": body.name, "status": "offered"}


@router.post("/bundles/{name:path}/withdraw")
@requires(OPERATOR)
async def withdraw(request: Request, name: Key) -> BundleWithdrawn:
    """Offer a bundle no longer."""
    await act(request, WithdrawBundle(name=name))
    return {"name": name, "status": "withdrawn"}


@router.get("/placements/{place:path}")
@requires(VIEWER)
async def place(plane: CurrentPlane, place: Key) -> Placement:
    """Show which products a place of the shop shows, best first."""
    return {"place": place, "products": list(await plane.store.recommendations(place))}


@router.put("/placements/{place:path}")
@requires(OPERATOR)
@bodies.example(products=["Product B"])
async def show(request: Request, place: Key, body: PlacementRequest) -> Placement:
    """Show these products in `home`, `product:<sku>` or `customer:<id>`."""
    skus = await skus_of(plane_of(request).store, body.products)
    shown = tuple(skus[name] for name in body.products)
    await act(request, SetRecommendations(place=place, skus=shown))
    return {"place": place, "products": list(shown)}


@router.post("/customer-activity", status_code=201)
@requires(OPERATOR)
@bodies.example(customer="anna", kind="viewed", product="Product A")
async def acted(request: Request, body: CustomerActivityRequest) -> ActivityRecorded:
    """Note what a customer did in the shop's window."""
    skus = await skus_of(plane_of(request).store, [body.product]) if body.product else {}
    action = RecordCustomerActivity(
        customer=body.customer, kind=body.kind, sku=skus.get(body.product, ""), text=body.text
    )
    await act(request, action)
    return {"customer": body.customer, "kind": body.kind}


@router.get("/payment-methods")
@requires(VIEWER)
async def methods(plane: CurrentPlane) -> PaymentMethods:
    """List the ways to pay that were ever used or set, and whether each is offered."""
    return {"methods": dict(await plane.store.payment_methods())}


@router.put("/payment-methods/{method:path}")
@requires(OPERATOR)
@bodies.example(enabled=True)
async def offer_method(request: Request, method: Key, body: EnabledRequest) -> PaymentMethod:
    """Offer a way to pay, or offer it no longer."""
    await act(request, SetPaymentMethod(method=method, enabled=body.enabled))
    return {"method": method, "enabled": body.enabled}
