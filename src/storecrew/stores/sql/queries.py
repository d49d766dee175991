"""Reads of everything but orders: catalogue, stock, sales, purchases, people, facts."""

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.codec import read_event
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import CompetitorPrice, PriceChange, Product
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import StockLevel, StockMovement
from storecrew.domain.shop.orders import DailySales, OrderStatus
from storecrew.domain.shop.purchasing import PurchaseOrder, Supplier
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.messages import MARKETING
from storecrew.stores.sql.schema import ledger as t
from storecrew.stores.sql.unit_of_work import OUTBOX_LOCK

_among: sa.BindParameter[Any] = sa.bindparam("among", expanding=True)
_since: sa.BindParameter[Any] = sa.bindparam("since")
_PRODUCTS = sa.select(t.products).order_by(t.products.c.sku)
_STOCK = sa.select(t.stock).order_by(t.stock.c.product, t.stock.c.warehouse)
_PRICES = (
    sa.select(t.price_history)
    .where(t.price_history.c.at >= _since)
    .order_by(t.price_history.c.at, t.price_history.c.id)
)
_RIVALS = sa.select(t.competitor_prices).order_by(
    t.competitor_prices.c.product, t.competitor_prices.c.competitor
)
_MOVES = sa.select(t.stock_history).order_by(t.stock_history.c.id.desc())
_DAY = sa.func.substr(t.orders.c.timestamp, 1, 10)
_SALES = (
    sa.select(
        t.order_items.c.product,
        sa.type_coerce(_DAY, sa.String),
        sa.func.sum(t.order_items.c.quantity),
    )
    .join_from(t.orders, t.order_items)
    .where(
        sa.type_coerce(t.orders.c.timestamp, sa.String) >= sa.bindparam("first"),
        sa.type_coerce(t.orders.c.timestamp, sa.String) < sa.bindparam("end"),
        t.orders.c.status != OrderStatus.CANCELLED,
    )
    .group_by(t.order_items.c.product, _DAY)
)
_PURCHASES = sa.select(t.purchase_orders).order_by(t.purchase_orders.c.id)
_PURCHASES_OF = _PURCHASES.where(t.purchase_orders.c.status == sa.bindparam("status"))
_SUPPLIERS = sa.select(t.suppliers).order_by(t.suppliers.c.id)
_CUSTOMER = sa.select(t.customers).where(t.customers.c.id == sa.bindparam("customer_id"))
_MESSAGES = (
    sa.select(t.messages.c.customer, sa.func.count())
    .where(
        t.messages.c.customer.in_(_among),
        t.messages.c.at >= sa.bindparam("since"),
        t.messages.c.purpose == MARKETING,
    )
    .group_by(t.messages.c.customer)
)
_LATER_FACT = sa.select(t.outbox.c.id).where(t.outbox.c.id > sa.bindparam("after")).limit(1)
_FACTS = (
    sa.select(t.outbox)
    .where(t.outbox.c.id > sa.bindparam("after"))
    .order_by(t.outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_HOLD_WRITERS = sa.select(sa.func.pg_advisory_xact_lock(OUTBOX_LOCK))
_OUTBOX = "store"


def products(
    connection: Connection, currency: str, skus: frozenset[str] | None
) -> Sequence[Product]:
    """Return these products (all when None) ordered by SKU."""
    rows = _of_products(connection, _PRODUCTS, t.products.c.sku, skus)
    return [to_product(row, currency) for row in rows]


def to_product(row: Any, currency: str) -> Product:
    """Read a row of `products`."""
    return Product(
        sku=row.sku,
        name=row.name,
        price=Money.from_minor(row.price_minor, currency),
        cost=None if row.cost_minor is None else Money.from_minor(row.cost_minor, currency),
        supplier=row.supplier,
        pack_size=row.pack_size,
        stocked=row.stocked,
        assumed=tuple(json.loads(row.assumed)),
    )


def product(connection: Connection, currency: str, sku: str) -> Product:
    """Return the product, or raise `NotFound`."""
    if not (found := products(connection, currency, frozenset([sku]))):
        raise NotFound("product", sku)
    return found[0]


def stock(connection: Connection, skus: frozenset[str] | None) -> Sequence[StockLevel]:
    """Return the levels of these products (all when None), by SKU, then warehouse."""
    return [to_level(row) for row in _of_products(connection, _STOCK, t.stock.c.product, skus)]


def to_level(row: Any) -> StockLevel:
    """Read a row of `stock`."""
    return StockLevel(
        sku=row.product, warehouse=row.warehouse, on_hand=row.on_hand, reserved=row.reserved
    )


def stock_movements(connection: Connection, limit: int) -> Sequence[StockMovement]:
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


def daily_sales(
    connection: Connection, first: date, last: date, skus: frozenset[str] | None
) -> DailySales:
    """Return units sold per product and day; cancelled orders do not count."""
    if last < first:
        raise InvalidInput("last", f"{last} is before {first}")
    days = (last - first).days + 1
    column = {(first + timedelta(days=n)).isoformat(): n for n in range(days)}
    nothing = array("q", bytes(8 * days))
    units: dict[str, array[int]] = {}
    period = {"first": first.isoformat(), "end": (last + timedelta(days=1)).isoformat()}
    rows = _of_products(connection, _SALES, t.order_items.c.product, skus, period)
    for sku, day, sold in rows:
        if (of_product := units.get(sku)) is None:
            of_product = units[sku] = nothing[:]
        of_product[column[day]] = int(sold)
    return DailySales(first, units)


def price_changes(
    connection: Connection, currency: str, since: datetime, skus: frozenset[str] | None
) -> Sequence[PriceChange]:
    """Return price changes from that moment on, oldest first."""
    rows = _of_products(connection, _PRICES, t.price_history.c.product, skus, {"since": since})
    return [
        PriceChange(
            sku=sku,
            previous=None if previous is None else Money.from_minor(previous, currency),
            price=Money.from_minor(price, currency),
            at=at,
        )
        for _id, sku, previous, price, at in sorted(rows, key=itemgetter(4, 0))
    ]


def competitor_prices(
    connection: Connection, skus: frozenset[str] | None
) -> Sequence[CompetitorPrice]:
    """Return each competitor's last observed price, by SKU, then competitor."""
    return [
        CompetitorPrice(
            sku=row.product,
            competitor=row.competitor,
            price=Money(Decimal(row.amount), row.currency),
            seen_at=row.seen_at,
        )
        for row in _of_products(connection, _RIVALS, t.competitor_prices.c.product, skus)
    ]


def purchase_orders(
    connection: Connection, currency: str, status: str | None
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


def customer(connection: Connection, customer_id: str) -> Customer:
    """Return the customer, or raise `NotFound`."""
    found = connection.execute(_CUSTOMER, {"customer_id": customer_id}).first()
    if found is None:
        raise NotFound("customer", customer_id)
    return Customer(**found._mapping)


def messages_sent(
    connection: Connection, customers: frozenset[str], since: datetime
) -> Mapping[str, int]:
    """Return how many marketing messages each of these customers was sent since then."""
    sent = dict.fromkeys(sorted(customers), 0)
    for among in chunks(customers):
        sent.update(
            (row[0], row[1])
            for row in connection.execute(_MESSAGES, {"among": among, "since": since})
        )
    return sent


def outbox(connection: Connection, after: int, limit: int) -> Sequence[tuple[int, EventEnvelope]]:
    """Return facts after that position, in order, none of them passed by a slower writer."""
    if connection.dialect.name != "sqlite":
        if connection.execute(_LATER_FACT, {"after": after}).first() is None:
            return []
        connection.execute(_HOLD_WRITERS)
    return [
        (
            row.id,
            EventEnvelope(
                source=_OUTBOX,
                external_id=str(row.id),
                event=read_event(row.event),
                at=row.at,
                actor=row.actor,
            ),
        )
        for row in connection.execute(_FACTS, {"after": after, "most": limit})
    ]


def _of_products(
    connection: Connection,
    statement: sa.Select[Any],
    sku: sa.ColumnElement[Any],
    skus: frozenset[str] | None,
    parameters: Mapping[str, Any] = {},
) -> Iterator[Any]:
    """Yield the rows of these products (all when None), in the statement's order by SKU."""
    if skus is None:
        yield from connection.execute(statement, parameters)
        return
    some = _narrowed(statement, sku)
    for among in chunks(skus):
        yield from connection.execute(some, {**parameters, "among": among})


@cache
def _narrowed(statement: sa.Select[Any], sku: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return statement.where(sku.in_(_among))


def as_list(skus: Iterable[str] | None) -> frozenset[str] | None:
    """Return the SKUs asked for as a set; None stands for all."""
    return None if skus is None else frozenset(skus)
