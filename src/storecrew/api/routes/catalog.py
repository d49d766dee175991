"""Products: what is for sale, at which price, and what is known of it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated
from unicodedata import normalize

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.authentication import caller
from storecrew.api.dependencies import CurrentPlane, action_key, page_answer, plane_of
from storecrew.api.errors import Refused
from storecrew.api.requests import LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.app.floor_check import check_floor
from storecrew.app.products import put_product
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, UpsertProduct

router = APIRouter(route_class=LedgerRoute, tags=["products"])

ProductListing = TypedDict(
    "ProductListing",
    {"items": Sequence[Product], "count": int, "generatedAt": datetime, "source": str},
)
ProductUpdate = TypedDict("ProductUpdate", {"sku": str})

Limit = Annotated[int, Query(ge=1, le=250)]


class MoneyFields(bodies.Strict):
    """An amount of money."""

    amount: bodies.Amount
    currency: Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]

    def money(self, field: str, currency: str) -> Money:
        """Return it, which must be of the shop's currency."""
        if self.currency != currency:
            raise InvalidInput(f"{field}.currency", f"{self.currency} is not {currency}")
        return bodies.money(f"{field}.amount", self.amount, currency)


class ProductRequest(bodies.Strict):
    """What is known of a product; what is left out stays as it is."""

    name: bodies.Title
    price: MoneyFields
    cost: MoneyFields | None = None
    supplier: bodies.Title | None = None
    pack_size: bodies.Quantity | None = None
    stocked: bool | None = None
    retired: bool | None = None
    anyway: bodies.Anyway = False

    def action(self, sku: str, currency: str) -> UpsertProduct:
        """Return it as the store takes it; a price is more than nothing."""
        price = self.price.money("price", currency)
        if price.amount == 0:
            raise InvalidInput("price.amount", "must be more than 0")
        return UpsertProduct(
            sku=sku,
            name=self.name,
            price=price,
            cost=self.cost.money("cost", currency) if self.cost else None,
            supplier=self.supplier,
            pack_size=self.pack_size,
            stocked=self.stocked,
            retired=self.retired,
        )


@router.get("/api/v2/products")
@requires(VIEWER)
async def first_products(plane: CurrentPlane, limit: Limit = 50) -> ProductListing:
    """List the first products by SKU, as older clients ask for them."""
    found = (await plane.store.product_page(page=1, per_page=limit)).items
    now = plane.clock.now()
    return {"items": found, "count": len(found), "generatedAt": now, "source": "ledger"}


@router.get("/api/products")
@requires(VIEWER)
async def products(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[Product]:
    """List products by SKU."""
    found = await plane.store.product_page(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/products/{sku:path}")
@requires(VIEWER)
async def product(plane: CurrentPlane, sku: bodies.Name) -> Product:
    """Show one product."""
    return await plane.store.product(sku)


@router.put(
    "/api/products/{sku:path}",
    response_model=ProductUpdate,
    responses={201: {"model": ProductUpdate}},
)
@requires(OPERATOR)
@bodies.example(
    name="Product A",
    price={"amount": "9.90", "currency": "EUR"},
    cost={"amount": "4.20", "currency": "EUR"},
)
async def put(request: Request, sku: bodies.Name, body: ProductRequest) -> JSONResponse:
    """Create a product, or change it; what is left out stays as it is."""
    action = body.action(normalize("NFC", sku.strip()), request.app.state.settings.store.currency)
    plane = plane_of(request)
    await check_floor(plane, action, anyway=body.anyway)
    outcome = await put_product(plane.store, action, key=action_key(request), actor=caller(request))
    if not outcome.applied:
        raise Refused(outcome)
    status = 200 if outcome.before else 201
    return JSONResponse({"sku": action.sku, **outcome.after}, status)
