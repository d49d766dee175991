"""What a way to keep stock would have done: a day-by-day replay on demand that is known."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats

Levels = Callable[[int], Floats]
"""From a day's number to order-up-to levels [knobs, series], resting on earlier days alone."""


@dataclass(frozen=True, kw_only=True)
class ReplaySettings:
    """How often stock is looked at, and how long an order takes, in days."""

    lead: int
    review: int = 7

    def __post_init__(self) -> None:
        if self.lead < 0 or self.review < 1:
            raise InvalidInput("terms", f"lead {self.lead}, review {self.review}")

    @property
    def cover(self) -> int:
        """Days that stock must last: until the order after the next one arrives."""
        return self.lead + self.review


@dataclass(frozen=True, kw_only=True)
class ReplayOutcome:
    """What came of each knob: [knobs]."""

    fill: Floats
    """Value sold over value demanded."""
    stock: Floats
    """Mean value of the stock at the end of a day."""


def replay(
    units: Floats, value: Floats, levels: Levels, terms: ReplaySettings, *, days: int
) -> ReplayOutcome:
    """Return what stock up to these levels would have sold in the last `days` days of `units`.

    `units` [series, days] is what was demanded, `value` [series] what a unit is worth. On each
    day: receive; every `review` days order up to the level, rounded up; sell what is there. What
    is not there is lost. An order of day t is on the shelf on the morning of t + lead + 1. Begins
    with the level on hand and nothing on order.
    """
    end = units.shape[1]
    begin = end - days
    if begin < 0 or days < 1:
        raise InvalidInput("days", f"{days} of a history of {end} cannot be replayed")
    level = np.ceil(levels(begin) - 1e-9)
    hand = level.copy()
    coming: dict[int, Floats] = {}
    sold, stock = np.zeros(len(level)), np.zeros(len(level))
    for day in range(begin, end):
        hand += coming.pop(day, 0.0)
        if (day - begin) % terms.review == 0:
            if day > begin:
                level = np.ceil(levels(day) - 1e-9)
            ordered = np.maximum(level - hand - sum(coming.values(), np.zeros(1)), 0.0)
            coming[day + terms.lead + 1] = ordered
        bought = np.minimum(hand, units[:, day])
        hand = hand - bought
        sold += bought @ value
        stock += hand @ value
    demanded = float(units[:, begin:].sum(1) @ value)
    fill = sold / demanded if demanded > 0 else np.ones(len(level))
    return ReplayOutcome(fill=fill, stock=stock / days)


def stock_at(outcome: ReplayOutcome, fill: float) -> float:
    """Return the stock value at which this fill is reached, linear between knobs; NaN if never."""
    order = np.argsort(outcome.fill)
    fills, stock = outcome.fill[order], outcome.stock[order]
    if not fills.size or fills[-1] < fill or fills[0] > fill:
        return math.nan
    return float(np.interp(fill, fills, stock))
