"""What marketing looks at: who may be written to, what they bought, what lies too long."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.agents.marketing.expected import PastCampaigns, measured
from storecrew.agents.marketing.segments import HISTORY_DAYS
from storecrew.agents.marketing.settings import MarketingSettings
from storecrew.domain.ports.models import DemandForecast, Models
from storecrew.domain.shop.catalog import Product
from storecrew.domain.shop.customers import CustomerSpend
from storecrew.domain.shop.promotions import Campaign
from storecrew.models.promotion_forecast import outlook
from storecrew.sdk import Context

_SALES_DAYS = 112
_BOUGHT_DAYS = 180
"""Days of orders that tell who buys what: two seasons."""
_WEEK = timedelta(days=7)
_PARTNERS = 5
"""Products that go with an overstocked one, whose buyers are told of it too."""
_MOST_PAST = 12
"""Campaigns of a kind that are learned from: about a year and a half of them."""


@dataclass(frozen=True, kw_only=True)
class CampaignAudience:
    """Who may be written to now, and what customers bought."""

    now: datetime
    allowed: frozenset[str]
    """Agreed to marketing, has an address that takes mail, and got little of late."""
    left_out: Mapping[str, int]
    """How many of those who agreed may not, and why."""
    bought: Mapping[str, CustomerSpend]
    """Within a year up to now."""

    def best_first(self, customers: Sequence[str]) -> list[str]:
        """Return those of them who may be written to, who spent most first."""
        known = [each for each in customers if each in self.allowed]
        return sorted(known, key=lambda each: (-self._spent(each), each))

    def _spent(self, customer: str) -> float:
        each = self.bought.get(customer)
        return float(each.value.amount) if each else 0.0


@dataclass(frozen=True, kw_only=True)
class InventorySnapshot:
    """Products, their stock and demand."""

    products: Mapping[str, Product]
    available: Mapping[str, int]
    forecasts: Mapping[str, DemandForecast]
    units: Mapping[str, Sequence[int]]
    """Sold per day, oldest first, up to yesterday."""

    @property
    def margin(self) -> float:
        """The share of what was sold of late that is left after cost; 0 where no cost is known."""
        earned = sold = 0.0
        for sku, row in self.units.items():
            product = self.products.get(sku)
            if product is not None and product.cost is not None and product.price.amount > 0:
                value = sum(row[-28:]) * float(product.price.amount)
                sold += value
                earned += value * (1 - float(product.cost.amount / product.price.amount))
        return max(0.0, earned / sold) if sold > 0 else 0.0

    def best_sellers(self, count: int) -> list[Product]:
        """Return what earned most of late and can be had; an unknown cost counts as none."""
        here = [
            self.products[sku]
            for sku in self.units
            if sku in self.products and self.available.get(sku, 0) > 0
        ]
        priced = [each for each in here if each.price.amount > 0]
        return sorted(priced, key=lambda each: (-self._earned(each), each.sku))[:count]

    def _earned(self, product: Product) -> float:
        cost = product.cost.amount if product.cost is not None else 0
        return sum(self.units[product.sku][-28:]) * float(product.price.amount - cost)


@dataclass(frozen=True, kw_only=True)
class Buyers:
    """Who bought what in the last half year, of those who may be written to."""

    of: Mapping[str, Mapping[str, int]]
    """Per SKU, each customer's units."""
    units: Mapping[str, int]
    """Per SKU, everybody's units."""

    def notified(self, sku: str, models: Models) -> list[str]:
        """Return who would be told of the product: who bought it, or what goes with it."""
        related = [
            each.sku for each in models.related_products([sku], _PARTNERS) if each.because_of
        ]
        return sorted({who for each in (sku, *related) for who in self.of.get(each, {})})

    def share(self, sku: str, notified: Sequence[str]) -> float:
        """Return the part of the product's units that these customers buy."""
        total = self.units.get(sku, 0)
        ours = self.of.get(sku, {})
        return sum(ours.get(who, 0) for who in notified) / total if total else 0.0


async def readers(ctx: Context, settings: MarketingSettings) -> CampaignAudience:
    """Look up who may be written to."""
    agreed = [each for each in await ctx.store.customers() if each.marketing_consent]
    mailed = [each for each in agreed if each.email]
    sent = await ctx.store.messages_sent([each.id for each in mailed], ctx.now - _WEEK)
    bad = await ctx.store.suppressed([each.email for each in mailed if each.email])
    fresh = [each for each in mailed if sent.get(each.id, 0) < settings.messages_per_week]
    may = frozenset(each.id for each in fresh if each.email not in bad)
    year = ctx.now - timedelta(days=HISTORY_DAYS)
    return CampaignAudience(
        now=ctx.now,
        allowed=may,
        left_out={
            "no_address": len(agreed) - len(mailed),
            "written_to_often_enough": len(mailed) - len(fresh),
            "address_takes_no_mail": len(fresh) - len(may),
        },
        bought=await ctx.store.customer_spend(year, ctx.now) if may else {},
    )


async def shelf(ctx: Context) -> InventorySnapshot:
    """Look up products, stock and demand."""
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(
        today - timedelta(days=_SALES_DAYS), today - timedelta(days=1)
    )
    available: dict[str, int] = {}
    for level in await ctx.store.stock():
        available[level.sku] = available.get(level.sku, 0) + level.available
    return InventorySnapshot(
        products={product.sku: product for product in await ctx.store.products()},
        available=available,
        forecasts=outlook(ctx.models, sales.units, now=ctx.now),
        units=sales.units,
    )


async def buyers(ctx: Context, may: Collection[str], *, until: datetime | None = None) -> Buyers:
    """Look up who bought what in the half year up to now, or to another moment."""
    today = (until or ctx.now).date()
    first = today - timedelta(days=_BOUGHT_DAYS)
    lines = await ctx.store.sold_lines(first, today - timedelta(days=1))
    of: dict[str, dict[str, int]] = {}
    units: dict[str, int] = {}
    for sku, customer, quantity in zip(lines.skus, lines.customers, lines.quantities, strict=True):
        units[sku] = units.get(sku, 0) + quantity
        if customer is not None and customer in may:
            mine = of.setdefault(sku, {})
            mine[customer] = mine.get(customer, 0) + quantity
    return Buyers(of=of, units=units)


async def past(ctx: Context, campaigns: Sequence[Campaign], kind: str) -> PastCampaigns:
    """Measure the campaigns of a kind that are over."""
    over = [each for each in campaigns if each.ends_at <= ctx.now and kind_of(each.name) == kind]
    found = []
    for campaign in over[:_MOST_PAST]:
        spent = await ctx.store.customer_spend(campaign.started_at, campaign.ends_at)
        if (brought := measured(campaign, spent)) is not None:
            found.append((campaign.name, brought))
    return PastCampaigns(lifts=found)


def name_of(kind: str, now: datetime, what: str = "") -> str:
    """Return the name of this week's campaign of a kind."""
    year, week, _ = now.isocalendar()
    return f"{kind} {what + ' ' if what else ''}{year}-W{week:02d}"


def kind_of(name: str) -> str:
    """Return the kind of a campaign of this agent."""
    return name.partition(" ")[0]
