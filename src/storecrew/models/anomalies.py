"""Anomalies in a stream of numbers: how rarely several views of it were as far off at once.

Five views are taken of a series: its value, its first difference, and for three lengths the mean
of the newest points less the mean of as many points before them, so that spikes, jumps and slow
shifts each show in one of them. In each view a point's distance is

    z = |x - mean| / sd        mean and sd over the points before, fading after `memory` points

and its evidence, with r the share of points so far that were as far off (Laplace's rule),

    e = -log10(r) * min(z / 4, 1.5) / 6

so that neither what is far off but usual, nor what is rare but near, counts for much. The score is
the strongest evidence and half of the second: what two views agree on is no accident of one.
After an alert the series is quiet for a while: scores are divided by four until something clearly
stronger comes.
"""

from dataclasses import dataclass, field
from math import isfinite, log, log10, sqrt
from typing import Self

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.serialization import State

ALERT = 0.65
"""A score from here on is worth somebody's attention."""
_LENGTHS = (6, 24, 96)
"""Points averaged in the slow views: four times as many each."""
_MEMORY = 6400
"""Points after which old ones begin to fade: three weeks of five-minute figures."""
_QUIET = 0.04
"""Share of the points seen, at most of the memory, that is quiet after an alert."""
_WARM = 100
"""Points before the first score: fewer tell nothing of what is usual."""
_LEARNING = 20
"""Points before the first distance: a standard deviation of fewer means nothing."""
_FAR, _MOST = 4.0, 1.5
"""Distance that counts in full, and how much a greater one may add."""
_FULL = 6.0
"""Orders of magnitude of rarity that make the score one."""
_SECOND = 0.5
_REPEAT, _STRONGER = 0.25, 1.3
_SUSPECT = 0.3
"""From here on a score begins a quiet time."""
_ROUNDING = 1e-9
"""Share of the largest value so far below which nothing is told apart."""
_LARGEST = 1e100
"""Squares of larger values have no room in a float."""
_BINS = 96
_NEAR = 0.25
_RATIO = log(1.075)
"""Distances are counted in bins that grow by 7.5 %, from a quarter of a deviation on."""
_SHAPES = {
    "seen": ((),),
    "numbers": ((3,),),
    "views": ((2 + len(_LENGTHS), 2),),
    "counts": ((2 + len(_LENGTHS), _BINS),),
    "ring": ((0,), (2 * _LENGTHS[-1],)),
    "sums": ((2, len(_LENGTHS)),),
}


@dataclass
class _View:
    """One view of the series: what was usual in it."""

    mean: float = 0.0
    variance: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * _BINS)

    def evidence(self, x: float, seen: int, weight: float, least: float) -> float:
        """Return how much speaks for an anomaly, and learn the value.

        `seen` includes it; an offset below `least` is rounding.
        """
        offset = x - self.mean
        z = self._distance(offset, least) if seen > _LEARNING else 0.0
        self.mean += weight * offset
        self.variance = (1 - weight) * (self.variance + weight * offset * offset)
        if z <= _NEAR:
            self.counts[0] += 1
            return 0.0
        place = min(_BINS - 1, int(log(z / _NEAR) / _RATIO))
        share = (sum(self.counts[place:]) + 1) / (seen + 1)
        self.counts[place] += 1
        return -log10(share) * min(z / _FAR, _MOST) / _FULL

    def _distance(self, offset: float, least: float) -> float:
        if abs(offset) <= least:
            return 0.0
        if self.variance <= least * least:
            return _FAR  # what never moved has moved
        return abs(offset) / sqrt(self.variance)


class Detector:
    """Scores each value of a series as it comes, from those before it alone.

    Constant time and memory a value. The same values give the same scores. Nothing need be known
    of the series: no unit, no length, no season.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._largest = 0.0
        self._views = [_View() for _ in range(2 + len(_LENGTHS))]
        self._ring: list[float] = []
        self._newer = [0.0] * len(_LENGTHS)
        self._older = [0.0] * len(_LENGTHS)
        self._quiet_until = 0.0
        self._level = 0.0

    def score(self, value: float) -> float:
        """Return how unusual the value is: 0 as ever, from `ALERT` on worth a look.

        Raises `InvalidInput` for what is no finite number up to 1e100; it counts as not seen.
        """
        if not isfinite(value) or abs(value) > _LARGEST:
            raise InvalidInput("value", f"{value!r} is no number up to {_LARGEST:g}")
        xs = self._look(value)
        self._seen += 1
        weight = 1 / min(self._seen, _MEMORY)
        self._largest = max(self._largest, abs(value))
        least = _ROUNDING * self._largest
        first = second = 0.0
        for view, x in zip(self._views, xs, strict=True):
            evidence = view.evidence(x, self._seen, weight, least)
            if evidence > first:
                first, second = evidence, first
            elif evidence > second:
                second = evidence
        return self._after_alerts(first + _SECOND * second) if self._seen > _WARM else 0.0

    def state(self) -> State:
        """Return all that the detector knows, so that it goes on after a restart."""
        return {
            "seen": np.array(self._seen),
            "numbers": np.array([self._largest, self._quiet_until, self._level]),
            "views": np.array([[view.mean, view.variance] for view in self._views]),
            "counts": np.array([view.counts for view in self._views], dtype=np.int64),
            "ring": np.array(self._ring, dtype=np.float64),
            "sums": np.array([self._newer, self._older]),
        }

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return the detector that `state` was taken from: it scores on as that would have.

        Raises `InvalidInput` for what is no such state.
        """
        detector = cls()
        for name, shape in _SHAPES.items():
            array = state.get(name)
            if array is None or array.shape not in shape or array.dtype.kind not in "if":
                raise InvalidInput(name, "is missing or not of a detector's state")
            if not np.isfinite(array).all():
                raise InvalidInput(name, "holds what is no number")
        detector._seen = int(state["seen"])
        if detector._seen < 0 or bool(detector._seen) != bool(state["ring"].size):
            raise InvalidInput("seen", "does not fit the points that are kept")
        detector._largest, detector._quiet_until, detector._level = state["numbers"].tolist()
        detector._views = [
            _View(mean, variance, counts)
            for (mean, variance), counts in zip(
                state["views"].tolist(), state["counts"].astype(np.int64).tolist(), strict=True
            )
        ]
        detector._ring = state["ring"].tolist()
        detector._newer, detector._older = state["sums"].tolist()
        return detector

    def _look(self, value: float) -> list[float]:
        """Return the value in each view."""
        size = 2 * _LENGTHS[-1]
        if not self._ring:
            self._ring = [value] * size
            self._newer = [length * value for length in _LENGTHS]
            self._older = list(self._newer)
        ring, place = self._ring, self._seen % size
        if place == 0:
            self._sum_anew()
        xs = [value, value - ring[place - 1]]
        for n, length in enumerate(_LENGTHS):
            leaving, left = ring[place - length], ring[place - 2 * length]
            self._newer[n] += value - leaving
            self._older[n] += leaving - left
            xs.append((self._newer[n] - self._older[n]) / length)
        ring[place] = value
        return xs

    def _sum_anew(self) -> None:
        """Add the sums up from the points themselves, or rounding would pile up in them."""
        for n, length in enumerate(_LENGTHS):
            self._newer[n] = sum(self._ring[-length:])
            self._older[n] = sum(self._ring[-2 * length : -length])

    def _after_alerts(self, score: float) -> float:
        """Return the score, lower where it only repeats an alert."""
        if self._seen <= self._quiet_until and score < _STRONGER * self._level:
            return score * _REPEAT
        if score > _SUSPECT:
            self._level = score
            self._quiet_until = self._seen + _QUIET * min(self._seen, _MEMORY)
        return score
