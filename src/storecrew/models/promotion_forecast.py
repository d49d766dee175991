"""What will be sold from today on: learned where that is fresh, else from sales; with promotions.

Runs before stock is judged. A promotion sells (1 − discount)^elasticity times as much while it
lasts: the constant-elasticity demand of `models.elasticity`, read at the lower price.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.domain.ports.models import DemandForecast, Models, PriceHistory
from storecrew.domain.shop.promotions import Discount

_MOST = 4.0
"""Times as much as usual that a promotion is believed to sell at most: beyond, published
elasticities of small price moves say nothing."""
_LEVEL_DAYS = 21.0
"""Days over which the mean of a promoted product is told: lead time and cycle of most purchases."""


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """When a product is cheaper, in days from now, and how many times as much it then sells."""

    begins: float
    ends: float
    uplift: float

    def stretch(self, days: float) -> float:
        """Return the usual days' demand that it adds within so many days from now."""
        overlap = min(self.ends, days) - max(self.begins, 0.0)
        return max(0.0, overlap) * (self.uplift - 1.0)


@dataclass(frozen=True, kw_only=True)
class PromotedDemand:
    """Implements `domain.ports.DemandForecast`: usual demand over more days than there are.

    A promotion that sells twice as much for three days is as three days more.
    """

    usual: DemandForecast
    promotions: tuple[Promotion, ...]

    @property
    def daily(self) -> float:
        """Expected units a day over the next three weeks."""
        return self.usual.daily * self._stretched(_LEVEL_DAYS) / _LEVEL_DAYS

    @property
    def basis(self) -> str:
        """One line on what the forecast rests on."""
        most = max(self.promotions, key=lambda each: each.uplift)
        return f"{self.usual.basis}; a promotion that sells {most.uplift:.2f} times as much"

    def quantile(self, q: float, days: float) -> float:
        """Return the q-quantile of units sold over so many days."""
        return self.usual.quantile(q, self._stretched(days))

    def _stretched(self, days: float) -> float:
        return days + sum(each.stretch(days) for each in self.promotions)


def outlook(
    models: Models,
    units: Mapping[str, Sequence[int]],
    *,
    now: datetime,
    discounts: Iterable[Discount] = (),
) -> Mapping[str, DemandForecast]:
    """Return the demand of every product that sold, from `now` on.

    `units` per SKU and day, oldest first, up to yesterday; `discounts` that did not end yet.
    Discounts for single customers change nothing: most of demand is others'.
    """
    today = now.date()
    found = {sku: models.forecast_of(sku, today) for sku in units}
    if any(each is None for each in found.values()):
        simple = models.forecast_many(units)
        found = {sku: each or simple[sku] for sku, each in found.items()}
    known = {sku: each for sku, each in found.items() if each is not None}
    for sku, promoted in _promotions(models, discounts, now).items():
        if sku in known and known[sku].daily > 0:
            known[sku] = PromotedDemand(usual=known[sku], promotions=promoted)
    return known


def uplift(models: Models, sku: str, percent: float) -> float:
    """Return how many times as much a product sells at so many per cent less."""
    learned = models.learned_elasticity(sku)
    mean = (learned or models.elasticities([PriceHistory(prices=(), units=())])[0]).mean
    return float(min(_MOST, max(1.0, (1 - min(max(percent, 0.0), 99.0) / 100) ** mean)))


def _promotions(
    models: Models, discounts: Iterable[Discount], now: datetime
) -> dict[str, tuple[Promotion, ...]]:
    """Return each product's promotion; where several overlap, the largest is taken."""
    found: dict[str, tuple[Promotion, ...]] = {}
    for discount in discounts:
        if discount.customers or discount.ends_at <= now:
            continue
        for sku in discount.skus:
            one = Promotion(
                begins=_days(discount.starts_at - now),
                ends=_days(discount.ends_at - now),
                uplift=uplift(models, sku, float(discount.percent)),
            )
            before = found.get(sku)
            if before is None or before[0].uplift < one.uplift:
                found[sku] = (one,)
    return found


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)
