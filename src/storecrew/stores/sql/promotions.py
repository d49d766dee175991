"""Actions on what is offered: discounts, bundles, recommendations, campaigns, ideas."""

import json
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from storecrew.domain.codec import encode
from storecrew.domain.shop.catalog import SuggestProduct, TrackCompetitorPage
from storecrew.domain.shop.customers import CustomerActivityRecorded, RecordCustomerActivity
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
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.messages import LONGEST, MARKETING
from storecrew.stores.sql.schema import customers_and_offers as d, ledger as t
from storecrew.stores.sql.unit_of_work import UnitOfWork, dumps

_MOST_SKUS = 500
_MOST_SHOWN = 50
_LONGEST_TEXT = 2000
ACTS = ("viewed", "carted", "searched")


def create_discount(unit: UnitOfWork, action: CreateDiscount) -> HandlerResult:
    """Note the code, and that its products will be cheaper."""
    if bad := _bad_discount(action):
        return bad
    if _found(unit, d.discounts.c.code, action.code):
        return refused("already_open", f"there is a discount {action.code!r} already")
    row = {
        "code": action.code,
        "percent": str(action.percent),
        "skus": dumps(action.skus),
        "customers": dumps(action.customers),
        "starts_at": action.starts_at,
        "ends_at": action.ends_at,
    }
    unit.connection.execute(sa.insert(d.discounts), row)
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
    if not 1 <= len(action.skus) <= _MOST_SKUS:
        return invalid("skus", f"a discount is on 1 to {_MOST_SKUS} products")
    if action.ends_at <= action.starts_at:
        return invalid("ends_at", "is not after the start")
    return None


def end_discount(unit: UnitOfWork, action: EndDiscount) -> HandlerResult:
    """Let the code end now."""
    ends = sa.select(d.discounts.c.ends_at).where(d.discounts.c.code == action.code)
    was = unit.connection.execute(ends).scalar()
    if was is None:
        return unknown("discount", action.code)
    if was > unit.now:
        here = d.discounts.c.code == action.code
        unit.connection.execute(sa.update(d.discounts).where(here).values(ends_at=unit.now))
        unit.publish(DiscountEnded(code=action.code))
    return done(before={"ends_at": encode(was)}, after={"ends_at": encode(min(was, unit.now))})


def offer_bundle(unit: UnitOfWork, action: OfferBundle) -> HandlerResult:
    """Offer the products together, or at another price than before."""
    bad = bad_name("name", action.name) or bad_amount(unit, "price", action.price, least=1)
    if bad := bad or _bad_skus(unit, action.skus, least=2, most=10):
        return bad
    was = _bundle(unit, action.name)
    here = d.bundles.c.name == action.name
    unit.connection.execute(sa.delete(d.bundles).where(here))
    row = {"name": action.name, "skus": dumps(action.skus), "price_minor": action.price.minor}
    unit.connection.execute(sa.insert(d.bundles), row)
    after = {"skus": list(action.skus), "price": unit.json(action.price.minor)}
    price = action.price.rounded()
    unit.publish(BundleChanged(name=action.name, skus=action.skus, price=price))
    return done(before={"bundle": was}, after={"bundle": after})


def withdraw_bundle(unit: UnitOfWork, action: WithdrawBundle) -> HandlerResult:
    """Take the bundle off the window."""
    if (was := _bundle(unit, action.name)) is None:
        return unknown("bundle", action.name)
    unit.connection.execute(sa.delete(d.bundles).where(d.bundles.c.name == action.name))
    unit.publish(BundleChanged(name=action.name))
    return done(before={"bundle": was}, after={"bundle": None})


def _bundle(unit: UnitOfWork, name: str) -> dict[str, Any] | None:
    row = unit.connection.execute(sa.select(d.bundles).where(d.bundles.c.name == name)).first()
    if row is None:
        return None
    return {"skus": json.loads(row.skus), "price": unit.json(row.price_minor)}


def set_recommendations(unit: UnitOfWork, action: SetRecommendations) -> HandlerResult:
    """Show these products in the place."""
    kind, _, key = action.place.partition(":")
    if kind not in ("home", "product", "customer") or (kind == "home") == bool(key):
        return invalid("place", f"{action.place!r} is not home, product:<sku> or customer:<id>")
    if bad := bad_name("place", action.place) or _bad_skus(unit, action.skus, most=_MOST_SHOWN):
        return bad
    here = d.recommendations.c.place == action.place
    was = unit.connection.execute(sa.select(d.recommendations.c.skus).where(here)).scalar()
    unit.connection.execute(sa.delete(d.recommendations).where(here))
    row = {"place": action.place, "skus": dumps(action.skus), "at": unit.now}
    unit.connection.execute(sa.insert(d.recommendations), row)
    unit.publish(RecommendationsChanged(place=action.place, skus=action.skus))
    return done(before={"skus": json.loads(was or "[]")}, after={"skus": list(action.skus)})


def start_campaign(unit: UnitOfWork, action: StartCampaign) -> HandlerResult:
    """Queue a message to each recipient who agrees to marketing, once for ever."""
    if bad := _bad_campaign(unit, action):
        return bad
    if _found(unit, d.campaigns.c.name, action.name):
        return refused("already_open", f"there was a campaign {action.name!r} already")
    agreed = _agreeing(unit, action.recipients)
    words = {"name": action.name, "segment": action.segment, "title": action.title}
    times = {"body": action.body, "started_at": unit.now, "ends_at": action.ends_at}
    unit.connection.execute(sa.insert(d.campaigns), words | times)
    parts = dict.fromkeys(action.holdout, "holdout")
    parts |= {each: "recipient" if each in agreed else "left out" for each in action.recipients}
    members = [{"campaign": action.name, "customer": each, "part": parts[each]} for each in parts]
    unit.connection.execute(sa.insert(d.campaign_members), members)
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


def suggest_product(unit: UnitOfWork, action: SuggestProduct) -> HandlerResult:
    """Put the idea on the owner's list, once."""
    if bad := bad_name("name", action.name) or _bad_text("reason", action.reason):
        return bad
    if _found(unit, d.product_suggestions.c.name, action.name):
        return refused("already_open", f"{action.name!r} was suggested before")
    row = {"name": action.name, "reason": action.reason, "source": action.source[:_LONGEST_TEXT]}
    unit.connection.execute(sa.insert(d.product_suggestions), row | {"suggested_at": unit.now})
    return done(after={"name": action.name})


def track_competitor_page(unit: UnitOfWork, action: TrackCompetitorPage) -> HandlerResult:
    """Track the page; it replaces another page of the same competitor for the product."""
    if bad := bad_name("competitor", action.competitor) or _bad_text("url", action.url):
        return bad
    if not action.url.startswith(("https://", "http://")):
        return invalid("url", "does not begin with https:// or http://")
    if bad := _bad_skus(unit, (action.sku,)):
        return bad
    here = (
        d.competitor_pages.c.product == action.sku,
        d.competitor_pages.c.competitor == action.competitor,
    )
    was = unit.connection.execute(sa.select(d.competitor_pages.c.url).where(*here)).scalar()
    unit.connection.execute(sa.delete(d.competitor_pages).where(*here))
    row = {"product": action.sku, "competitor": action.competitor, "url": action.url}
    unit.connection.execute(sa.insert(d.competitor_pages), row)
    return done(before={"url": was}, after={"url": action.url})


def record_customer_activity(unit: UnitOfWork, action: RecordCustomerActivity) -> HandlerResult:
    """Note what the customer did."""
    if action.kind not in ACTS:
        return invalid("kind", f"{action.kind!r} is not one of {', '.join(ACTS)}")
    if bad := bad_name("customer", action.customer) or _bad_text("text", action.text, least=0):
        return bad
    if (action.kind == "searched") != bool(action.text) or (
        action.kind != "searched" and bool(bad_name("sku", action.sku))
    ):
        return invalid("kind", "a search has a text, everything else a product")
    what = {"customer": action.customer, "kind": action.kind}
    unit.add(
        d.customer_activity, {**what, "product": action.sku, "text": action.text, "at": unit.now}
    )
    unit.publish(CustomerActivityRecorded(**what, sku=action.sku, text=action.text))
    return done()


def _found(unit: UnitOfWork, column: sa.Column[Any], key: str) -> bool:
    return unit.connection.execute(sa.select(column).where(column == key)).first() is not None


def _bad_skus(
    unit: UnitOfWork, skus: tuple[str, ...], *, least: int = 0, most: int = _MOST_SKUS
) -> HandlerResult | None:
    if not least <= len(skus) <= most or len(set(skus)) < len(skus):
        return invalid("skus", f"are {least} to {most} products, each named once")
    known = sa.select(t.products.c.sku).where(t.products.c.sku.in_(skus))
    missing = set(skus) - set(unit.connection.scalars(known))
    return unknown("product", min(missing)) if missing else None


def _bad_text(field: str, text: str, *, least: int = 1) -> HandlerResult | None:
    if not least <= len(text) <= _LONGEST_TEXT:
        return invalid(field, f"has {least} to {_LONGEST_TEXT} characters")
    return None
