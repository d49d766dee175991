"""Runs a shop for some virtual days under an operator, and computes the result."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.backtest.baseline_owner import BaselineOwner
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import Clock
from storecrew.stores.simulated import SimulatedShop

Operate = Callable[[datetime, Sequence[EventEnvelope]], Awaitable[None]]
"""Does, at a moment, what whoever runs the shop would do, having heard the news."""
Progress = Callable[[int, int], None]
"""Called after each day with the days done and the days in all."""

WARM_UP_DAYS = 60
"""Days for which the plain owner runs the shop before a trial, so that there is a history."""


@dataclass(frozen=True, kw_only=True)
class TrialReport:
    """What came of a trial."""

    days: int
    revenue: Money
    """Of orders placed in these days and not called off, less returns."""
    margin: Money
    """Revenue less what the goods sold had cost and the cost of holding stock (20 % of its value
    a year)."""
    lost_sales: Money
    """Value of what customers wanted and the shelf did not have."""
    stock_value: Money
    """At cost, on the last day."""
    orders: int
    on_time: float
    """Share of the orders due that arrived within three days."""
    cancelled: int
    returns: int
    late: int
    """Orders due that did not arrive within three days."""
    complaints: int
    profit: Money
    """Margin less what complaints (5.00 each) and called back payments cost."""


async def warm_up(
    shop: SimulatedShop,
    clock: Clock,
    days: int = WARM_UP_DAYS,
    *,
    progress: Progress = lambda _done, _all: None,
) -> None:
    """Let the plain owner run the shop, so that any trial begins with an honest history."""
    await _pass(
        shop, BaselineOwner(shop.store, shop.is_fraud).operate, clock, days, progress=progress
    )


async def run_days(
    shop: SimulatedShop,
    operate: Operate,
    clock: Clock,
    days: int,
    *,
    progress: Progress = lambda _done, _all: None,
    step: int = 1,
) -> TrialReport:
    """Step through the days, operating after every `step` hours, and report on them.

    Every order counts that was placed within the days: also one still on its way at the end,
    whoever runs the shop.
    """
    start = clock.now()
    await _pass(shop, operate, clock, days, progress=progress, step=step)
    await shop.settle()
    return await _report(shop, start, clock.now(), days)


async def _pass(
    shop: SimulatedShop,
    operate: Operate,
    clock: Clock,
    days: int,
    *,
    progress: Progress = lambda _done, _all: None,
    step: int = 1,
) -> None:
    start = clock.now()
    for day in range(days):
        for hour in range(step, 25, step):
            news = await shop.advance(start + timedelta(days=day, hours=hour))
            await operate(clock.now(), news)
        progress(day + 1, days)


async def _report(shop: SimulatedShop, start: datetime, end: datetime, days: int) -> TrialReport:
    totals = shop.tally.between(start, end)
    products = {product.sku: product for product in await shop.store.products()}
    currency = next(iter(products.values())).price.currency
    value = 0
    for level in await shop.store.stock():
        cost = products[level.sku].cost
        value += level.on_hand * (cost.minor if cost else 0)

    def money(minor: int) -> Money:
        return Money.from_minor(minor, currency)

    return TrialReport(
        days=days,
        revenue=money(totals.revenue),
        margin=money(totals.margin),
        lost_sales=money(totals.lost),
        stock_value=money(value),
        orders=totals.orders,
        on_time=totals.on_time / totals.due if totals.due else 1.0,
        cancelled=totals.cancelled,
        returns=totals.returns,
        late=totals.due - totals.on_time,
        complaints=totals.complaints,
        profit=money(totals.profit),
    )
