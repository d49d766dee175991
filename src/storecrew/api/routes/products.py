"""Products: what is for sale, at which price, and what is known of it."""

from typing import Annotated
from unicodedata import normalize

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, action_key, answer, page_answer, plane_of
from storecrew.api.auth import caller
from storecrew.api.errors import Refused
from storecrew.api.requests import LedgerRoute
from storecrew.app.products import put_product

router = APIRouter(route_class=LedgerRoute)

Limit = Annotated[int, Query(ge=1, le=250)]


@router.get("/api/v2/products")
async def first_products(plane: ThePlane, limit: Limit = 50) -> JSONResponse:
    """List the first products by SKU, as older clients ask for them."""
    found = (await plane.store.product_page(page=1, per_page=limit)).items
    shown = {"items": found, "count": len(found), "generatedAt": plane.clock.now()}
    return answer({**shown, "source": "ledger"})


@router.get("/api/products")
async def products(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List products by SKU."""
    found = await plane.store.product_page(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/products/{sku:path}")
async def product(plane: ThePlane, sku: bodies.Name) -> JSONResponse:
    """Show one product."""
    return answer(await plane.store.product(sku))


@router.put("/api/products/{sku:path}")
async def put(request: Request, sku: bodies.Name, body: bodies.ProductBody) -> JSONResponse:
    """Create a product, or change it; what is left out stays as it is."""
    wanted = body.action(normalize("NFC", sku.strip()), request.app.state.settings.store.currency)
    outcome = await put_product(
        plane_of(request).store, wanted, key=action_key(request), actor=caller(request)
    )
    if not outcome.applied:
        raise Refused(outcome)
    status = 200 if outcome.before else 201
    return JSONResponse({"sku": wanted.sku, **outcome.after}, status)
