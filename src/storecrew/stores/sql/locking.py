"""Reads and locks, in one order for every transaction, the rows that a batch of actions touches.

The order is: orders, purchases, products, stock; each by key. SQLite has locked everything with
BEGIN IMMEDIATE; on Postgres these are row locks, so that two batches never wait for each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from storecrew.domain.actions import Action
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.lock_set import LockSet, rows_needed_by
from storecrew.stores.sql.rows import (
    Allocation,
    OrderItemRow,
    OrderRow,
    ProductRow,
    PurchaseOrderRow,
    StockRow,
)
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

_CHUNK = 1000
"""Values in one IN list."""
_LARGEST_ID = 2**63 - 1


def _among(column: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    return column.in_(sa.bindparam("among", expanding=True))


_ORDERS = (
    sa.select(
        t.orders.c.id,
        t.orders.c.status,
        t.orders.c.total_minor,
        t.orders.c.paid_minor,
        t.orders.c.details,
        t.orders.c.imported,
        t.orders.c.held,
    )
    .where(_among(t.orders.c.id))
    .order_by(t.orders.c.id)
    .with_for_update()
)
_RESERVED = (
    sa.select(t.reservations)
    .where(_among(t.reservations.c.order_id))
    .order_by(t.reservations.c.order_id, t.reservations.c.product, t.reservations.c.warehouse)
)
_LINES = (
    sa.select(
        t.order_items.c.order_id,
        t.order_items.c.product,
        t.order_items.c.quantity,
        t.order_items.c.unit_price_minor,
    )
    .where(_among(t.order_items.c.order_id))
    .order_by(t.order_items.c.id)
)
_FULFILLED = (
    sa.select(
        t.fulfilments.c.order_id,
        t.fulfilments.c.product,
        t.fulfilments.c.warehouse,
        t.fulfilments.c.quantity,
    )
    .where(_among(t.fulfilments.c.order_id))
    .order_by(t.fulfilments.c.id)
)
_RETURNED = (
    sa.select(
        t.returns.c.order_id,
        t.return_lines.c.product,
        sa.func.sum(t.return_lines.c.quantity),
    )
    .join_from(t.returns, t.return_lines)
    .where(_among(t.returns.c.order_id))
    .group_by(t.returns.c.order_id, t.return_lines.c.product)
)
_PAYMENTS = (
    sa.select(t.payments.c.order_id, sa.func.count())
    .where(_among(t.payments.c.order_id))
    .group_by(t.payments.c.order_id)
)
_REFERENCES = sa.select(t.payments.c.reference).where(_among(t.payments.c.reference))
_PURCHASE_COLUMNS = (
    t.purchase_orders.c.id,
    t.purchase_orders.c.product,
    t.purchase_orders.c.warehouse,
    t.purchase_orders.c.quantity,
    t.purchase_orders.c.status,
    t.purchase_orders.c.received,
)
_PURCHASES = (
    sa.select(*_PURCHASE_COLUMNS)
    .where(_among(t.purchase_orders.c.id))
    .order_by(t.purchase_orders.c.id)
    .with_for_update()
)
_OPEN_PURCHASES = (
    sa.select(*_PURCHASE_COLUMNS)
    .where(
        _among(t.purchase_orders.c.product),
        t.purchase_orders.c.status == sa.literal_column("'open'"),
    )
    .order_by(t.purchase_orders.c.id)
    .with_for_update()
)
_PRODUCTS = (
    sa.select(
        t.products.c.sku,
        t.products.c.name,
        t.products.c.price_minor,
        t.products.c.cost_minor,
        t.products.c.supplier,
        t.products.c.pack_size,
        t.products.c.stocked,
        t.products.c.assumed,
        t.products.c.retired,
    )
    .where(_among(t.products.c.sku))
    .order_by(t.products.c.sku)
)
_PRODUCTS_LOCKED = _PRODUCTS.with_for_update()
_NAMED = (
    sa.select(t.products.c.name, t.products.c.sku)
    .where(_among(t.products.c.name))
    .order_by(t.products.c.sku)
)
_STOCK = (
    sa.select(t.stock)
    .where(_among(t.stock.c.product))
    .order_by(t.stock.c.product, t.stock.c.warehouse)
    .with_for_update()
)
_SUPPLIERS = sa.select(t.suppliers.c.id, t.suppliers.c.lead_time_days)
_RIVALS = sa.select(
    t.competitor_prices.c.product,
    t.competitor_prices.c.competitor,
    t.competitor_prices.c.amount,
    t.competitor_prices.c.currency,
).where(_among(t.competitor_prices.c.product))
_CONSENTS = sa.select(t.customers.c.id, t.customers.c.marketing_consent).where(
    _among(t.customers.c.id)
)


def load(unit: UnitOfWork, actions: Iterable[Action]) -> None:
    """Put every row that the actions name into the unit, locked."""
    locks = rows_needed_by(actions)
    _load_orders(unit, locks)
    _load_purchases(unit, locks)
    _load_products(unit, locks)
    _load_stock(unit, locks)
    for product, rival, amount, currency in _rows(unit, _RIVALS, locks.watched):
        unit.competitor_prices[product, rival] = Money(Decimal(amount), currency)
    unit.consents.update({row[0]: row[1] for row in _rows(unit, _CONSENTS, locks.customers)})


def chunks(keys: Iterable[Any]) -> Iterator[list[Any]]:
    """Split keys, in order, into lists short enough for one statement."""
    ordered = sorted(keys)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def storable(numbers: Iterable[int]) -> set[int]:
    """Return the ids that a database can hold; no row has any other."""
    return {number for number in numbers if 0 < number <= _LARGEST_ID}


def _rows(
    unit: UnitOfWork, statement: sa.Select[Any], keys: Iterable[Any]
) -> Iterator[Sequence[Any]]:
    for among in chunks(keys):
        yield from unit.connection.execute(statement, {"among": among})


def _load_orders(unit: UnitOfWork, locks: LockSet) -> None:
    for number, status, total, paid, details, imported, held in _rows(
        unit, _ORDERS, storable(locks.orders)
    ):
        row = OrderRow(number, OrderStatus(status), total, paid, details, imported, held=held)
        unit.orders[number] = row
    found = unit.orders.keys()
    for number, product, warehouse, quantity in _rows(unit, _RESERVED, locks.reserved & found):
        unit.orders[number].reserved.append(Allocation(product, warehouse, quantity))
        locks.stock.add(product)
    for number, product, quantity, price in _rows(unit, _LINES, locks.sold & found):
        unit.orders[number].lines.append(OrderItemRow(product, quantity, price))
        locks.products.add(product)
        locks.stock.add(product)
    for number, product, warehouse, quantity in _rows(unit, _FULFILLED, locks.sold & found):
        unit.orders[number].fulfilled.append(Allocation(product, warehouse, quantity))
    for number, product, quantity in _rows(unit, _RETURNED, locks.sold & found):
        unit.orders[number].returned[product] = int(quantity)
    for number, payments in _rows(unit, _PAYMENTS, locks.paying & found):
        unit.orders[number].payments = payments
    unit.references.update(row[0] for row in _rows(unit, _REFERENCES, locks.references))


def _load_purchases(unit: UnitOfWork, locks: LockSet) -> None:
    for statement, keys in (
        (_PURCHASES, storable(locks.purchases)),
        (_OPEN_PURCHASES, locks.bought),
    ):
        for number, product, warehouse, quantity, status, received in _rows(unit, statement, keys):
            row = PurchaseOrderRow(number, product, warehouse, quantity, status, received)
            unit.purchases[number] = row
            locks.stock.add(product)
    if locks.bought:
        unit.lead_times.update({row[0]: row[1] for row in unit.connection.execute(_SUPPLIERS)})


def _load_products(unit: UnitOfWork, locks: LockSet) -> None:
    statement = _PRODUCTS_LOCKED if locks.changed else _PRODUCTS
    _keep_products(unit, statement, locks.products | locks.changed)
    unresolved = locks.names - unit.products.keys()
    for name, sku in _rows(unit, _NAMED, unresolved):
        unit.names.setdefault(name, []).append(sku)
    found = {sku for skus in unit.names.values() for sku in skus}
    _keep_products(unit, statement, found - unit.products.keys())
    locks.stock |= found


def _keep_products(unit: UnitOfWork, statement: sa.Select[Any], skus: Iterable[str]) -> None:
    for sku, name, price, cost, supplier, pack_size, stocked, assumed, retired in _rows(
        unit, statement, skus
    ):
        marks = frozenset(assumed[1:-1].replace('"', "").split(",")) - {""}
        row = ProductRow(sku, name, price, cost, supplier, pack_size, stocked, marks, retired)
        unit.products[sku] = row


def _load_stock(unit: UnitOfWork, locks: LockSet) -> None:
    for product, warehouse, on_hand, reserved in _rows(unit, _STOCK, locks.stock):
        shelves = unit.stock.setdefault(product, {})
        shelves[warehouse] = StockRow(
            product, warehouse, on_hand, reserved, previous=on_hand - reserved
        )
