"""Proposes price changes that pay: daily, and on new competitor prices and costs."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from storecrew.agents.pricing.limits import implausibility_reason
from storecrew.agents.pricing.plan import propose_price_changes
from storecrew.agents.pricing.settings import PricingSettings
from storecrew.agents.pricing.snapshot import load_snapshot
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import (
    CompetitorPriceObserved,
    CostChanged,
    ObservationRejected,
    Product,
    SetPrice,
)
from storecrew.sdk import Context, Proposals, agent, every


@agent(
    name="pricing_optimizer",
    on=[CompetitorPriceObserved, CostChanged],
    schedule=every(days=1, offset=timedelta(0)),
    allowed_actions=[SetPrice],
    publishes=[ObservationRejected],
    batch=500,
    batch_window=timedelta(seconds=2),
    settings=PricingSettings,
    capabilities=["pricing"],
    tags=["daily"],
)
async def pricing_optimizer(events: Sequence[Event], ctx: Context[PricingSettings]) -> Proposals:
    """Move prices towards what earns most: a little at a time, never below cost plus margin.

    Rivals only ever hold a rise back; a price of theirs that is too odd to be true is reported
    and counts for nothing. With the setting `explore: true`, prices also move to learn.
    """
    news = {e.sku for e in events if isinstance(e, CompetitorPriceObserved | CostChanged)}
    whole = any(isinstance(e, ClockTicked | RunRequested) for e in events)
    shop = await load_snapshot(ctx, None if whole else sorted(news))
    for rejected in _rejected(events, {product.sku: product for product in shop.products}):
        yield rejected
    for proposal in propose_price_changes(shop, ctx.settings, ctx.models, urgent={*_costs(events)}):
        yield proposal


def _costs(events: Sequence[Event]) -> set[str]:
    return {event.sku for event in events if isinstance(event, CostChanged)}


def _rejected(
    events: Sequence[Event], products: Mapping[str, Product]
) -> list[ObservationRejected]:
    """Return an event for each competitor price that is too implausible to act on."""
    found = []
    for event in events:
        if not isinstance(event, CompetitorPriceObserved) or event.sku not in products:
            continue
        if (reason := implausibility_reason(event.price, products[event.sku])) is not None:
            found.append(
                ObservationRejected(
                    sku=event.sku,
                    what=f"price of {event.competitor}",
                    value=str(event.price),
                    reason=reason,
                )
            )
    return found
