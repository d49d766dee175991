"""An import as a unit: what came in with it is noted, so that it can be taken back as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t

INVOICE, PRODUCT, CUSTOMER = "invoice", "product", "customer"
ACTOR = "import"
"""Who imported history was made by, as the order history names it."""
_RUNNING, _DONE, _UNDONE = "running", "done", "undone"
_NEW = sa.insert(t.imports).returning(t.imports.c.id)


@dataclass(frozen=True, kw_only=True)
class ImportUnit:
    """An import that can be taken back."""

    id: int
    source: str
    """Name of the file."""
    status: str
    """`running` (or broken off), `done` or `undone`."""
    at: datetime
    invoices: int
    """Those that are in the books because of it."""


@dataclass(frozen=True, kw_only=True)
class ImportUndone:
    """What taking an import back removed."""

    id: int
    orders: int
    returns: int
    products: int
    customers: int
    products_kept: int
    """Products that something else refers to by now."""


def begin(connection: Connection, source: str, now: datetime) -> int:
    """Note that an import begins, and return its number."""
    row = {"source": source, "status": _RUNNING, "at": now}
    return int(connection.execute(_NEW, row).scalar_one())


def finish(connection: Connection, import_id: int) -> None:
    """Note that all of an import is in the books."""
    _set_status(connection, import_id, _DONE)


def note(connection: Connection, import_id: int, kind: str, members: Mapping[str, str]) -> None:
    """Note what came in with an import: keys, each with the fingerprint of what it says."""
    rows = [
        {"kind": kind, "key": key, "import_id": import_id, "fingerprint": fingerprint}
        for key, fingerprint in members.items()
    ]
    if rows:
        connection.execute(sa.insert(t.import_members), rows)


def list_imports(connection: Connection) -> list[ImportUnit]:
    """Return every import, the newest first."""
    members = t.import_members
    count = sa.func.count(members.c.key)
    here = sa.and_(members.c.import_id == t.imports.c.id, members.c.kind == INVOICE)
    query = (
        sa.select(t.imports.c.id, t.imports.c.source, t.imports.c.status, t.imports.c.at, count)
        .join_from(t.imports, members, here, isouter=True)
        .group_by(t.imports.c.id)
        .order_by(t.imports.c.id.desc())
    )
    return [
        ImportUnit(id=number, source=source, status=status, at=at, invoices=invoices)
        for number, source, status, at, invoices in connection.execute(query)
    ]


def corrected_imports(connection: Connection, said: Mapping[str, str]) -> list[int]:
    """Return the earlier imports of which these invoices are a correction.

    Raises `InvalidInput` where an import has invoices that are not among them: taking it back
    would lose those.
    """
    members = t.import_members
    found: dict[int, str] = {}
    for among in chunks(said):
        rows = sa.select(members.c.key, members.c.import_id, members.c.fingerprint)
        here = (members.c.kind == INVOICE, members.c.key.in_(among))
        for key, import_id, fingerprint in connection.execute(rows.where(*here)):
            if fingerprint != said[key]:
                found.setdefault(import_id, key)
    for import_id, invoice in found.items():
        keys = sa.select(members.c.key).where(
            members.c.kind == INVOICE, members.c.import_id == import_id
        )
        if not set(connection.scalars(keys)) <= said.keys():
            problem = (
                f"invoice {invoice} is another one than import {import_id} brought in, which has "
                f"invoices beyond this file; take it back first: storecrew import undo {import_id}"
            )
            raise InvalidInput("path", problem)
    return sorted(found)


def undo_import(connection: Connection, import_id: int) -> ImportUndone:
    """Remove what came in with an import; what something else refers to by now is kept.

    Raises `NotFound` for no import, `InvalidInput` where an order of it went on since.
    """
    status = connection.scalar(sa.select(t.imports.c.status).where(t.imports.c.id == import_id))
    if status is None or status == _UNDONE:
        raise NotFound("import", import_id)
    invoices = _members(import_id, INVOICE)
    orders = sa.select(t.orders.c.id).where(
        t.orders.c.external_id.in_(invoices), t.orders.c.imported
    )
    _refuse_changed(connection, orders)
    returned = _take_back_returns(connection, invoices)
    removed = _remove_orders(connection, orders)
    customers = _remove_customers(connection, _members(import_id, CUSTOMER))
    products, kept = _remove_products(connection, _members(import_id, PRODUCT))
    connection.execute(sa.delete(t.import_members).where(t.import_members.c.import_id == import_id))
    _set_status(connection, import_id, _UNDONE)
    return ImportUndone(
        id=import_id,
        orders=removed,
        returns=returned,
        products=products,
        customers=customers,
        products_kept=kept,
    )


def _members(import_id: int, kind: str) -> sa.Select[tuple[str]]:
    here = t.import_members.c.import_id == import_id
    return sa.select(t.import_members.c.key).where(here, t.import_members.c.kind == kind)


def _set_status(connection: Connection, import_id: int, status: str) -> None:
    here = t.imports.c.id == import_id
    connection.execute(sa.update(t.imports).where(here).values(status=status))


def _refuse_changed(connection: Connection, orders: sa.Select[tuple[int]]) -> None:
    steps = t.order_history
    changed = sa.select(steps.c.order_id).where(
        steps.c.order_id.in_(orders), steps.c.actor != ACTOR
    )
    if order := connection.scalar(changed.limit(1)):
        problem = f"order {order} of this import went on since; it can no longer be taken back"
        raise InvalidInput("import", problem)


def _take_back_returns(connection: Connection, invoices: sa.Select[tuple[str]]) -> int:
    """Remove the returns, and give the orders of other imports their state of before."""
    here = t.returns.c.external_id.in_(invoices)
    rows = connection.execute(
        sa.select(t.returns.c.id, t.returns.c.order_id, t.returns.c.reason).where(here)
    ).all()
    ids = sa.select(t.returns.c.id).where(here)
    _delete(connection, t.return_lines, t.return_lines.c.return_id.in_(ids))
    _delete(connection, t.returns, here)
    for order, reason in {(row.order_id, row.reason) for row in rows if row.order_id}:
        _delete(connection, t.refunds, t.refunds.c.order_id == order, t.refunds.c.reason == reason)
    for order in {row.order_id for row in rows if row.order_id}:
        _settle_again(connection, order)
    return len(rows)


def _settle_again(connection: Connection, order: int) -> None:
    paid = sa.select(sa.func.coalesce(sa.func.sum(t.payments.c.amount_minor), 0))
    back = sa.select(sa.func.coalesce(sa.func.sum(t.refunds.c.amount_minor), 0))
    here = t.orders.c.id == order
    left = connection.scalar(paid.where(t.payments.c.order_id == order)) or 0
    left -= connection.scalar(back.where(t.refunds.c.order_id == order)) or 0
    values: dict[str, object] = {"paid_minor": left}
    others = sa.select(t.returns.c.id).where(t.returns.c.order_id == order).limit(1)
    if connection.scalar(others) is None:
        steps = t.order_history
        returned = steps.c.status == OrderStatus.RETURNED
        _delete(connection, steps, steps.c.order_id == order, returned, steps.c.actor == ACTOR)
        values["status"] = OrderStatus.DELIVERED
    connection.execute(sa.update(t.orders).where(here).values(values))


def _remove_orders(connection: Connection, orders: sa.Select[tuple[int]]) -> int:
    of_others = t.returns.c.order_id.in_(orders)
    connection.execute(sa.update(t.returns).where(of_others).values(order_id=None))
    for table in (t.refunds, t.payments, t.order_items, t.order_history):
        _delete(connection, table, table.c.order_id.in_(orders))
    return _delete(connection, t.orders, t.orders.c.id.in_(orders))


def _remove_customers(connection: Connection, ids: sa.Select[tuple[str]]) -> int:
    mine = t.customers.c.id
    untouched = (t.customers.c.email.is_(None), t.customers.c.name == mine)
    referring = (t.orders.c.customer, t.returns.c.customer, t.messages.c.customer)
    free = [~sa.exists().where(column == mine) for column in referring]
    return _delete(connection, t.customers, mine.in_(ids), *untouched, *free)


def _remove_products(connection: Connection, skus: sa.Select[tuple[str]]) -> tuple[int, int]:
    """Remove the products that nothing else refers to; return how many, and how many are kept."""
    mine, moves, prices = t.products.c.sku, t.stock_history, t.price_history
    referring = (t.order_items.c.product, t.return_lines.c.product, t.purchase_orders.c.product)
    changed = (
        sa.exists().where(moves.c.product == mine, moves.c.reference != ACTOR),
        sa.exists().where(prices.c.product == mine, prices.c.previous_minor.is_not(None)),
        *(sa.exists().where(column == mine) for column in referring),
    )
    query = sa.select(mine).where(mine.in_(skus), *(~each for each in changed))
    free = list(connection.scalars(query))
    known = connection.scalar(sa.select(sa.func.count()).where(mine.in_(skus))) or 0
    for among in chunks(free):
        for table in (t.stock, t.stock_history, t.price_history):
            _delete(connection, table, table.c.product.in_(among))
        _delete(connection, t.products, mine.in_(among))
    return len(free), known - len(free)


def _delete(connection: Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    return int(connection.execute(sa.delete(table).where(*where)).rowcount)


def keys(names: Iterable[str]) -> dict[str, str]:
    """Return members that have no content of their own to compare."""
    return dict.fromkeys(names, "")
