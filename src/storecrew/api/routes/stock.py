"""Stock: what is on the shelves, what was counted, and how it came to be."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, act, answer, page_answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.domain import actions
from storecrew.domain.codec import encode
from storecrew.domain.commerce import StockLevel

router = APIRouter(prefix="/api", route_class=LedgerRoute)


@router.get("/stock")
async def stock(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List the levels of products in warehouses, by SKU, then warehouse."""
    found = await plane.store.stock_page(page=page, per_page=per_page)
    items = [_level(level) for level in found.items]
    return page_answer(items, found.total, page=page, per_page=per_page)


@router.put("/stock/{product:path}")
async def count(request: Request, product: bodies.Name, body: bodies.StockBody) -> JSONResponse:
    """Set a counted level; below what is reserved is refused."""
    place = body.warehouse or request.app.state.settings.store.warehouse
    skus = await skus_of(plane_of(request).store, [product])
    level = actions.Level(sku=skus[product], on_hand=body.on_hand, warehouse=place)
    await act(request, actions.SetStock(levels=(level,)))
    return JSONResponse({"product": product, "warehouse": place, "on_hand": body.on_hand})


@router.get("/stock-history")
async def history(
    plane: ThePlane, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> JSONResponse:
    """List the newest entries of the stock ledger."""
    moves = await plane.store.stock_moves(limit=limit)
    return answer({"history": moves})


@router.get("/inventory/status")
async def status(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """Show each product's units per location and in total, by SKU."""
    items: dict[str, dict[str, Any]] = {}
    skus = await plane.store.stocked_skus(page=page, per_page=per_page)
    for level in await plane.store.stock(skus):
        item = items.setdefault(level.sku, {"product": level.sku, "total": 0, "locations": []})
        item["total"] += level.on_hand
        item["locations"].append(
            {
                "warehouse": level.warehouse,
                "on_hand": level.on_hand,
                "reserved": level.reserved,
                "available": level.available,
            }
        )
    return JSONResponse({"items": list(items.values())})


def _level(level: StockLevel) -> dict[str, Any]:
    return {**encode(level), "product": level.sku, "available": level.available}
