"""Reads of promotions: discounts, bundles, recommendations, campaigns."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.money import Money
from storecrew.domain.shop.promotions import Bundle, Campaign, Discount
from storecrew.stores.sql.schema import tables as t

_SHOWN = sa.select(t.recommendations.c.skus).where(
    t.recommendations.c.place == sa.bindparam("at_place")
)


def discounts(connection: Connection, *, ending_after: datetime) -> Sequence[Discount]:
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
    sa.select(t.discounts)
    .where(t.discounts.c.ends_at > sa.bindparam("after"))
    .order_by(t.discounts.c.code)
)


def bundles(connection: Connection, currency: str) -> Sequence[Bundle]:
    """Return what is offered together now, by name."""
    return [
        Bundle(
            name=row.name,
            skus=tuple(json.loads(row.skus)),
            price=Money.from_minor(row.price_minor, currency),
        )
        for row in connection.execute(sa.select(t.bundles).order_by(t.bundles.c.name))
    ]


def recommendations(connection: Connection, place: str) -> Sequence[str]:
    """Return the SKUs shown in a place, best first."""
    found = connection.execute(_SHOWN, {"at_place": place}).scalar()
    return tuple(json.loads(found or "[]"))


def campaigns(connection: Connection) -> Sequence[Campaign]:
    """Return every campaign, newest first."""
    members: dict[tuple[str, str], list[str]] = {}
    everybody = sa.select(t.campaign_members).order_by(t.campaign_members.c.customer)
    for campaign, customer, part in connection.execute(everybody):
        members.setdefault((campaign, part), []).append(customer)
    newest = sa.select(t.campaigns).order_by(t.campaigns.c.started_at.desc(), t.campaigns.c.name)
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
