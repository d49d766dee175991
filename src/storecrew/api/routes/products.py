"""Products: what is for sale, at which price, and what is known of it."""

from unicodedata import normalize

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, action_key, answer, page_answer, plane_of
from storecrew.api.auth import caller
from storecrew.api.errors import Refused
from storecrew.api.requests import JsonRoute
from storecrew.app.products import put_product

router = APIRouter(prefix="/api/products", route_class=JsonRoute)


@router.get("")
async def products(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List products by SKU."""
    found = await plane.store.products()
    start = (page - 1) * per_page
    items = found[start : start + per_page]
    return page_answer(items, len(found), page=page, per_page=per_page)


@router.get("/{sku:path}")
async def product(plane: ThePlane, sku: bodies.Name) -> JSONResponse:
    """Show one product."""
    return answer(await plane.store.product(sku))


@router.put("/{sku:path}")
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
