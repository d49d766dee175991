"""Reads of stock: levels, movements, and what runs low."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_count
from storecrew.domain.paging import Page
from storecrew.domain.shop.inventory import StockLevel, StockMovement
from storecrew.stores.sql.queries.filters import of_products, one_page
from storecrew.stores.sql.schema import tables as t

_STOCK = sa.select(t.stock).order_by(t.stock.c.product, t.stock.c.warehouse)
_MOVES = sa.select(t.stock_history).order_by(t.stock_history.c.id.desc())


def stock(connection: Connection, skus: frozenset[str] | None) -> Sequence[StockLevel]:
    """Return the levels of these products (all when None), by SKU, then warehouse."""
    return [to_level(row) for row in of_products(connection, _STOCK, t.stock.c.product, skus)]


def to_level(row: Any) -> StockLevel:
    """Read a row of `stock`."""
    return StockLevel(
        sku=row.product, warehouse=row.warehouse, on_hand=row.on_hand, reserved=row.reserved
    )


def stock_movements(connection: Connection, *, limit: int = 100) -> Sequence[StockMovement]:
    """Return the newest entries of the stock ledger, newest first."""
    return [
        StockMovement(
            sku=row.product,
            warehouse=row.warehouse,
            change=row.quantity_change,
            on_hand=row.new_quantity,
            reason=row.reason,
            at=row.timestamp,
        )
        for row in connection.execute(_MOVES.limit(limit))
    ]


_SKUS = sa.select(t.stock.c.product).distinct().order_by(t.stock.c.product)
_LOW = sa.select(t.stock.c.product).where(
    t.stock.c.on_hand - t.stock.c.reserved < sa.bindparam("units")
)
_UNPRICED = sa.select(t.products.c.sku).where(t.UNPRICED)


def stock_page(connection: Connection, *, page: int, per_page: int) -> Page[StockLevel]:
    """Return one page of the stock levels, by SKU, then warehouse."""
    return one_page(
        connection,
        sa.select(t.stock),
        [(t.stock.c.product, "up"), (t.stock.c.warehouse, "up")],
        total=row_count(connection, "stock"),
        place=(page, per_page),
        read=to_level,
    )


def stocked_skus(connection: Connection, *, page: int, per_page: int) -> Sequence[str]:
    """Return one page of the SKUs that have a stock level, in order."""
    some = _SKUS.limit(per_page).offset((page - 1) * per_page)
    return connection.scalars(some).all()


def skus_to_watch(connection: Connection, *, below: int) -> Sequence[str]:
    """Return products with fewer units available in a warehouse, and those without a price."""
    low = connection.scalars(_LOW, {"units": below})
    return sorted({*low, *connection.scalars(_UNPRICED)})
