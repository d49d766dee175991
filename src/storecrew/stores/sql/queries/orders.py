"""Reads of orders: one, a page, the open ones, and their transitions."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from storecrew.database import SortOrder, page_rows, row_count, row_counts
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import (
    RESERVING,
    Line,
    Order,
    OrderBacklog,
    OrderLine,
    OrderPage,
    OrderQuery,
    OrderStatus,
    OrderTransition,
)
from storecrew.stores.sql.locking import chunks, storable
from storecrew.stores.sql.schema import tables as t

MAX_PER_PAGE = 200
_OPEN = tuple(sorted({*RESERVING, OrderStatus.AWAITING_DELIVERY}))
_ORDERS = sa.select(
    t.orders.c.id,
    t.orders.c.status,
    t.orders.c.total_minor,
    t.orders.c.paid_minor,
    t.orders.c.currency,
    t.orders.c.timestamp,
    t.orders.c.updated_at,
    t.orders.c.customer,
    t.orders.c.order_text,
    t.orders.c.imported,
    t.orders.c.held,
    sa.select(sa.func.count())
    .where(t.payments.c.order_id == t.orders.c.id)
    .scalar_subquery()
    .label("payments"),
    sa.select(sa.func.max(t.fulfilments.c.tracking))
    .where(t.fulfilments.c.order_id == t.orders.c.id)
    .scalar_subquery()
    .label("tracking"),
)
_ONE = _ORDERS.where(t.orders.c.id == sa.bindparam("number"))
_SOME = _ORDERS.where(t.orders.c.id.in_(sa.bindparam("among", expanding=True))).order_by(
    t.orders.c.id
)
_STILL_OPEN = _ORDERS.where(t.orders.c.status.in_(_OPEN)).order_by(t.orders.c.id)
_LINES = (
    sa.select(
        t.order_items.c.order_id,
        t.order_items.c.product,
        t.order_items.c.quantity,
        t.order_items.c.unit_price_minor,
    )
    .where(t.order_items.c.order_id.in_(sa.bindparam("among", expanding=True)))
    .order_by(t.order_items.c.id)
)
_WITH_RETURNS = frozenset({OrderStatus.RETURNED, OrderStatus.REFUNDED})
_BACK = (
    sa.select(
        t.returns.c.order_id,
        t.return_lines.c.product,
        sa.func.sum(t.return_lines.c.quantity),
    )
    .join_from(t.returns, t.return_lines)
    .where(t.returns.c.order_id.in_(sa.bindparam("among", expanding=True)))
    .group_by(t.returns.c.order_id, t.return_lines.c.product)
    .order_by(t.returns.c.order_id, t.return_lines.c.product)
)
_OLDEST = sa.select(sa.func.min(t.orders.c.updated_at)).where(
    t.orders.c.status == sa.bindparam("of_status")
)
_PAID_NOT_SENT = (
    sa.select(sa.func.count())
    .select_from(t.orders)
    .where(
        t.PAID_NOT_SENT,
        sa.or_(
            t.orders.c.total_minor > 0,
            sa.exists().where(t.payments.c.order_id == t.orders.c.id),
        ),
    )
)
_MOVES = (
    sa.select(
        t.order_history.c.order_id,
        t.order_history.c.previous,
        t.order_history.c.status,
        t.order_history.c.at,
        t.order_history.c.actor,
        t.order_history.c.id,
    )
    .where(t.order_history.c.order_id.in_(sa.bindparam("among", expanding=True)))
    .order_by(t.order_history.c.id)
)


def order(connection: Connection, order_id: int) -> Order:
    """Return the order, or raise `NotFound`."""
    found = storable([order_id]) and connection.execute(_ONE, {"number": order_id}).all()
    if not found:
        raise NotFound("order", order_id)
    return _with_lines(connection, found)[0]


def order_page(connection: Connection, query: OrderQuery) -> OrderPage:
    """Return one page of matching orders, newest first."""
    if query.page < 1:
        raise InvalidInput("page", "begins at 1")
    if not 1 <= query.per_page <= MAX_PER_PAGE:
        raise InvalidInput("per_page", f"is between 1 and {MAX_PER_PAGE}")
    total = _total(connection, query)
    ids = sa.select(t.orders.c.id).where(*_matching(query))
    found = page_rows(
        connection, ids, _NEWEST, total=total, page=query.page, per_page=query.per_page
    )
    orders = {order.id: order for order in orders_by_id(connection, (row.id for row in found))}
    return OrderPage(items=tuple(orders[row.id] for row in found), total=total)


_NEWEST: SortOrder = ((t.orders.c.timestamp, "down"), (t.orders.c.id, "down"))


def _total(connection: Connection, query: OrderQuery) -> int:
    """Return how many orders match; a customer's are counted in the index."""
    if query.customer is None and query.held is None:
        return row_count(connection, "orders", state=query.status)
    matching = sa.select(sa.func.count()).select_from(t.orders).where(*_matching(query))
    return int(connection.execute(matching).scalar_one())


def _matching(query: OrderQuery) -> Iterator[sa.ColumnElement[bool] | sa.TextClause]:
    if query.status is not None:
        yield t.orders.c.status == query.status
    if query.customer is not None:
        yield t.orders.c.customer == query.customer
    if query.held is not None:
        yield t.HELD if query.held else t.orders.c.held == ""


def orders_by_id(connection: Connection, numbers: Iterable[int]) -> Sequence[Order]:
    """Return these orders by id; unknown ids are left out."""
    found = [
        row
        for among in chunks(sorted(storable(numbers)))
        for row in connection.execute(_SOME, {"among": among})
    ]
    return _with_lines(connection, found)


def open_orders(connection: Connection) -> Sequence[Order]:
    """Return every open order, oldest first."""
    return _with_lines(connection, connection.execute(_STILL_OPEN).all())


def order_counts(connection: Connection) -> Mapping[OrderStatus, int]:
    """Return how many orders stand in each state."""
    return {OrderStatus(status): n for status, n in row_counts(connection, "orders").items()}


def order_backlog(connection: Connection) -> OrderBacklog:
    """Return since when the oldest open order of each state waits, and how many are paid."""
    oldest = {s: connection.execute(_OLDEST, {"of_status": s}).scalar() for s in _OPEN}
    return OrderBacklog(
        since={OrderStatus(status): at for status, at in oldest.items() if at is not None},
        paid_not_sent=connection.execute(_PAID_NOT_SENT).scalar_one(),
    )


def order_transitions(connection: Connection, numbers: Iterable[int]) -> Sequence[OrderTransition]:
    """Return the recorded transitions of these orders, oldest first."""
    found = [
        row
        for among in chunks(storable(numbers))
        for row in connection.execute(_MOVES, {"among": among})
    ]
    found.sort(key=lambda row: int(row.id))
    return [
        OrderTransition(
            order_id=row.order_id,
            previous=None if row.previous is None else OrderStatus(row.previous),
            status=OrderStatus(row.status),
            at=row.at,
            actor=row.actor,
        )
        for row in found
    ]


_Remembered = dict[int, tuple[Any, Order]]
_REMEMBERED: WeakKeyDictionary[Engine, _Remembered] = WeakKeyDictionary()
"""Orders read lately from each database, by id, with the row that they were made of."""
_MOST_REMEMBERED = 5000


def _with_lines(connection: Connection, found: Sequence[Any]) -> list[Order]:
    """Return the orders of these rows. One whose row is as it was is not made anew.

    An order's lines never change, and what came back of it is asked for each time.
    """
    if (known := _REMEMBERED.get(connection.engine)) is None:
        known = _REMEMBERED[connection.engine] = {}
    orders: dict[int, Order] = {}
    for row in found:
        was = known.get(row.id)
        if was is not None and was[0] == row and row.status not in _WITH_RETURNS:
            orders[row.id] = was[1]
    fresh = [row for row in found if row.id not in orders]
    orders |= {order.id: order for order in _made(connection, fresh)}
    if len(known) + len(fresh) > _MOST_REMEMBERED:
        known.clear()
    known.update((row.id, (row, orders[row.id])) for row in fresh)
    return [orders[row.id] for row in found]


def _made(connection: Connection, found: Sequence[Any]) -> list[Order]:
    lines: dict[int, list[tuple[str, int, int]]] = {row.id: [] for row in found}
    for among in chunks(lines):
        for number, product, quantity, price in connection.execute(_LINES, {"among": among}):
            lines[number].append((product, quantity, price))
    back = _returned(connection, [row.id for row in found if row.status in _WITH_RETURNS])
    return [_order(row, lines[row.id], back.get(row.id, ())) for row in found]


def _returned(connection: Connection, numbers: Sequence[int]) -> dict[int, list[Line]]:
    """Return what came back of these orders, summed per product."""
    found: dict[int, list[Line]] = {}
    for among in chunks(numbers):
        for number, product, quantity in connection.execute(_BACK, {"among": among}):
            found.setdefault(number, []).append(Line(sku=product, quantity=int(quantity)))
    return found


def _order(row: Any, lines: Iterable[tuple[str, int, int]], back: Sequence[Line]) -> Order:
    (number, status, total, paid, currency, placed, updated, customer, text, imported, held, n,
     tracking) = row  # fmt: skip
    return Order(
        id=number,
        status=_STATUSES[status],
        lines=tuple([_line(sku, units, price, currency) for sku, units, price in lines]),
        total=Money.from_minor(total, currency),
        paid=Money.from_minor(paid, currency),
        payments=n,
        placed_at=placed,
        updated_at=updated,
        customer=customer,
        order_text=text,
        imported=imported,
        held=held,
        returned=tuple(back),
        tracking=tracking or "",
    )


@lru_cache(maxsize=4096)
def _line(sku: str, quantity: int, price: int, currency: str) -> OrderLine:
    """Return the line; the same few units of the same products are ordered again and again."""
    return OrderLine(sku=sku, quantity=quantity, unit_price=Money.from_minor(price, currency))


_STATUSES = {status.value: status for status in OrderStatus}
