"""Reads of purchase orders and suppliers."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_count
from storecrew.domain.money import Money
from storecrew.domain.paging import Page
from storecrew.domain.shop.purchasing import PurchaseOrder, Supplier
from storecrew.stores.sql.queries.filters import one_page
from storecrew.stores.sql.schema import tables as t

_PURCHASES = sa.select(t.purchase_orders).order_by(t.purchase_orders.c.id)
_PURCHASES_OF = _PURCHASES.where(t.purchase_orders.c.status == sa.bindparam("status"))
_SUPPLIERS = sa.select(t.suppliers).order_by(t.suppliers.c.id)


def purchase_orders(
    connection: Connection, currency: str, *, status: str | None = "open"
) -> Sequence[PurchaseOrder]:
    """Return purchase orders of this status (all when None), oldest first."""
    given = {} if status is None else {"status": status}
    rows = connection.execute(_PURCHASES if status is None else _PURCHASES_OF, given)
    return [to_purchase(row, currency) for row in rows]


def to_purchase(row: Any, currency: str) -> PurchaseOrder:
    """Read a row of `purchase_orders`."""
    return PurchaseOrder(
        id=row.id,
        sku=row.product,
        supplier=row.supplier,
        warehouse=row.warehouse,
        quantity=row.quantity,
        unit_cost=Money.from_minor(row.unit_cost_minor, currency),
        status=row.status,
        ordered_at=row.ordered_at,
        due_at=row.due_at,
    )


def suppliers(connection: Connection) -> Sequence[Supplier]:
    """Return every supplier, ordered by id."""
    return [Supplier(**row._mapping) for row in connection.execute(_SUPPLIERS)]


def purchase_page(
    connection: Connection, currency: str, *, status: str | None, page: int, per_page: int
) -> Page[PurchaseOrder]:
    """Return one page of the purchase orders of this status (all when None), oldest first."""
    query = sa.select(t.purchase_orders)
    return one_page(
        connection,
        query if status is None else query.where(t.purchase_orders.c.status == status),
        [(t.purchase_orders.c.id, "up")],
        total=row_count(connection, "purchase_orders", state=status),
        place=(page, per_page),
        read=lambda row: to_purchase(row, currency),
    )
