"""What became of price changes: units before and after, against what was expected."""

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any

from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.money import Money
from storecrew.domain.ports.journal import JournalView
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import PriceChange, SetPrice
from storecrew.domain.shop.inventory import StockoutPeriod
from storecrew.domain.shop.orders import DailySales

SPAN = timedelta(days=14)
"""Days looked at before and after a change: two of each weekday."""
_OLDEST = timedelta(days=120)
"""Changes of longer ago are not followed up any more: another season."""
_PAGE = 200
_DEVIATE = 1.2816
"""Normal deviate of an 80 % interval."""
_BURSTY = 2.0
"""Variance of units over their mean: sales are burstier than Poisson's; as in `elasticity`."""


@dataclass(frozen=True, kw_only=True)
class PriceImpact:
    """One change of a price and what came of it."""

    proposal_id: str
    sku: str
    at: datetime
    price_before: Money | None
    price: Money
    days_before: int
    days_after: int
    """Days with the product on the shelf and the price in force."""
    units_before: float
    units_after: float
    """A day."""
    shop_ratio: float
    """What all other products sold a day after over before: the season, not the price."""
    ratio: float | None
    """Units after over before, over `shop_ratio`; None where nothing was sold before."""
    low: float | None
    high: float | None
    """Between which the ratio lies with a chance of four in five."""
    expected_ratio: float | None
    """What the proposal expected."""
    as_expected: bool | None
    """Whether the expectation lies within the bounds; None where nothing was expected or sold."""
    expected_gain: Money | None
    """Of four weeks, as the proposal said."""
    gain: Money | None
    """Of four weeks, at the units that were sold, without the season; None without a cost."""


@dataclass(frozen=True, kw_only=True)
class PriceImpactReport:
    """All price changes that are old enough to be followed up."""

    changes: Sequence[PriceImpact]
    as_expected: int
    judged: int
    """Changes with an expectation and sales enough to hold it against."""
    expected_gain: Money | None
    gain: Money | None
    """Of those with both figures, of four weeks each."""


async def price_impact_report(
    store: StoreView, journal: JournalView, now: datetime, currency: str
) -> PriceImpactReport:
    """Return what came of the crew's price changes of 14 to 120 days ago, newest first."""
    stories = [story async for story in _changes(journal, now)]
    if not stories:
        return PriceImpactReport(changes=(), as_expected=0, judged=0, expected_gain=None, gain=None)
    first = min(story.at for story in stories).date() - SPAN
    sales = await store.daily_sales(first, now.date() - timedelta(days=1))
    empty = await store.stockout_periods(first, now.date() - timedelta(days=1))
    moved = await _moves(store, datetime.combine(first, datetime.min.time(), now.tzinfo))
    past = _SalesBefore(sales=sales, empty=empty, moved=moved)
    costs = {p.sku: p.cost for p in await store.products({_action(s).sku for s in stories})}
    found = [_follow(story, past, costs.get(_action(story).sku)) for story in stories]
    return _summed(found, currency)


@dataclass(frozen=True, kw_only=True)
class _SalesBefore:
    sales: DailySales
    empty: Sequence[StockoutPeriod]
    moved: Mapping[str, Sequence[PriceChange]]

    @cached_property
    def totals(self) -> Sequence[int]:
        """What the whole shop sold, day by day."""
        return [sum(units) for units in zip(*self.sales.units.values(), strict=True)]

    def when(self, story: ProposalHistory) -> datetime:
        """Return when the price was set: later than proposed where a person was asked."""
        action = _action(story)
        changes = self.moved.get(action.sku, ())
        set_at = (c.at for c in changes if c.at >= story.at and c.price == action.price)
        return next(set_at, story.at)

    def days(self, sku: str, first: date, last: date) -> list[date]:
        """Return the days of the span on which the product was on the shelf, `last` excluded."""
        gone = [span for span in self.empty if span.sku == sku]
        days = [first + timedelta(days=n) for n in range(max(0, (last - first).days))]
        return [day for day in days if not any(s.first <= day <= s.last for s in gone)]

    def units(self, sku: str, days: Sequence[date]) -> int:
        """Return what was sold on these days."""
        return _on(self.sales.units.get(sku, ()), self.sales.first, days)

    def others(self, sku: str, days: Sequence[date]) -> float:
        """Return what all other products sold a day."""
        total = _on(self.totals, self.sales.first, days) - self.units(sku, days)
        return total / len(days) if days else 0.0

    def until(self, sku: str, at: datetime) -> date:
        """Return the day on which the price of then was changed again, 14 days later at most."""
        later = [change.at.date() for change in self.moved.get(sku, ()) if change.at > at]
        return min([(at + SPAN).date() + timedelta(days=1), *later])


def _on(row: Sequence[int], first: date, days: Sequence[date]) -> int:
    places = [(day - first).days for day in days]
    return sum(row[n] for n in places if 0 <= n < len(row))


async def _changes(journal: JournalView, now: datetime) -> AsyncIterator[ProposalHistory]:
    """Yield the stories of prices that were set long enough ago, newest first."""
    page = 1
    while True:
        found = await journal.proposals(page=page, per_page=_PAGE)
        for story in found.items:
            if story.at < now - _OLDEST:
                return
            applied = story.outcome is not None and story.outcome.applied
            old = story.at <= now - SPAN - timedelta(days=1)
            if applied and old and isinstance(story.filed.proposal.action, SetPrice):
                yield story
        if page * _PAGE >= found.total:
            return
        page += 1


async def _moves(store: StoreView, since: datetime) -> Mapping[str, Sequence[PriceChange]]:
    found: dict[str, list[PriceChange]] = {}
    for change in await store.price_changes(since):
        found.setdefault(change.sku, []).append(change)
    return found


def _follow(story: ProposalHistory, past: _SalesBefore, cost: Money | None) -> PriceImpact:
    action, proposal = _action(story), story.filed.proposal
    at = past.when(story)
    sku, day = action.sku, at.date()
    before = past.days(sku, day - SPAN, day)
    after = past.days(sku, day + timedelta(days=1), past.until(sku, at))
    sold_before, sold_after = past.units(sku, before), past.units(sku, after)
    usual = past.others(sku, before)
    season = past.others(sku, after) / usual if usual > 0 and after else 1.0
    ratio, low, high = _ratio((sold_before, len(before)), (sold_after, len(after)), season)
    expected = _expected(proposal.evidence, action.price)
    judged = expected is not None and low is not None and high is not None
    rate = sold_before / len(before) if before else 0.0
    return PriceImpact(
        proposal_id=story.filed.id,
        sku=sku,
        at=at,
        price_before=action.expected_price,
        price=action.price,
        days_before=len(before),
        days_after=len(after),
        units_before=round(rate, 3),
        units_after=round(sold_after / len(after), 3) if after else 0.0,
        shop_ratio=round(season, 3),
        ratio=ratio,
        low=low,
        high=high,
        expected_ratio=round(expected, 3) if expected is not None else None,
        as_expected=_within(expected, low, high) if judged else None,
        expected_gain=proposal.effect.expected if proposal.effect else None,
        gain=_gain(action, cost, rate, ratio),
    )


def _ratio(
    before: tuple[int, int], after: tuple[int, int], season: float
) -> tuple[float | None, float | None, float | None]:
    """Return units a day after over before, without the season, and its 80 % interval.

    By the delta method on the logarithm, with counts that vary twice as much as Poisson's.
    """
    (sold, days), (then, left) = before, after
    if not days or not left or sold == 0 or season <= 0:
        return None, None, None
    ratio = then / left / (sold / days) / season
    error = math.sqrt(_BURSTY / sold + _BURSTY / max(then, 0.5))
    middle = max(then, 0.5) / left / (sold / days) / season
    low, high = middle * math.exp(-_DEVIATE * error), middle * math.exp(_DEVIATE * error)
    return round(ratio, 3), round(min(low, ratio), 3), round(high, 3)


def _expected(evidence: Mapping[str, Any], price: Money) -> float | None:
    """Return by what the proposal expected units to change, from the curve in its evidence."""
    curve, usual = evidence.get("curve"), evidence.get("daily_demand")
    if not isinstance(curve, Sequence) or not isinstance(usual, int | float) or usual <= 0:
        return None
    target = float(price.amount)
    points = [(abs(float(p["price"]) - target), float(p["units"])) for p in curve if "units" in p]
    return min(points)[1] / usual if points else None


def _gain(action: SetPrice, cost: Money | None, rate: float, ratio: float | None) -> Money | None:
    """Return what four weeks at the new price earn more than at the old one, but for the season."""
    if cost is None or action.expected_price is None or ratio is None:
        return None
    old = (action.expected_price - cost).amount * Decimal(str(rate))
    new = (action.price - cost).amount * Decimal(str(rate * ratio))
    return Money((new - old) * 28, action.price.currency).rounded()


def _within(expected: float | None, low: float | None, high: float | None) -> bool | None:
    if expected is None or low is None or high is None:
        return None
    return low <= expected <= high


def _summed(found: Sequence[PriceImpact], currency: str) -> PriceImpactReport:
    nothing = Money.of(0, currency)
    both = [(e.expected_gain, e.gain) for e in found if e.expected_gain and e.gain]
    return PriceImpactReport(
        changes=found,
        as_expected=sum(each.as_expected is True for each in found),
        judged=sum(each.as_expected is not None for each in found),
        expected_gain=sum((expected for expected, _ in both), nothing) if both else None,
        gain=sum((gain for _, gain in both), nothing) if both else None,
    )


def _action(story: ProposalHistory) -> SetPrice:
    action = story.filed.proposal.action
    assert isinstance(action, SetPrice)  # noqa: S101 - only such stories are gathered
    return action
