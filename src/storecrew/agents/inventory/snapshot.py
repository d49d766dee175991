"""What the inventory agent looks at: shelves, demand, terms of purchase, deliveries under way."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from storecrew.agents.inventory.settings import InventorySettings
from storecrew.domain.money import Money
from storecrew.domain.ports.models import DemandForecast, ReplenishmentPolicy, ReplenishmentQuery
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE, Shipment, StockLevel
from storecrew.domain.shop.purchasing import PurchaseOrder
from storecrew.models.promotion_forecast import outlook
from storecrew.sdk import Context

HISTORY_DAYS = 112
"""Days of sales looked at: the spread of demand is steady over about so long."""
UNKNOWN_LEAD_DAYS = 7.0
"""Lead time, in days, assumed for a product whose supplier is not known."""
SHIPPED_DAYS = 56
"""Days of shipments that tell from where a product leaves: eight of each weekday."""
QUANTILES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles that stand for the whole distribution when a shortfall is averaged."""


@dataclass(frozen=True, kw_only=True)
class ProductSituation:
    """Everything that is known of one product's stock."""

    product: Product
    levels: Sequence[StockLevel]
    forecast: DemandForecast
    terms: ReplenishmentQuery
    advice: ReplenishmentPolicy
    assumed_lead: bool
    shares: Mapping[str, float]
    """The part of demand that leaves from each warehouse; they sum to one."""
    assumed_shares: bool
    open: Sequence[PurchaseOrder] = ()
    """Purchases under way."""
    accuracy: Mapping[str, float | str]

    @property
    def position(self) -> int:
        """Units available in all warehouses."""
        return sum(level.available for level in self.levels)

    @property
    def quantity(self) -> int:
        """Units to buy now."""
        return self.advice.quantity(self.position)

    @property
    def margin(self) -> Money | None:
        """What a sold unit earns, or None where the cost is not known."""
        product = self.product
        if product.cost is None or product.cost.currency != product.price.currency:
            return None
        margin = product.price - product.cost
        return margin if margin.amount > 0 else None

    def cover(self, q: float) -> float:
        """Return the days that the position lasts if demand is at its q-quantile."""
        return self._lasts(self.position, q, 1.0)

    def cover_in(self, level: StockLevel) -> float:
        """Return the days that a warehouse's units last at the usual demand there."""
        return self._lasts(level.available, 0.5, self.shares.get(level.warehouse, 0.0))

    def demands(self, days: float) -> list[float]:
        """Return units sold over so many days at each of `QUANTILES`."""
        return [self.forecast.quantile(q, days) for q in QUANTILES]

    def short(self, days: float) -> list[float]:
        """Return the units that would be missing after so many days, at each of `QUANTILES`."""
        return [max(0.0, sold - max(0, self.position)) for sold in self.demands(days)]

    def assumptions(self) -> tuple[str, ...]:
        """Return the names of the values that a purchase assumes because they are not recorded."""
        found = [*self.product.assumed]
        if self.product.cost is None:
            found.append("cost")
        if self.assumed_lead:
            found.append("supplier")
        return tuple(_NAMES.get(name, name) for name in dict.fromkeys(found))

    def _lasts(self, units: int, q: float, share: float) -> float:
        week = self.forecast.quantile(q, 7) / 7 * share
        return max(0, units) / week if week > 0 else math.inf


_NAMES = {"stock": "stock level"}
"""Fields of a product whose name alone would not tell an owner what is meant."""


async def load_snapshot(
    ctx: Context[InventorySettings], skus: Collection[str]
) -> list[ProductSituation]:
    """Return the cases of these products, as far as they are stocked and sell."""
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(
        today - timedelta(days=HISTORY_DAYS), today - timedelta(days=1), skus
    )
    discounts = await ctx.store.discounts(ending_after=ctx.now)
    forecasts = outlook(ctx.models, sales.units, now=ctx.now, discounts=discounts)
    levels = by_product(await ctx.store.stock(skus))
    shipped = await _shipped(ctx, today) if any(map(_spread, levels.values())) else ()
    suppliers = {supplier.id: supplier for supplier in await ctx.store.suppliers()}
    under_way: dict[str, list[PurchaseOrder]] = {}
    for purchase in await ctx.store.purchase_orders():
        under_way.setdefault(purchase.sku, []).append(purchase)
    cases = []
    for product in await ctx.store.products(skus):
        forecast = forecasts.get(product.sku)
        if forecast is None or not product.stocked:
            continue
        supplier = suppliers.get(product.supplier or "")
        terms = ReplenishmentQuery(
            lead_days=supplier.lead_time_days if supplier else UNKNOWN_LEAD_DAYS,
            lead_sd=supplier.lead_time_sd if supplier else 0.0,
            service=ctx.settings.service,
            pack_size=max(1, product.pack_size),
        )
        here = levels.get(product.sku, ())
        known = _shares([s for s in shipped if s.sku == product.sku], here)
        cases.append(
            ProductSituation(
                product=product,
                levels=here,
                forecast=forecast,
                terms=terms,
                advice=ctx.models.replenishment_policy(forecast, terms),
                assumed_lead=supplier is None,
                shares=known or _assumed_shares(here),
                assumed_shares=not known and _spread(here),
                open=under_way.get(product.sku, ()),
                accuracy=ctx.models.accuracy_of(product.sku),
            )
        )
    return cases


def by_product(levels: Sequence[StockLevel]) -> dict[str, list[StockLevel]]:
    """Return the levels of each product."""
    found: dict[str, list[StockLevel]] = {}
    for level in levels:
        found.setdefault(level.sku, []).append(level)
    return found


async def _shipped(ctx: Context, today: date) -> Sequence[Shipment]:
    first = today - timedelta(days=SHIPPED_DAYS)
    return await ctx.store.shipments(first, today)


def _spread(levels: Sequence[StockLevel]) -> bool:
    return len(levels) > 1


def _shares(shipped: Sequence[Shipment], levels: Sequence[StockLevel]) -> dict[str, float]:
    """Return the part of the units that left from each warehouse; {} where none left."""
    units = {level.warehouse: 0 for level in levels}
    for each in shipped:
        if each.warehouse in units:
            units[each.warehouse] += each.quantity
    total = sum(units.values())
    return {place: part / total for place, part in units.items()} if total else {}


def _assumed_shares(levels: Sequence[StockLevel]) -> dict[str, float]:
    """Return all of the demand for the warehouse that orders are filled from first."""
    places = [level.warehouse for level in levels]
    if not places:
        return {DEFAULT_WAREHOUSE: 1.0}
    first = DEFAULT_WAREHOUSE if DEFAULT_WAREHOUSE in places else fullest(levels)
    return {place: float(place == first) for place in places}


def fullest(levels: Sequence[StockLevel]) -> str:
    """Return the warehouse that holds most of the product."""
    if not levels:
        return DEFAULT_WAREHOUSE
    return max(levels, key=lambda level: (level.on_hand, level.warehouse)).warehouse
