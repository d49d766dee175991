"""Pages of products, stock, customers and purchase orders; a page costs what is on it."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import SortOrder, page_rows, row_count
from storecrew.domain.paging import Page
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.purchasing import PurchaseOrder
from storecrew.stores.sql.queries import to_level, to_product, to_purchase
from storecrew.stores.sql.schema import ledger as t

T = TypeVar("T")

_SKUS = sa.select(t.stock.c.product).distinct().order_by(t.stock.c.product)
_LOW = sa.select(t.stock.c.product).where(
    t.stock.c.on_hand - t.stock.c.reserved < sa.bindparam("units")
)
_UNPRICED = sa.select(t.products.c.sku).where(t.UNPRICED)


def products(connection: Connection, currency: str, page: int, per_page: int) -> Page[Product]:
    """Return one page of the products, by SKU."""
    return _page(
        connection,
        sa.select(t.products),
        [(t.products.c.sku, "up")],
        total=row_count(connection, "products"),
        place=(page, per_page),
        read=lambda row: to_product(row, currency),
    )


def stock(connection: Connection, page: int, per_page: int) -> Page[StockLevel]:
    """Return one page of the stock levels, by SKU, then warehouse."""
    return _page(
        connection,
        sa.select(t.stock),
        [(t.stock.c.product, "up"), (t.stock.c.warehouse, "up")],
        total=row_count(connection, "stock"),
        place=(page, per_page),
        read=to_level,
    )


def stocked_skus(connection: Connection, page: int, per_page: int) -> Sequence[str]:
    """Return one page of the SKUs that have a stock level, in order."""
    some = _SKUS.limit(per_page).offset((page - 1) * per_page)
    return connection.scalars(some).all()


def customers(connection: Connection, page: int, per_page: int) -> Page[Customer]:
    """Return one page of the customers, by id."""
    return _page(
        connection,
        sa.select(t.customers),
        [(t.customers.c.id, "up")],
        total=row_count(connection, "customers"),
        place=(page, per_page),
        read=lambda row: Customer(**row._mapping),
    )


def purchases(
    connection: Connection, currency: str, status: str | None, page: int, per_page: int
) -> Page[PurchaseOrder]:
    """Return one page of the purchase orders of this status (all when None), oldest first."""
    query = sa.select(t.purchase_orders)
    return _page(
        connection,
        query if status is None else query.where(t.purchase_orders.c.status == status),
        [(t.purchase_orders.c.id, "up")],
        total=row_count(connection, "purchase_orders", state=status),
        place=(page, per_page),
        read=lambda row: to_purchase(row, currency),
    )


def skus_to_watch(connection: Connection, below: int) -> Sequence[str]:
    """Return products with fewer units available in a warehouse, and those without a price."""
    low = connection.scalars(_LOW, {"units": below})
    return sorted({*low, *connection.scalars(_UNPRICED)})


def _page(
    connection: Connection,
    query: "sa.Select[Any]",
    order: SortOrder,
    *,
    total: int,
    place: tuple[int, int],
    read: Callable[[Any], T],
) -> Page[T]:
    page, per_page = place
    rows = page_rows(connection, query, order, total=total, page=page, per_page=per_page)
    return Page(items=tuple(read(row) for row in rows), total=total)
