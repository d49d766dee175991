"""Matches returned goods with the orders they were sold on, the latest one first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.importing.history import Invoice
from storecrew.stores.sql.importing.units import ACTOR, INVOICE, note
from storecrew.stores.sql.importing.write import existing_orders
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t

_among: sa.BindParameter[Any] = sa.bindparam("among", expanding=True)
_BOUGHT = (
    sa.select(
        t.orders.c.id,
        t.orders.c.customer,
        t.orders.c.timestamp,
        t.orders.c.status,
        t.orders.c.paid_minor,
        t.order_items.c.product,
        sa.func.sum(t.order_items.c.quantity),
    )
    .join_from(t.orders, t.order_items)
    .where(t.orders.c.customer.in_(_among), t.orders.c.imported)
    .group_by(t.orders.c.id, t.order_items.c.product)
    .order_by(t.orders.c.timestamp.desc(), t.orders.c.id.desc())
)
_BACK = (
    sa.select(t.returns.c.order_id, t.return_lines.c.product, t.return_lines.c.quantity)
    .join_from(t.returns, t.return_lines)
    .join(t.orders, t.orders.c.id == t.returns.c.order_id)
    .where(t.orders.c.customer.in_(_among))
)
_NEW_RETURN = sa.insert(t.returns).returning(t.returns.c.id)
_SETTLE = (
    sa.update(t.orders)
    .where(t.orders.c.id == sa.bindparam("at_id"))
    .values(
        status=sa.bindparam("status"),
        paid_minor=sa.bindparam("paid_minor"),
        updated_at=sa.bindparam("updated_at"),
    )
)


@dataclass
class _Order:
    id: int
    at: datetime
    status: str
    paid: int
    left: dict[str, int] = field(default_factory=dict[str, int])
    """Units not returned yet, per product."""


class _Part(NamedTuple):
    """Units of one product going back against one order, or against none."""

    order: _Order | None
    sku: str
    quantity: int
    amount: int


def write_returns(
    connection: Connection, invoices: Sequence[Invoice], import_id: int
) -> tuple[int, int, int]:
    """Add these return invoices; return how many are new, the records made, those unmatched."""
    known = existing_orders(connection, t.returns.c.external_id, (i.number for i in invoices))
    new = [invoice for invoice in invoices if invoice.number not in known]
    note(connection, import_id, INVOICE, {i.number: i.fingerprint for i in new})
    bought = _bought(connection, {i.customer for i in new if i.customer is not None})
    records = unmatched = 0
    settled: dict[int, tuple[_Order, datetime]] = {}
    for invoice in new:
        orders = bought.get(invoice.customer or "", [])
        by_order: dict[int | None, list[_Part]] = {}
        for part in _match(invoice, orders):
            by_order.setdefault(part.order.id if part.order else None, []).append(part)
        for parts in by_order.values():
            order = parts[0].order
            _record(connection, invoice, order, parts)
            records += 1
            unmatched += order is None
            if order is not None:
                settled[order.id] = order, invoice.at
    _settle(connection, settled)
    return len(new), records, unmatched


def _match(invoice: Invoice, orders: Sequence[_Order]) -> Iterator[_Part]:
    for (sku, price), units in invoice.lines().items():
        open_units = units
        for order in orders:
            taken = min(open_units, order.left.get(sku, 0)) if order.at <= invoice.at else 0
            if taken:
                order.left[sku] -= taken
                open_units -= taken
                yield _Part(order, sku, taken, taken * price)
        if open_units:
            yield _Part(None, sku, open_units, open_units * price)


def _bought(connection: Connection, customers: set[str]) -> dict[str, list[_Order]]:
    """Return each customer's imported orders, the latest first, with what they still have."""
    orders: dict[int, _Order] = {}
    of_customer: dict[str, list[_Order]] = {}
    for among in chunks(customers):
        rows = connection.execute(_BOUGHT, {"among": among})
        for number, customer, at, status, paid, sku, units in rows:
            if (order := orders.get(number)) is None:
                order = orders[number] = _Order(number, at, status, paid)
                of_customer.setdefault(customer, []).append(order)
            order.left[sku] = int(units)
        for number, sku, units in connection.execute(_BACK, {"among": among}):
            if number in orders:
                orders[number].left[sku] -= units
    return of_customer


def _record(
    connection: Connection, invoice: Invoice, order: _Order | None, parts: Sequence[_Part]
) -> None:
    amount = sum(part.amount for part in parts)
    if order is not None:
        amount = min(amount, order.paid)  # never more back than was paid
        _pay_back(connection, invoice, order, amount)
    row = {
        "order_id": None if order is None else order.id,
        "external_id": invoice.number,
        "customer": invoice.customer,
        "amount_minor": amount,
        "reason": f"invoice {invoice.number}",
        "at": invoice.at,
    }
    number = connection.execute(_NEW_RETURN, row).scalar_one()
    lines: dict[str, int] = {}
    for part in parts:
        lines[part.sku] = lines.get(part.sku, 0) + part.quantity
    connection.execute(
        sa.insert(t.return_lines),
        [{"return_id": number, "product": sku, "quantity": n} for sku, n in lines.items()],
    )


def _pay_back(connection: Connection, invoice: Invoice, order: _Order, amount: int) -> None:
    at = {"order_id": order.id, "at": invoice.at}
    if amount:
        order.paid -= amount
        refund = {**at, "amount_minor": amount, "reason": f"invoice {invoice.number}"}
        connection.execute(sa.insert(t.refunds), refund)
    if order.status == OrderStatus.DELIVERED:
        step = {"previous": OrderStatus.DELIVERED, "status": OrderStatus.RETURNED, "actor": ACTOR}
        connection.execute(sa.insert(t.order_history), {**at, **step})
        order.status = OrderStatus.RETURNED


def _settle(connection: Connection, settled: dict[int, tuple[_Order, datetime]]) -> None:
    if settled:
        connection.execute(
            _SETTLE,
            [
                {"at_id": o.id, "status": o.status, "paid_minor": o.paid, "updated_at": at}
                for o, at in settled.values()
            ],
        )
