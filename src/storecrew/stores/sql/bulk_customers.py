"""Customers and suppliers: put in the ledger as other records name them."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.purchasing import Supplier
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t


def put_customers(connection: Connection, customers: Sequence[Customer]) -> None:
    """Add these customers, or change those that are known."""
    _put(connection, t.customers, {customer.id: asdict(customer) for customer in customers})


def put_suppliers(connection: Connection, suppliers: Sequence[Supplier]) -> None:
    """Add these suppliers, or change those that are known."""
    _put(connection, t.suppliers, {supplier.id: asdict(supplier) for supplier in suppliers})


def _put(connection: Connection, table: sa.Table, rows: dict[str, dict[str, object]]) -> None:
    known: set[str] = set()
    for among in chunks(rows):
        known.update(connection.scalars(sa.select(table.c.id).where(table.c.id.in_(among))))
    new = [row for key, row in rows.items() if key not in known]
    old = [{**row, "at_id": key} for key, row in rows.items() if key in known]
    if new:
        connection.execute(sa.insert(table), new)
    if old:
        here = table.c.id == sa.bindparam("at_id")
        values: dict[str, sa.BindParameter[Any]] = {
            c.name: sa.bindparam(c.name) for c in table.c if c.name != "id"
        }
        connection.execute(
            sa.update(table).where(here).values(values),
            [{name: value for name, value in row.items() if name != "id"} for row in old],
        )
