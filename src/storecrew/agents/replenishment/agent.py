"""Stock flow: what ran low is bought, in whole packs, once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from storecrew.domain.actions import Reorder
from storecrew.domain.advice import StockAdvice, StockQuestion
from storecrew.domain.commerce import Product
from storecrew.domain.events import StockRanLow
from storecrew.domain.ports import DemandForecast
from storecrew.sdk import Context, Effect, Money, Proposal, Proposals, agent

HISTORY_DAYS = 112
"""Days of sales looked at: the spread of demand is steady over about so long."""
SERVICE = 0.97
"""Wanted chance of not running out before a delivery: where a unit earns nearly its cost and
holding it costs a fifth of that a year, a lost sale weighs a hundred times a unit kept too long;
a little less, as goods also go out of fashion."""
UNKNOWN_LEAD_DAYS = 7.0
"""Lead time, in days, assumed for a product whose supplier is not known."""
_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Quantiles that stand for the whole distribution when a shortfall is averaged."""


@dataclass(frozen=True, kw_only=True)
class _Case:
    """Everything that one purchase is decided on."""

    product: Product
    event: StockRanLow
    position: int
    forecast: DemandForecast
    terms: StockQuestion
    advice: StockAdvice
    assumed_lead: bool

    @property
    def quantity(self) -> int:
        return self.advice.quantity(self.position)

    def cover(self, q: float) -> float:
        """Return the days that the position lasts if demand is at its q-quantile."""
        week = self.forecast.quantile(q, 7) / 7
        return max(0, self.position) / week if week > 0 else math.inf


@agent(
    on=StockRanLow, may=[Reorder], batch=500, within=timedelta(seconds=2), capabilities=["stock"]
)
async def replenishment(events: Sequence[StockRanLow], ctx: Context) -> Proposals:
    """Buy what runs low up to the level that lasts until the next delivery, in whole packs.

    What would run out first comes first, so that a budget goes where it is needed most.
    """
    cases = [case for case in await _cases(events, ctx) if case.quantity > 0]
    for case in sorted(cases, key=lambda c: (c.cover(0.5) - c.terms.lead_days, c.product.sku)):
        yield _purchase(case)


async def _cases(events: Sequence[StockRanLow], ctx: Context) -> list[_Case]:
    low = {event.sku: event for event in events if isinstance(event, StockRanLow)}
    for purchase in await ctx.store.purchases():
        low.pop(purchase.sku, None)
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(
        today - timedelta(days=HISTORY_DAYS), today - timedelta(days=1), low
    )
    forecasts = ctx.models.demands(sales.units)
    position: dict[str, int] = {}
    for level in await ctx.store.stock(low):
        position[level.sku] = position.get(level.sku, 0) + level.available
    suppliers = {supplier.id: supplier for supplier in await ctx.store.suppliers()}
    cases = []
    for product in await ctx.store.products(low):
        forecast = forecasts.get(product.sku)
        if forecast is None or not product.stocked:
            continue
        supplier = suppliers.get(product.supplier or "")
        terms = StockQuestion(
            lead_days=supplier.lead_time_days if supplier else UNKNOWN_LEAD_DAYS,
            lead_sd=supplier.lead_time_sd if supplier else 0.0,
            service=float(ctx.settings.get("service", SERVICE)),
            pack_size=max(1, product.pack_size),
        )
        cases.append(
            _Case(
                product=product,
                event=low[product.sku],
                position=position.get(product.sku, 0),
                forecast=forecast,
                terms=terms,
                advice=ctx.models.stocking(forecast, terms),
                assumed_lead=supplier is None,
            )
        )
    return cases


def _purchase(case: _Case) -> Proposal:
    product, forecast = case.product, case.forecast
    cost = product.cost * case.quantity if product.cost else None
    return Proposal(
        action=Reorder(sku=product.sku, quantity=case.quantity, warehouse=case.event.warehouse),
        reason=(
            f"{max(0, case.position)} left, {forecast.daily:.2f} sold a day, "
            f"a delivery takes {case.terms.lead_days:g} days."
        ),
        evidence={
            "daily_demand": round(forecast.daily, 3),
            "forecast": forecast.basis,
            "days_of_cover_p50": _days(case.cover(0.5)),
            "days_of_cover_p90": _days(case.cover(0.9)),
            "lead_time_days": case.terms.lead_days,
            "position": case.position,
            "reorder_point": case.advice.reorder_point,
            "order_up_to": case.advice.order_up_to,
            "pack_size": case.advice.pack_size,
            "cost": str(cost) if cost else None,
        },
        effect=_effect(case),
        assumptions=_assumptions(case),
    )


def _days(days: float) -> float | None:
    return round(days, 1) if math.isfinite(days) else None


def _effect(case: _Case) -> Effect | None:
    """Return the margin of the sales that would be lost if nothing were bought.

    Over the days until an order placed a cycle later would arrive.
    """
    margin = _margin(case.product)
    if margin is None:
        return None
    days = case.terms.lead_days + max(case.terms.cycle_days, case.terms.lead_days)
    short = [max(0.0, case.forecast.quantile(q, days) - case.position) for q in _SHARES]
    units = [min(each, case.quantity) for each in (short[0], sum(short) / len(short), short[-1])]
    low, expected, high = (
        (margin * Decimal(str(round(each, 2)))).rounded() for each in sorted(units)
    )
    return Effect(low=low, expected=expected, high=high)


def _margin(product: Product) -> Money | None:
    """Return what a sold unit earns, or None where the cost is not known."""
    if product.cost is None or product.cost.currency != product.price.currency:
        return None
    margin = product.price - product.cost
    return margin if margin.amount > 0 else None


_NAMES = {"stock": "stock level"}
"""Fields of a product whose name alone would not tell an owner what is meant."""


def _assumptions(case: _Case) -> tuple[str, ...]:
    """Name the values that the purchase rests on and nobody recorded."""
    found = [*case.product.assumed]
    if case.product.cost is None:
        found.append("cost")
    if case.assumed_lead:
        found.append("supplier")
    return tuple(_NAMES.get(name, name) for name in dict.fromkeys(found))
