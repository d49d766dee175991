"""Handlers of promotions: discounts, bundles, recommendations, campaigns."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from storecrew.domain.codec import encode
from storecrew.domain.shop.messages import MARKETING
from storecrew.domain.shop.promotions import (
    BundleChanged,
    CampaignStarted,
    CreateDiscount,
    DiscountCreated,
    DiscountEnded,
    EndDiscount,
    OfferBundle,
    RecommendationsChanged,
    SetRecommendations,
    StartCampaign,
    WithdrawBundle,
)
from storecrew.stores.sql.checks import bad_amount, bad_name
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.lookups import MAX_SKUS, bad_skus, row_exists
from storecrew.stores.sql.handlers.messages import LONGEST
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork, dumps

_MOST_SHOWN = 50


def create_discount(unit: UnitOfWork, action: CreateDiscount) -> HandlerResult:
    """Note the code, and that its products will be cheaper."""
    if bad := _bad_discount(action):
        return bad
    if row_exists(unit, t.discounts.c.code, action.code):
        return refused("already_open", f"there is a discount {action.code!r} already")
    row = {
        "code": action.code,
        "percent": str(action.percent),
        "skus": dumps(action.skus),
        "customers": dumps(action.customers),
        "starts_at": action.starts_at,
        "ends_at": action.ends_at,
    }
    unit.connection.execute(sa.insert(t.discounts), row)
    unit.publish(
        DiscountCreated(
            code=action.code,
            skus=action.skus,
            percent=action.percent,
            starts_at=action.starts_at,
            ends_at=action.ends_at,
        )
    )
    return done(after={"code": action.code, "percent": str(action.percent)})


def _bad_discount(action: CreateDiscount) -> HandlerResult | None:
    if bad := bad_name("code", action.code):
        return bad
    if not Decimal(0) < action.percent < Decimal(100):
        return invalid("percent", f"{action.percent} is not above 0 and below 100")
    if not 1 <= len(action.skus) <= MAX_SKUS:
        return invalid("skus", f"a discount is on 1 to {MAX_SKUS} products")
    if action.ends_at <= action.starts_at:
        return invalid("ends_at", "is not after the start")
    return None


def end_discount(unit: UnitOfWork, action: EndDiscount) -> HandlerResult:
    """Let the code end now."""
    ends = sa.select(t.discounts.c.ends_at).where(t.discounts.c.code == action.code)
    was = unit.connection.execute(ends).scalar()
    if was is None:
        return unknown("discount", action.code)
    if was > unit.now:
        here = t.discounts.c.code == action.code
        unit.connection.execute(sa.update(t.discounts).where(here).values(ends_at=unit.now))
        unit.publish(DiscountEnded(code=action.code))
    return done(before={"ends_at": encode(was)}, after={"ends_at": encode(min(was, unit.now))})


def offer_bundle(unit: UnitOfWork, action: OfferBundle) -> HandlerResult:
    """Offer the products together, or at another price than before."""
    bad = bad_name("name", action.name) or bad_amount(unit, "price", action.price, least=1)
    if bad := bad or bad_skus(unit, action.skus, least=2, most=10):
        return bad
    was = _bundle(unit, action.name)
    here = t.bundles.c.name == action.name
    unit.connection.execute(sa.delete(t.bundles).where(here))
    row = {"name": action.name, "skus": dumps(action.skus), "price_minor": action.price.minor}
    unit.connection.execute(sa.insert(t.bundles), row)
    after = {"skus": list(action.skus), "price": unit.json(action.price.minor)}
    price = action.price.rounded()
    unit.publish(BundleChanged(name=action.name, skus=action.skus, price=price))
    return done(before={"bundle": was}, after={"bundle": after})


def withdraw_bundle(unit: UnitOfWork, action: WithdrawBundle) -> HandlerResult:
    """Take the bundle off the window."""
    if (was := _bundle(unit, action.name)) is None:
        return unknown("bundle", action.name)
    unit.connection.execute(sa.delete(t.bundles).where(t.bundles.c.name == action.name))
    unit.publish(BundleChanged(name=action.name))
    return done(before={"bundle": was}, after={"bundle": None})


def _bundle(unit: UnitOfWork, name: str) -> dict[str, Any] | None:
    row = unit.connection.execute(sa.select(t.bundles).where(t.bundles.c.name == name)).first()
    if row is None:
        return None
    return {"skus": json.loads(row.skus), "price": unit.json(row.price_minor)}


def set_recommendations(unit: UnitOfWork, action: SetRecommendations) -> HandlerResult:
    """Show these products in the place."""
    kind, _, key = action.place.partition(":")
    if kind not in ("home", "product", "customer") or (kind == "home") == bool(key):
        return invalid("place", f"{action.place!r} is not home, product:<sku> or customer:<id>")
    if bad := bad_name("place", action.place) or bad_skus(unit, action.skus, most=_MOST_SHOWN):
        return bad
    here = t.recommendations.c.place == action.place
    was = unit.connection.execute(sa.select(t.recommendations.c.skus).where(here)).scalar()
    unit.connection.execute(sa.delete(t.recommendations).where(here))
    row = {"place": action.place, "skus": dumps(action.skus), "at": unit.now}
    unit.connection.execute(sa.insert(t.recommendations), row)
    unit.publish(RecommendationsChanged(place=action.place, skus=action.skus))
    return done(before={"skus": json.loads(was or "[]")}, after={"skus": list(action.skus)})


def start_campaign(unit: UnitOfWork, action: StartCampaign) -> HandlerResult:
    """Queue a message to each recipient who agrees to marketing, once for ever."""
    if bad := _bad_campaign(unit, action):
        return bad
    if row_exists(unit, t.campaigns.c.name, action.name):
        return refused("already_open", f"there was a campaign {action.name!r} already")
    agreed = _agreeing(unit, action.recipients)
    words = {"name": action.name, "segment": action.segment, "title": action.title}
    times = {"body": action.body, "started_at": unit.now, "ends_at": action.ends_at}
    unit.connection.execute(sa.insert(t.campaigns), words | times)
    parts = dict.fromkeys(action.holdout, "holdout")
    parts |= {each: "recipient" if each in agreed else "left out" for each in action.recipients}
    members = [{"campaign": action.name, "customer": each, "part": parts[each]} for each in parts]
    unit.connection.execute(sa.insert(t.campaign_members), members)
    if rows := [_letter(unit, action, each) for each in action.recipients if each in agreed]:
        unit.connection.execute(sa.insert(t.messages), rows)
    told, spared = len(agreed), len(action.holdout)
    unit.publish(CampaignStarted(campaign=action.name, recipients=told, holdout=spared))
    left_out = len(action.recipients) - told
    return done(after={"queued": told, "holdout": spared, "left_out": left_out})


def _letter(unit: UnitOfWork, action: StartCampaign, customer: str) -> dict[str, Any]:
    return {
        "customer": customer,
        "purpose": MARKETING,
        "title": action.title,
        "body": action.body,
        "at": unit.now,
        "topic": f"campaign:{action.name}",
        "campaign": action.name,
    }


def _bad_campaign(unit: UnitOfWork, action: StartCampaign) -> HandlerResult | None:
    if bad := bad_name("name", action.name) or bad_name("title", action.title):
        return bad
    if not 1 <= len(action.body) <= LONGEST:
        return invalid("body", f"has 1 to {LONGEST} characters")
    everybody = [*action.recipients, *action.holdout]
    if not action.recipients or len(set(everybody)) < len(everybody):
        return invalid("recipients", "are at least one, and each named once")
    return invalid("ends_at", "is over already") if action.ends_at <= unit.now else None


def _agreeing(unit: UnitOfWork, customers: Iterable[str]) -> set[str]:
    """Return those who agree to marketing at this moment; their rows are locked."""
    who = sa.select(t.customers.c.id).where(
        t.customers.c.id.in_(sa.bindparam("among", expanding=True)),
        t.customers.c.marketing_consent,
    )
    agreed: set[str] = set()
    for among in chunks(customers):
        found = unit.connection.execute(who.with_for_update(), {"among": among})
        agreed.update(row[0] for row in found)
    return agreed
