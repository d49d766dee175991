"""What personalization looks at: what sells, what goes together, what can be had."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from storecrew.domain.ports.models import Models, ProductAffinity, RecommendedProduct
from storecrew.domain.shop.catalog import Product
from storecrew.models.recommendation import CooccurrenceCounts, count_cooccurrences
from storecrew.sdk import Context

RECENT_DAYS = 28
"""Days of sales behind what sells of late."""
BASKET_DAYS = 90
"""Days of baskets that are counted where nothing was learned yet: a season."""
_SPARE = 3
"""Times as many suggestions are looked at as wanted, as some cannot be sold now."""


@dataclass(frozen=True, kw_only=True)
class StorefrontSnapshot:
    """Everything that places of the shop are filled from."""

    products: Mapping[str, Product]
    for_sale: frozenset[str]
    """Priced, and on the shelf where stock is counted."""
    units: Mapping[str, int]
    """Sold of late."""
    counted: CooccurrenceCounts | None
    """What was bought together, where nothing was learned."""
    models: Models

    def partners(self, sku: str, count: int) -> list[RecommendedProduct]:
        """Return what goes with a product and can be had, best first."""
        if self.counted is not None:
            found = self.counted.partners(sku, _SPARE * count)
        else:
            found = self.models.related_products([sku], _SPARE * count)
        return [s for s in found if s.because_of and s.sku in self.for_sale and s.sku != sku][
            :count
        ]

    def pairs(self, count: int) -> Sequence[ProductAffinity]:
        """Return what is bought together beyond chance, the most telling first."""
        if self.counted is not None:
            return self.counted.proven(count)
        return self.models.product_affinities(count)

    def best(self, count: int) -> list[RecommendedProduct]:
        """Return what earned most of late and can be had; an unknown cost counts as none."""
        earned = {sku: self._earned(sku) for sku in self.units if sku in self.for_sale}
        order = sorted(earned, key=lambda sku: (-earned[sku], sku))
        rest = sorted(self.for_sale - earned.keys()) if len(order) < count else []
        return [
            RecommendedProduct(sku=sku, score=earned.get(sku, 0.0), reason=self._sold(sku))
            for sku in [*order, *rest][:count]
        ]

    def _sold(self, sku: str) -> str:
        units = self.units.get(sku, 0)
        return f"{units} sold in four weeks" if units else "to be had, and not sold of late"

    def busiest(self) -> list[str]:
        """Return products by what they sold of late."""
        return sorted(self.units, key=lambda sku: (-self.units[sku], sku))

    def _earned(self, sku: str) -> float:
        product = self.products[sku]
        cost = product.cost.amount if product.cost is not None else 0
        return self.units[sku] * max(0.0, float(product.price.amount - cost))


async def load_snapshot(ctx: Context) -> StorefrontSnapshot:
    """Look at the whole shop; at its baskets too, where nothing was learned of them."""
    today = ctx.now.date()
    yesterday = today - timedelta(days=1)
    sales = await ctx.store.daily_sales(today - timedelta(days=RECENT_DAYS), yesterday)
    counted = None
    if not ctx.models.product_affinities(1):
        lines = await ctx.store.sold_lines(today - timedelta(days=BASKET_DAYS), yesterday)
        orders: dict[int, list[str]] = {}
        for order, sku in zip(lines.orders, lines.skus, strict=True):
            orders.setdefault(order, []).append(sku)
        counted = count_cooccurrences(orders.values(), days=BASKET_DAYS)
    return await _window(ctx, None, sales.units, counted)


async def look_at(ctx: Context, skus: Collection[str]) -> StorefrontSnapshot:
    """Look at a few products."""
    return await _window(ctx, skus, {}, None)


async def _window(
    ctx: Context,
    skus: Collection[str] | None,
    sold: Mapping[str, Sequence[int]],
    counted: CooccurrenceCounts | None,
) -> StorefrontSnapshot:
    products = {product.sku: product for product in await ctx.store.products(skus)}
    available: dict[str, int] = {}
    for level in await ctx.store.stock(skus):
        available[level.sku] = available.get(level.sku, 0) + level.available
    return StorefrontSnapshot(
        products=products,
        for_sale=frozenset(sku for sku, each in products.items() if _can_be_had(each, available)),
        units={sku: sum(row) for sku, row in sold.items() if sku in products},
        counted=counted,
        models=ctx.models,
    )


def _can_be_had(product: Product, available: Mapping[str, int]) -> bool:
    on_shelf = not product.stocked or available.get(product.sku, 0) > 0
    return product.price.amount > 0 and on_shelf
