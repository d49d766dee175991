"""Sales by day, hour and line, shipments and stock-outs: what models and agents learn from."""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.inventory import Shipment, StockoutPeriod
from storecrew.domain.shop.orders import DailySales, HourlySales, OrderStatus, SoldLines
from storecrew.stores.sql.queries.filters import of_products
from storecrew.stores.sql.schema import tables as t

_ordered_at = sa.type_coerce(t.orders.c.timestamp, sa.String)
_LINES = (
    sa.select(
        t.orders.c.id,
        t.orders.c.customer,
        t.order_items.c.product,
        sa.func.substr(_ordered_at, 1, 10),
        t.order_items.c.quantity,
        t.order_items.c.unit_price_minor,
    )
    .join_from(t.orders, t.order_items)
    .where(
        _ordered_at >= sa.bindparam("first"),
        _ordered_at < sa.bindparam("end"),
        t.orders.c.status != OrderStatus.CANCELLED,
    )
    .order_by(t.orders.c.id, t.order_items.c.id)
)
_left_at = sa.type_coerce(t.fulfilments.c.at, sa.String)
_left_on = sa.func.substr(_left_at, 1, 10)
_SHIPMENTS = (
    sa.select(
        t.fulfilments.c.product,
        t.fulfilments.c.warehouse,
        _left_on,
        sa.func.sum(t.fulfilments.c.quantity),
    )
    .where(_left_at >= sa.bindparam("first"), _left_at < sa.bindparam("end"))
    .group_by(t.fulfilments.c.product, t.fulfilments.c.warehouse, _left_on)
    .order_by(t.fulfilments.c.product, t.fulfilments.c.warehouse, _left_on)
)
_moved_at = sa.type_coerce(t.stock_history.c.timestamp, sa.String)
_ever_empty = sa.select(t.stock_history.c.product).where(t.stock_history.c.new_quantity <= 0)
_STOCK_MOVES = (
    sa.select(
        t.stock_history.c.product,
        t.stock_history.c.warehouse,
        _moved_at.label("at"),
        t.stock_history.c.new_quantity,
    )
    .where(t.stock_history.c.product.in_(_ever_empty), _moved_at < sa.bindparam("end"))
    .order_by(t.stock_history.c.product, t.stock_history.c.id)
)


def sold_lines(connection: Connection, currency: str, first: date, last: date) -> SoldLines:
    """Return the lines of orders of these UTC days; cancelled orders' are left out."""
    minor = float(Money.from_minor(1, currency).amount)
    orders, days, quantities = array("q"), array("q"), array("q")
    prices = array("d")
    customers: list[str | None] = []
    skus: list[str] = []
    known: dict[str, str] = {}
    """One text per SKU, however many lines name it."""
    ordinals: dict[str, int] = {}
    for order, customer, sku, day, quantity, price in connection.execute(
        _LINES, _period(first, last)
    ):
        if (ordinal := ordinals.get(day)) is None:
            ordinal = ordinals[day] = date.fromisoformat(day).toordinal()
        orders.append(order)
        customers.append(customer)
        skus.append(known.setdefault(sku, sku))
        days.append(ordinal)
        quantities.append(quantity)
        prices.append(price * minor)
    return SoldLines(
        orders=orders,
        customers=customers,
        skus=skus,
        days=days,
        quantities=quantities,
        prices=prices,
    )


def shipments(connection: Connection, first: date, last: date) -> Sequence[Shipment]:
    """Return what left each warehouse on these UTC days, by SKU, warehouse and day."""
    return [
        Shipment(sku=sku, warehouse=place, day=date.fromisoformat(day), quantity=int(units))
        for sku, place, day, units in connection.execute(_SHIPMENTS, _period(first, last))
    ]


def stockout_periods(connection: Connection, first: date, last: date) -> Sequence[StockoutPeriod]:
    """Return when products were sold out in every warehouse for whole UTC days."""
    rows = connection.execute(_STOCK_MOVES, {"end": _period(first, last)["end"]})
    found: list[StockoutPeriod] = []
    for sku, moves in groupby(rows, key=lambda row: row.product):
        for begin, end in _empty_spans(moves, last):
            if end >= first:
                found.append(StockoutPeriod(sku=sku, first=max(begin, first), last=end))
    return found


@dataclass
class _Shelf:
    """What is known of one product's places while its ledger is read."""

    places: dict[str, int] = field(default_factory=dict)
    since: date | None = None
    """First whole day on which nothing is there; None while something is."""

    @property
    def is_empty(self) -> bool:
        return all(units <= 0 for units in self.places.values())


def _empty_spans(moves: Iterator[Any], last: date) -> Iterator[tuple[date, date]]:
    shelf = _Shelf()
    for move in moves:
        shelf.places[move.warehouse] = move.new_quantity
        day = date.fromisoformat(move.at[:10])
        if shelf.is_empty and shelf.since is None:
            shelf.since = day + timedelta(days=1)
        elif not shelf.is_empty and shelf.since is not None:
            if shelf.since < day:
                yield shelf.since, day - timedelta(days=1)
            shelf.since = None
    if shelf.since is not None and shelf.since <= last:
        yield shelf.since, last


def _period(first: date, last: date) -> dict[str, str]:
    if last < first:
        raise InvalidInput("last", f"{last} is before {first}")
    return {"first": first.isoformat(), "end": (last + timedelta(days=1)).isoformat()}


_TO_THE_HOUR = 13
"""Characters of a moment, as it is kept, up to its hour."""
_PLACED = sa.func.substr(sa.type_coerce(t.orders.c.timestamp, sa.String), 1, _TO_THE_HOUR)
_PAID_BACK = sa.func.substr(sa.type_coerce(t.refunds.c.at, sa.String), 1, _TO_THE_HOUR)
_SOLD = (
    sa.select(_PLACED, sa.func.count(), sa.func.sum(t.orders.c.total_minor))
    .where(
        t.orders.c.timestamp >= sa.bindparam("since"),
        t.orders.c.status != OrderStatus.CANCELLED,
        t.orders.c.imported.is_(False),
    )
    .group_by(_PLACED)
)
_REFUNDED = (
    sa.select(_PAID_BACK, sa.func.sum(t.refunds.c.amount_minor))
    .where(t.refunds.c.at >= sa.bindparam("since"))
    .group_by(_PAID_BACK)
)


def hourly_sales(connection: Connection, currency: str, since: datetime) -> Sequence[HourlySales]:
    """Return the hours since then in which something was sold or paid back, oldest first."""
    whole = {"since": since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)}
    sold = {hour: (int(n), int(minor)) for hour, n, minor in connection.execute(_SOLD, whole)}
    back = {hour: int(minor) for hour, minor in connection.execute(_REFUNDED, whole)}
    return [
        HourlySales(
            hour=datetime.fromisoformat(f"{hour}:00:00+00:00"),
            orders=sold.get(hour, (0, 0))[0],
            value=Money.from_minor(sold.get(hour, (0, 0))[1], currency),
            refunds=Money.from_minor(back.get(hour, 0), currency),
        )
        for hour in sorted({*sold, *back})
    ]


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


_BACK = (
    sa.select(
        t.return_lines.c.product,
        sa.type_coerce(_DAY, sa.String),
        -sa.func.sum(t.return_lines.c.quantity),
    )
    .join_from(t.return_lines, t.returns)
    .join(t.orders, t.orders.c.id == t.returns.c.order_id)
    .where(
        sa.type_coerce(t.orders.c.timestamp, sa.String) >= sa.bindparam("first"),
        sa.type_coerce(t.orders.c.timestamp, sa.String) < sa.bindparam("end"),
        t.orders.c.status != OrderStatus.CANCELLED,
    )
    .group_by(t.return_lines.c.product, _DAY)
)


def daily_sales(
    connection: Connection, first: date, last: date, skus: frozenset[str] | None
) -> DailySales:
    """Return units sold per product and day, less what of them came back.

    Cancelled orders do not count.
    """
    if last < first:
        raise InvalidInput("last", f"{last} is before {first}")
    days = (last - first).days + 1
    column = {(first + timedelta(days=n)).isoformat(): n for n in range(days)}
    nothing = array("q", bytes(8 * days))
    units: dict[str, array[int]] = {}
    period = {"first": first.isoformat(), "end": (last + timedelta(days=1)).isoformat()}
    rows = of_products(connection, _SALES, t.order_items.c.product, skus, period)
    back = [*of_products(connection, _BACK, t.return_lines.c.product, skus, period)]
    for sku, day, sold in (*rows, *back):
        if (of_product := units.get(sku)) is None:
            of_product = units[sku] = nothing[:]
        of_product[column[day]] += int(sold)
    for sku in {sku for sku, _, _ in back if not any(units[sku])}:
        del units[sku]  # all of it came back: nothing was sold
    return DailySales(first, units)
