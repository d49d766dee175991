"""Reads of what is offered to customers, and of what passes between them and the shop."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_counts
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import CompetitorPage, ProductSuggestion
from storecrew.domain.shop.customers import Customer, CustomerActivity, CustomerSpend
from storecrew.domain.shop.orders import OrderStatus
from storecrew.domain.shop.payments import Authorization
from storecrew.domain.shop.promotions import Bundle, Campaign, Discount
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.stores.sql.locking import chunks, storable
from storecrew.stores.sql.schema import customers_and_offers as d, ledger as t

_among: sa.BindParameter[Any] = sa.bindparam("among", expanding=True)
_CUSTOMERS = sa.select(t.customers).order_by(t.customers.c.id)
_SHOWN = sa.select(d.recommendations.c.skus).where(
    d.recommendations.c.place == sa.bindparam("at_place")
)
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
_REPLIES = (
    sa.select(d.ticket_replies.c.ticket_id, d.ticket_replies.c.text)
    .where(d.ticket_replies.c.ticket_id.in_(_among))
    .order_by(d.ticket_replies.c.id)
)
_AUTHORIZATIONS = (
    sa.select(d.authorizations, t.payments.c.reference.label("paid"))
    .join_from(
        d.authorizations,
        t.payments,
        t.payments.c.reference == d.authorizations.c.reference,
        isouter=True,
    )
    .where(d.authorizations.c.order_id.in_(_among))
    .order_by(d.authorizations.c.at, d.authorizations.c.reference)
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


def discounts(connection: Connection, ending_after: datetime) -> Sequence[Discount]:
    """Return discounts that end after then, by code."""
    return [
        Discount(
            code=row.code,
            percent=Decimal(row.percent),
            skus=tuple(json.loads(row.skus)),
            customers=tuple(json.loads(row.customers)),
            starts_at=row.starts_at,
            ends_at=row.ends_at,
        )
        for row in connection.execute(_DISCOUNTS, {"after": ending_after})
    ]


_DISCOUNTS = (
    sa.select(d.discounts)
    .where(d.discounts.c.ends_at > sa.bindparam("after"))
    .order_by(d.discounts.c.code)
)


def bundles(connection: Connection, currency: str) -> Sequence[Bundle]:
    """Return what is offered together now, by name."""
    return [
        Bundle(
            name=row.name,
            skus=tuple(json.loads(row.skus)),
            price=Money.from_minor(row.price_minor, currency),
        )
        for row in connection.execute(sa.select(d.bundles).order_by(d.bundles.c.name))
    ]


def recommendations(connection: Connection, place: str) -> Sequence[str]:
    """Return the SKUs shown in a place, best first."""
    found = connection.execute(_SHOWN, {"at_place": place}).scalar()
    return tuple(json.loads(found or "[]"))


def campaigns(connection: Connection) -> Sequence[Campaign]:
    """Return every campaign, newest first."""
    members: dict[tuple[str, str], list[str]] = {}
    everybody = sa.select(d.campaign_members).order_by(d.campaign_members.c.customer)
    for campaign, customer, part in connection.execute(everybody):
        members.setdefault((campaign, part), []).append(customer)
    newest = sa.select(d.campaigns).order_by(d.campaigns.c.started_at.desc(), d.campaigns.c.name)
    return [
        Campaign(
            name=row.name,
            segment=row.segment,
            title=row.title,
            body=row.body,
            started_at=row.started_at,
            ends_at=row.ends_at,
            recipients=tuple(members.get((row.name, "recipient"), ())),
            holdout=tuple(members.get((row.name, "holdout"), ())),
        )
        for row in connection.execute(newest)
    ]


def product_suggestions(connection: Connection) -> Sequence[ProductSuggestion]:
    """Return products that were suggested, newest first."""
    newest = sa.select(d.product_suggestions).order_by(
        d.product_suggestions.c.suggested_at.desc(), d.product_suggestions.c.name
    )
    return [ProductSuggestion(**row._mapping) for row in connection.execute(newest)]


def competitor_pages(connection: Connection) -> Sequence[CompetitorPage]:
    """Return the tracked competitor pages, by SKU, then competitor."""
    every = sa.select(d.competitor_pages).order_by(
        d.competitor_pages.c.product, d.competitor_pages.c.competitor
    )
    return [
        CompetitorPage(sku=row.product, competitor=row.competitor, url=row.url)
        for row in connection.execute(every)
    ]


def customer_activity(
    connection: Connection, since: datetime, limit: int
) -> Sequence[CustomerActivity]:
    """Return what customers did since then, oldest first; the newest where there are too many."""
    newest = (
        sa.select(d.customer_activity)
        .where(d.customer_activity.c.at >= since)
        .order_by(d.customer_activity.c.id.desc())
        .limit(limit)
    )
    found = [
        CustomerActivity(
            customer=row.customer, kind=row.kind, at=row.at, sku=row.product, text=row.text
        )
        for row in connection.execute(newest)
    ]
    return found[::-1]


_TICKETS = sa.select(*(column for column in d.tickets.c if column.name != "reference"))
"""What a ticket says; by which mail it came is for the answer's headers alone."""
_TICKET = _TICKETS.where(d.tickets.c.id == sa.bindparam("ticket_id"))


def ticket(connection: Connection, ticket_id: str) -> Ticket:
    """Return the ticket, or raise `NotFound`."""
    rows = connection.execute(_TICKET, {"ticket_id": ticket_id}).all()
    if not (found := _tickets(connection, rows)):
        raise NotFound("ticket", ticket_id)
    return found[0]


def tickets(connection: Connection, status: TicketStatus | None, limit: int) -> Sequence[Ticket]:
    """Return tickets of this status (all when None), newest first."""
    of_status = list(TicketStatus) if status is None else [status]
    wanted = {"statuses": of_status, "most": limit}
    return _tickets(connection, connection.execute(_NEWEST_TICKETS, wanted).all())


_NEWEST_TICKETS = (
    _TICKETS.where(d.tickets.c.status.in_(sa.bindparam("statuses", expanding=True)))
    .order_by(d.tickets.c.opened_at.desc(), d.tickets.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def _tickets(connection: Connection, rows: Sequence[Any]) -> list[Ticket]:
    replies: dict[str, list[str]] = {}
    for among in chunks([row.id for row in rows]):
        for ticket_id, text in connection.execute(_REPLIES, {"among": among}):
            replies.setdefault(ticket_id, []).append(text)
    return [
        Ticket(
            **{**row._mapping, "status": TicketStatus(row.status)},
            replies=tuple(replies.get(row.id, ())),
        )
        for row in rows
    ]


def authorizations(
    connection: Connection, currency: str, order_ids: Iterable[int]
) -> Sequence[Authorization]:
    """Return payments set aside for these orders, oldest first."""
    return [
        Authorization(
            order_id=row.order_id,
            reference=row.reference,
            amount=Money.from_minor(row.amount_minor, currency),
            method=row.method,
            at=row.at,
            captured=row.paid is not None,
        )
        for among in chunks(storable(order_ids))
        for row in connection.execute(_AUTHORIZATIONS, {"among": among})
    ]


def payment_methods(connection: Connection) -> Mapping[str, bool]:
    """Return the ways to pay that were ever used or set, and whether each is offered."""
    offered = dict.fromkeys(sorted(row_counts(connection, "authorizations")), True)
    offered.update((row.method, row.enabled) for row in connection.execute(_METHODS))
    return offered


_METHODS = sa.select(d.payment_methods).order_by(d.payment_methods.c.method)


def back_in_stock_subscribers(connection: Connection, sku: str) -> Sequence[str]:
    """Return the customers who asked to be told when the product is back, by id."""
    return connection.scalars(_WAITING, {"sku": sku}).all()


_WAITING = (
    sa.select(d.back_in_stock_subscriptions.c.customer)
    .where(d.back_in_stock_subscriptions.c.product == sa.bindparam("sku"))
    .order_by(d.back_in_stock_subscriptions.c.customer)
)


def suppressed(connection: Connection, addresses: Iterable[str]) -> Mapping[str, str]:
    """Return which of these addresses are written to no more, and why."""
    asked = {address.strip().lower(): address for address in addresses}
    return {
        asked[address]: reason
        for among in chunks(asked)
        for address, reason in connection.execute(_SUPPRESSED, {"among": among})
    }


_SUPPRESSED = sa.select(d.suppressions.c.address, d.suppressions.c.reason).where(
    d.suppressions.c.address.in_(_among)
)
