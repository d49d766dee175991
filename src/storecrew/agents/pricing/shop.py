"""What the pricing agent looks at: products, sales, stock, own and rivals' prices."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from storecrew.agents.pricing.guard import oddity
from storecrew.domain.advice import Elasticity, PriceHistory
from storecrew.domain.commerce import DailySales, PriceChange, Product
from storecrew.domain.ports import DemandForecast
from storecrew.models.price_days import daily_prices, price_histories
from storecrew.sdk import Context

HISTORY_DAYS = 84
"""Twelve weeks of sales and own prices: older answers to prices come from another season."""
_TEACHERS = 2000
"""Other products that a question about a few learns from, at most."""


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The shop as the pricing agent sees it, by SKU."""

    now: datetime
    products: Sequence[Product]
    forecasts: Mapping[str, DemandForecast]
    available: Mapping[str, int]
    changes: Mapping[str, Sequence[PriceChange]]
    rivals: Mapping[str, Sequence[float]]
    """Trusted prices only."""
    elasticities: Mapping[str, Elasticity]
    unknown: Elasticity
    """For a product whose price never moved."""

    def rival_median(self, sku: str) -> float | None:
        """Return the middle of what trusted rivals ask."""
        seen = self.rivals.get(sku)
        return float(median(seen)) if seen else None

    def elasticity(self, sku: str) -> Elasticity:
        """Return how the product's demand answers to its price."""
        return self.elasticities.get(sku, self.unknown)


async def look(ctx: Context, skus: Collection[str] | None) -> Shop:
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
    return Shop(
        now=ctx.now,
        products=products,
        forecasts=ctx.models.demands(sales.units),
        available=available,
        changes=changes,
        rivals=await _rivals(ctx, products, skus),
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


async def _rivals(
    ctx: Context, products: Sequence[Product], skus: Collection[str] | None
) -> dict[str, list[float]]:
    by_sku = {product.sku: product for product in products}
    rivals: dict[str, list[float]] = {}
    for seen in await ctx.store.rival_prices(skus):
        product = by_sku.get(seen.sku)
        if product is not None and oddity(seen.price, product) is None:
            rivals.setdefault(seen.sku, []).append(float(seen.price.amount))
    return rivals


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
