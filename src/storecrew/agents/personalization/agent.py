"""The shop's window: what goes together, for everybody and for who is looking now."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from storecrew.agents.personalization import offers, snapshot
from storecrew.agents.personalization.placements import place
from storecrew.agents.personalization.settings import PersonalizationSettings
from storecrew.agents.personalization.snapshot import StorefrontSnapshot
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.events import Event
from storecrew.domain.ports.models import RecommendedProduct
from storecrew.domain.shop.customers import CustomerActivityRecorded
from storecrew.domain.shop.orders import OrderQuery, purchase_counts
from storecrew.domain.shop.promotions import (
    CreateDiscount,
    OfferBundle,
    SetRecommendations,
    WithdrawBundle,
)
from storecrew.sdk import Context, Proposals, agent, every

_LOOKED_AT = 200
"""Products whose places are looked at in one run; each is a question to the store."""
_OLD_ORDERS = 50
_CART_DAYS = (1, 7)
"""Days after which something left in a cart is forgotten, and is too old to speak of."""
_OFFERED_DAYS = 60
"""Days within which a customer gets one personal offer at most."""


@agent(
    on=CustomerActivityRecorded,
    schedule=every(days=1, offset=timedelta(hours=4)),
    allowed_actions=[SetRecommendations, OfferBundle, WithdrawBundle, CreateDiscount],
    batch=500,
    batch_window=timedelta(seconds=5),
    settings=PersonalizationSettings,
    capabilities=["personalization"],
    tags=["daily"],
)
async def personalization(
    events: Sequence[Event], ctx: Context[PersonalizationSettings]
) -> Proposals:
    """Show what is bought together, and offer pairs for less where that earns more than it costs.

    Who just looked at something is shown what goes with it; once a day the whole window and the
    bundles are gone through. Prices differ by customer only where the settings say so.
    """
    settings = ctx.settings
    acted = [event for event in events if isinstance(event, CustomerActivityRecorded) and event.sku]
    places = [p async for p in _customers(acted, ctx, settings)] if acted else []
    whole = any(isinstance(event, ClockTicked | RunRequested) for event in events)
    window = await snapshot.load_snapshot(ctx) if whole else None
    if window is not None:
        places += [p async for p in _window(window, ctx, settings)]
    for shown in places[: settings.max_placements]:
        yield shown
    if window is not None:
        async for offer in _offers(window, ctx, settings):
            yield offer


async def _offers(
    window: StorefrontSnapshot,
    ctx: Context[PersonalizationSettings],
    settings: PersonalizationSettings,
) -> Proposals:
    """Propose bundles, and offers to single customers where the settings allow them."""
    offered = await ctx.store.bundles()
    for proposal in offers.old_bundles(window, offered, settings):
        yield proposal
    for proposal in offers.new_bundles(window, offered, settings):
        yield proposal
    if settings.personal_offers:
        carts = await _left_carts(window, ctx)
        for proposal in offers.personal(carts, window, ctx.now, settings):
            yield proposal


async def _window(
    window: StorefrontSnapshot,
    ctx: Context[PersonalizationSettings],
    settings: PersonalizationSettings,
) -> Proposals:
    """Propose the home page, then the busiest products' places."""
    shown = await ctx.store.recommendations("home")
    home = place("home", window.best(settings.max_products), shown, window, settings)
    if home is not None:
        yield home
    for sku in window.busiest()[:_LOOKED_AT]:
        name = f"product:{sku}"
        shown = await ctx.store.recommendations(name)
        found = window.partners(sku, settings.max_products)
        if (proposal := place(name, found, shown, window, settings)) is not None:
            yield proposal


async def _customers(
    acted: Sequence[CustomerActivityRecorded],
    ctx: Context[PersonalizationSettings],
    settings: PersonalizationSettings,
) -> Proposals:
    """Propose what is shown to those who looked at products, who did most first."""
    seen: dict[str, list[str]] = {}
    for event in acted:
        seen.setdefault(event.customer, []).insert(0, event.sku)
    busy = sorted(seen, key=lambda customer: (-len(seen[customer]), customer))
    found = {
        customer: await _for(customer, list(dict.fromkeys(seen[customer])), ctx, settings)
        for customer in busy[: settings.max_placements]
    }
    shown = {who: await ctx.store.recommendations(f"customer:{who}") for who in found}
    skus = {each.sku for some in found.values() for each in some}
    window = await snapshot.look_at(ctx, skus.union(*shown.values()))
    for customer, some in found.items():
        here = [s for s in some if s.sku in window.for_sale and s.sku not in seen[customer]]
        name = f"customer:{customer}"
        if (proposal := place(name, here, shown[customer], window, settings)) is not None:
            yield proposal


async def _for(
    customer: str,
    seen: Sequence[str],
    ctx: Context[PersonalizationSettings],
    settings: PersonalizationSettings,
) -> list[RecommendedProduct]:
    """Return what goes with what was looked at, then what past orders suggest, then the best.

    Each product once, with its first reason.
    """
    spare = 2 * settings.max_products
    found = [each for each in ctx.models.related_products(seen, spare) if each.because_of]
    if not found:
        for sku in seen[:5]:
            found += await _shown(f"product:{sku}", f"shown beside {sku}", ctx)
    if len(found) < spare and (bought := await _bought(customer, ctx)):
        found += ctx.models.recommend_for_customer(bought, spare, ctx.now.date())
    if len(found) < spare:
        found += await _shown("home", "sells well", ctx)
    once = {each.sku: each for each in reversed(found)}
    return [once[sku] for sku in dict.fromkeys(each.sku for each in found)]


async def _shown(
    name: str, why: str, ctx: Context[PersonalizationSettings]
) -> list[RecommendedProduct]:
    shown = await ctx.store.recommendations(name)
    return [RecommendedProduct(sku=sku, score=1.0, reason=why) for sku in shown]


async def _bought(
    customer: str, ctx: Context[PersonalizationSettings]
) -> Mapping[str, tuple[float, int]]:
    """Return how often the customer bought each product, and on which day last."""
    page = await ctx.store.orders(OrderQuery(customer=customer, per_page=_OLD_ORDERS))
    return purchase_counts(page.items)


async def _left_carts(
    window: StorefrontSnapshot, ctx: Context[PersonalizationSettings]
) -> Mapping[str, str]:
    """Return per customer what was put into a cart some days ago and not ordered since.

    Only of customers who agreed to marketing, and had no personal offer lately.
    """
    soon, late = (ctx.now - timedelta(days=days) for days in _CART_DAYS)
    since = ctx.now - timedelta(days=_OFFERED_DAYS)
    given = {c for d in await ctx.store.discounts(ending_after=since) for c in d.customers}
    agreed = {each.id for each in await ctx.store.customers() if each.marketing_consent}
    ordered = await ctx.store.customer_spend(late, ctx.now)
    return {
        act.customer: act.sku
        for act in await ctx.store.customer_activity(late)
        if act.kind == "carted"
        and act.at <= soon
        and act.customer in agreed - given
        and act.customer not in ordered
        and act.sku in window.products
    }
