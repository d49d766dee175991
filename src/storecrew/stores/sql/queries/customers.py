"""Reads of customers: their data, spend, activity and back-in-stock subscriptions."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_count
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.paging import Page
from storecrew.domain.shop.customers import Customer, CustomerActivity, CustomerSpend
from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql.queries.filters import one_page
from storecrew.stores.sql.schema import tables as t

_CUSTOMER = sa.select(t.customers).where(t.customers.c.id == sa.bindparam("customer_id"))


def customer(connection: Connection, customer_id: str) -> Customer:
    """Return the customer, or raise `NotFound`."""
    found = connection.execute(_CUSTOMER, {"customer_id": customer_id}).first()
    if found is None:
        raise NotFound("customer", customer_id)
    return Customer(**found._mapping)


_CUSTOMERS = sa.select(t.customers).order_by(t.customers.c.id)
_SPENDING = (
    sa.select(
        t.orders.c.customer,
        sa.func.count(),
        sa.func.sum(t.orders.c.total_minor),
        sa.func.max(t.orders.c.timestamp),
    )
    .where(
        t.orders.c.timestamp >= sa.bindparam("first"),
        t.orders.c.timestamp < sa.bindparam("last"),
        t.orders.c.customer.is_not(None),
        t.orders.c.status != OrderStatus.CANCELLED,
    )
    .group_by(t.orders.c.customer)
)


def customers(connection: Connection) -> Sequence[Customer]:
    """Return every customer, ordered by id."""
    return [Customer(**row._mapping) for row in connection.execute(_CUSTOMERS)]


def customer_spend(
    connection: Connection, currency: str, first: datetime, last: datetime
) -> Mapping[str, CustomerSpend]:
    """Return what each known customer bought from `first` until before `last`."""
    rows = connection.execute(_SPENDING, {"first": first, "last": last})
    return {
        customer: CustomerSpend(
            orders=orders, value=Money.from_minor(int(value), currency), last_at=newest
        )
        for customer, orders, value, newest in rows
    }


def customer_activity(
    connection: Connection, since: datetime, *, limit: int = 10_000
) -> Sequence[CustomerActivity]:
    """Return what customers did since then, oldest first; the newest where there are too many."""
    newest = (
        sa.select(t.customer_activity)
        .where(t.customer_activity.c.at >= since)
        .order_by(t.customer_activity.c.id.desc())
        .limit(limit)
    )
    found = [
        CustomerActivity(
            customer=row.customer, kind=row.kind, at=row.at, sku=row.product, text=row.text
        )
        for row in connection.execute(newest)
    ]
    return found[::-1]


def back_in_stock_subscribers(connection: Connection, sku: str) -> Sequence[str]:
    """Return the customers who asked to be told when the product is back, by id."""
    return connection.scalars(_WAITING, {"sku": sku}).all()


_WAITING = (
    sa.select(t.back_in_stock_subscriptions.c.customer)
    .where(t.back_in_stock_subscriptions.c.product == sa.bindparam("sku"))
    .order_by(t.back_in_stock_subscriptions.c.customer)
)


def customer_page(connection: Connection, *, page: int, per_page: int) -> Page[Customer]:
    """Return one page of the customers, by id."""
    return one_page(
        connection,
        sa.select(t.customers),
        [(t.customers.c.id, "up")],
        total=row_count(connection, "customers"),
        place=(page, per_page),
        read=lambda row: Customer(**row._mapping),
    )
