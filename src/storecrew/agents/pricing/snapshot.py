"""The pricing agent's snapshot: products, sales, stock, own and competitors' prices."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from storecrew.agents.pricing.limits import implausibility_reason
from storecrew.domain.ports.models import DemandForecast, Elasticity, PriceHistory
from storecrew.domain.shop.catalog import PriceChange, Product
from storecrew.domain.shop.orders import DailySales
from storecrew.models.price_days import daily_prices, price_histories
from storecrew.sdk import Context

HISTORY_DAYS = 84
"""Twelve weeks of sales and own prices: older answers to prices come from another season."""
_TEACHERS = 2000
"""Other products that a question about a few learns from, at most."""


@dataclass(frozen=True, kw_only=True)
class PricingSnapshot:
    """The shop as the pricing agent sees it, by SKU."""

    now: datetime
    products: Sequence[Product]
    forecasts: Mapping[str, DemandForecast]
    available: Mapping[str, int]
    changes: Mapping[str, Sequence[PriceChange]]
    competitor_prices: Mapping[str, Sequence[float]]
    """Trusted prices only."""
    elasticities: Mapping[str, Elasticity]
    unknown: Elasticity
    """For a product whose price never moved."""

    def competitor_median(self, sku: str) -> float | None:
        """Return the median of plausible competitor prices."""
        observed = self.competitor_prices.get(sku)
        return float(median(observed)) if observed else None

    def elasticity(self, sku: str) -> Elasticity:
        """Return how the product's demand answers to its price."""
        return self.elasticities.get(sku, self.unknown)


async def load_snapshot(ctx: Context, skus: Collection[str] | None) -> PricingSnapshot:
    """Read what prices are decided on, for these products (all when None).

    Elasticities are learned from other products too, even where only a few are asked about.
    """
    first = ctx.now.date() - timedelta(days=HISTORY_DAYS)
    last = ctx.now.date() - timedelta(days=1)
    products = await ctx.store.products(skus)
    changes = await _changes(ctx, skus)
    moved = {sku: each for sku, each in changes.items() if any(c.previous for c in each)}
    read = None if skus is None else sorted({*skus, *moved})
    sales = await ctx.store.daily_sales(first, last, read)
    known, unknown = _elasticities(ctx, moved, sales)
    available: dict[str, int] = {}
    for level in await ctx.store.stock(skus):
        available[level.sku] = available.get(level.sku, 0) + level.available
    return PricingSnapshot(
        now=ctx.now,
        products=products,
        forecasts=ctx.models.forecast_many(sales.units),
        available=available,
        changes=changes,
        competitor_prices=await _competitor_prices(ctx, products, skus),
        elasticities=known,
        unknown=unknown,
    )


async def _changes(ctx: Context, skus: Collection[str] | None) -> dict[str, list[PriceChange]]:
    """Return price changes of these products, and of as many others as are worth learning from."""
    changes: dict[str, list[PriceChange]] = {}
    for change in await ctx.store.price_changes(ctx.now - timedelta(days=HISTORY_DAYS)):
        changes.setdefault(change.sku, []).append(change)
    if skus is None:
        return changes
    kept = {*skus, *sorted(changes)[:_TEACHERS]}
    return {sku: each for sku, each in changes.items() if sku in kept}


async def _competitor_prices(
    ctx: Context, products: Sequence[Product], skus: Collection[str] | None
) -> dict[str, list[float]]:
    by_sku = {product.sku: product for product in products}
    prices: dict[str, list[float]] = {}
    for seen in await ctx.store.competitor_prices(skus):
        product = by_sku.get(seen.sku)
        if product is not None and implausibility_reason(seen.price, product) is None:
            prices.setdefault(seen.sku, []).append(float(seen.price.amount))
    return prices


def _elasticities(
    ctx: Context, moved: Mapping[str, Sequence[PriceChange]], sales: DailySales
) -> tuple[dict[str, Elasticity], Elasticity]:
    """Learn from the shop's own price changes; the last answer is for products without any."""
    prices = {
        sku: daily_prices(each, sales.first, sales.days)
        for sku, each in moved.items()
        if sku in sales.units
    }
    nothing = PriceHistory(prices=(), units=())
    found = ctx.models.elasticities([*price_histories(sales.units, prices), nothing])
    return dict(zip(prices, found, strict=False)), found[-1]
