"""Stock: what is on the shelves, what was counted, and how it came to be."""

from collections.abc import Sequence
from typing import Annotated

from annotated_types import Ge, Le
from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, page_answer, plane_of, skus_of
from storecrew.api.requests import LedgerRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.shop.inventory import SetStock, StockCount, StockLevel, StockMovement
from storecrew.domain.shop.orders import MAX_QUANTITY

router = APIRouter(prefix="/api", route_class=LedgerRoute, tags=["stock"])

StockLevelView = TypedDict(
    "StockLevelView",
    {
        "sku": str,
        "product": str,
        "warehouse": str,
        "on_hand": int,
        "reserved": int,
        "available": int,
    },
)
StockCountView = TypedDict("StockCountView", {"product": str, "warehouse": str, "on_hand": int})
StockHistory = TypedDict("StockHistory", {"history": Sequence[StockMovement]})
StockLocation = TypedDict(
    "StockLocation", {"warehouse": str, "on_hand": int, "reserved": int, "available": int}
)
InventoryItem = TypedDict(
    "InventoryItem", {"product": str, "total": int, "locations": list[StockLocation]}
)
InventoryStatus = TypedDict("InventoryStatus", {"items": list[InventoryItem]})


class StockRequest(bodies.Strict):
    """A counted level."""

    on_hand: Annotated[int, Ge(0), Le(MAX_QUANTITY)]
    warehouse: bodies.Name | None = None


@router.get("/stock")
@requires(VIEWER)
async def stock(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[StockLevelView]:
    """List the levels of products in warehouses, by SKU, then warehouse."""
    found = await plane.store.stock_page(page=page, per_page=per_page)
    items = [_level(level) for level in found.items]
    return page_answer(items, found.total, page=page, per_page=per_page)


@router.put("/stock/{product:path}")
@requires(OPERATOR)
@bodies.example(on_hand=100)
async def count(request: Request, product: bodies.Name, body: StockRequest) -> StockCountView:
    """Set a counted level; below what is reserved is refused."""
    place = body.warehouse or request.app.state.settings.store.warehouse
    skus = await skus_of(plane_of(request).store, [product])
    level = StockCount(sku=skus[product], on_hand=body.on_hand, warehouse=place)
    await act(request, SetStock(levels=(level,)))
    return {"product": product, "warehouse": place, "on_hand": body.on_hand}


@router.get("/stock-history")
@requires(VIEWER)
async def history(
    plane: CurrentPlane, limit: Annotated[int, Query(ge=1, le=10_000)] = 100
) -> StockHistory:
    """List the newest entries of the stock ledger."""
    moves = await plane.store.stock_movements(limit=limit)
    return {"history": moves}


@router.get("/inventory/status")
@requires(VIEWER)
async def status(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> InventoryStatus:
    """Show each product's units per location and in total, by SKU."""
    items: dict[str, InventoryItem] = {}
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
    return {"items": list(items.values())}


def _level(level: StockLevel) -> StockLevelView:
    return {
        "sku": level.sku,
        "product": level.sku,
        "warehouse": level.warehouse,
        "on_hand": level.on_hand,
        "reserved": level.reserved,
        "available": level.available,
    }
