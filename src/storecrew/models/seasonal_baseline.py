"""Anomalies of a shop's hourly numbers: doubled or halved against the hour and day of the week.

`anomalies.Detector` knows nothing of a series and sees spikes and jumps. Orders come in a rhythm
and by ones and twos: half of them missing shows only when many hours are added up. So the value
expected at each hour is learned, level times hour of the day times day of the week, each by what
was seen over what the other two let expect, old hours fading. Against it run two of Page's (1954)
cumulative sums of the log-likelihood ratio, for counts with variance d times their mean:

    S = max(0, S + (x ln r + m (1 - r)) / d)        r = 2 and r = 1/2

A sum passes h by chance less than once in e^h hours (Lorden 1971): h = ln of the hours
that should lie between two false alarms. Works for any number of zero or more (units, money,
milliseconds, tickets), as d is learned too.
"""

from math import isfinite, log
from typing import Self

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.serialization import State

ALERT = 1.0
"""A score from here on is worth somebody's attention."""
_DAY, _WEEK = 24, 7
_WARM = 14 * _DAY
"""Hours before the first score: two of each weekday."""
_LEVEL, _SHAPE, _SPREAD = 0.5 ** (1 / (14 * 24)), 0.5 ** (1 / 8), 0.5 ** (1 / (28 * 24))
"""What is left of an hour's weight an hour later: half after two weeks for the level and four for
the spread; half after eight more of its kind for an hour of the day or a day of the week."""
_PRIOR = 2.0
"""Values of the usual size that a shape is taken to have shown before, at one."""
_RATIOS = (2.0, 0.5)
_FARTHEST = 6.0
"""Deviations that one hour counts at most while learning the spread."""
_QUIET = 24
"""Hours without a second alert."""
_LARGEST = 1e100


class SeasonalBaseline:
    """Scores each hour's value as it comes, from those before it alone.

    Constant time and memory an hour. `between` is the number of hours that should lie between two
    false alarms.
    """

    def __init__(self, *, between: float = 24 * 90) -> None:
        if not 2 <= between < 1e12:
            raise InvalidInput("between", f"{between} is no number of hours from 2")
        self._limit = log(between)
        self._seen = 0
        self._level = np.zeros(2)
        self._hours = np.zeros((2, _DAY))
        self._days = np.zeros((2, _WEEK))
        self._spread = np.zeros(2)
        self._sums = [0.0, 0.0]
        self._quiet_until = 0

    def expected(self, hour: int) -> float:
        """Return what is usual at this hour of the week (0 to 167, any start)."""
        return self._mean(*divmod(hour % (_DAY * _WEEK), _DAY))

    def score(self, value: float, hour: int) -> float:
        """Return how surely the last hours were doubled or halved: from `ALERT` on worth a look.

        `hour` of the week, 0 to 167, always counted alike. Raises `InvalidInput` for a value that
        is no number of 0 or more; it counts as not seen.
        """
        if not isfinite(value) or not 0 <= value <= _LARGEST:
            raise InvalidInput("value", f"{value!r} is no number from 0 to {_LARGEST:g}")
        day, clock = divmod(hour % (_DAY * _WEEK), _DAY)
        mean = self._mean(day, clock)
        self._seen += 1
        score = self._judge(value, mean) if self._seen > _WARM else 0.0
        self._learn(value, mean, (day, clock))
        return score

    def _judge(self, value: float, mean: float) -> float:
        unit = self._unit(mean)
        for n, ratio in enumerate(_RATIOS):
            step = (value * log(ratio) + mean * (1 - ratio)) / unit
            self._sums[n] = max(0.0, self._sums[n] + step)
        score = max(self._sums) / self._limit
        if score < ALERT:
            return score
        self._sums = [0.0, 0.0]
        if self._seen <= self._quiet_until:
            return 0.0
        self._quiet_until = self._seen + _QUIET
        return score

    def _unit(self, mean: float) -> float:
        """Return the variance over the mean, never so small that rounding is an event."""
        usual = float(self._level[0] / max(self._level[1], 1e-300))
        learned = float(self._spread[0] / max(self._spread[1], 1e-300))
        return max(learned, 1e-4 * usual, 1e-9 * mean, 1e-300)

    def _mean(self, day: int, clock: int) -> float:
        level = float(self._level[0] / self._level[1]) if self._level[1] > 0 else 0.0
        return level * self._shape(self._hours, clock) * self._shape(self._days, day)

    def _shape(self, table: np.ndarray, place: int) -> float:
        seen, usual = table[0, place], table[1, place]
        prior = _PRIOR * max(float(self._level[0] / max(self._level[1], 1e-300)), 1e-300)
        return float((seen + prior) / (usual + prior))

    def _learn(self, value: float, mean: float, place: tuple[int, int]) -> None:
        day, clock = place
        hours, days = self._shape(self._hours, clock), self._shape(self._days, day)
        if self._seen > _DAY:  # a spread needs a level first
            reach = _FARTHEST**2 * max(self._unit(mean) * mean, 1e-300)
            far = min((value - mean) ** 2, reach if self._seen > _WARM else _LARGEST)
            self._spread = self._spread * _SPREAD + np.array([far, mean])
        level = mean / max(hours * days, 1e-300)
        self._hours[:, clock] = self._hours[:, clock] * _SHAPE + np.array([value, level * days])
        keep = _SHAPE ** (1 / _DAY)
        self._days[:, day] = self._days[:, day] * keep + np.array([value, level * hours])
        self._level = self._level * _LEVEL + np.array([value, hours * days])

    def state(self) -> State:
        """Return all that it knows, so that it goes on after a restart."""
        numbers = [self._limit, self._seen, self._quiet_until, *self._sums]
        return {
            "numbers": np.array([*numbers, *self._level, *self._spread], dtype=np.float64),
            "hours": self._hours.copy(),
            "days": self._days.copy(),
        }

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the one that `state` was taken from; raises `InvalidInput` for no such state."""
        for name, shape in (("numbers", (9,)), ("hours", (2, _DAY)), ("days", (2, _WEEK))):
            array = state.get(name)
            if array is None or array.shape != shape or array.dtype.kind != "f":
                raise InvalidInput(name, "is missing or not of a rhythm's state")
            if not np.isfinite(array).all() or (array < 0).any():
                raise InvalidInput(name, "holds what is no number of 0 or more")
        made = cls()
        made._limit, seen, quiet, first, second, *rest = state["numbers"].tolist()
        if made._limit <= 0:
            raise InvalidInput("numbers", "must have a limit")
        made._seen, made._quiet_until, made._sums = int(seen), int(quiet), [first, second]
        made._level, made._spread = np.array(rest[:2]), np.array(rest[2:])
        made._hours, made._days = state["hours"].copy(), state["days"].copy()
        return made
