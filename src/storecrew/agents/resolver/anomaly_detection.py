"""Orders, takings and refunds hour by hour, held against their own rhythm: pure functions.

The rhythm (`models.rhythm`) is learnt anew from the last weeks wherever a cheap look finds the
newest hours far from the same hours of the weeks before; else nothing is computed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

from storecrew.domain.shop.orders import HourlySales
from storecrew.models.seasonal_baseline import ALERT, SeasonalBaseline

WEEKS = 5
"""Weeks that are learnt from: two are needed before the first score."""
_WEEK = 168
_WINDOWS = (1, 2, 4, 8, 24)
_FAR = 2.0
"""Deviations from the weeks before at which the rhythm is asked: it decides, this only looks."""
_SLOW = 6
_FEWEST = 100
"""Orders in these weeks below which a shop has no rhythm."""
_EPOCH_MONDAY = datetime.fromisoformat("1970-01-05T00:00:00+00:00")


@dataclass(frozen=True, kw_only=True)
class DetectedAnomaly:
    """A stream that left its rhythm."""

    stream: str
    observed: float
    """In the last 24 hours."""
    expected: float
    score: float
    """From 1 on worth a look."""

    @property
    def fell(self) -> bool:
        """Whether it is less than usual."""
        return self.observed < self.expected


def detect_anomalies(hours: Sequence[HourlySales], now: datetime) -> list[DetectedAnomaly]:
    """Return the streams whose newest complete hours raised the alarm.

    Orders are judged by the last hour; takings and refunds every sixth hour, by six.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    start = end - timedelta(hours=WEEKS * _WEEK)
    rows = {row.hour: row for row in hours}
    grid = [start + timedelta(hours=n) for n in range(WEEKS * _WEEK)]
    series = {
        "orders": [float(rows[at].orders) if at in rows else 0.0 for at in grid],
        "revenue": [float(rows[at].value.amount) if at in rows else 0.0 for at in grid],
        "refunds": [float(rows[at].refunds.amount) if at in rows else 0.0 for at in grid],
    }
    if sum(series["orders"]) < _FEWEST or not any(series["orders"][: 2 * _WEEK]):
        return []
    first = int((start - _EPOCH_MONDAY) / timedelta(hours=1))
    due = {"orders": 1} if end.hour % _SLOW else {"orders": 1, "revenue": _SLOW, "refunds": _SLOW}
    found = (_judged(name, series[name], first, newest) for name, newest in due.items())
    return [each for each in found if each is not None]


def _judged(name: str, values: Sequence[float], first: int, newest: int) -> DetectedAnomaly | None:
    if not _is_far(values):
        return None
    rhythm = SeasonalBaseline()
    scores: list[float] = []
    expected: list[float] = []
    for n, value in enumerate(values):
        hour = (first + n) % _WEEK
        expected.append(rhythm.expected(hour))
        scores.append(rhythm.score(value, hour))
    score = max(scores[-newest:])
    if score < ALERT:
        return None
    return DetectedAnomaly(
        stream=name, observed=sum(values[-24:]), expected=sum(expected[-24:]), score=score
    )


def _is_far(values: Sequence[float]) -> bool:
    """Tell whether some of the newest hours differ from the same hours of the weeks before."""
    mean = sum(values) / len(values)
    if mean <= 0:
        return False
    pairs = zip(values[_WEEK:-24], values[: -_WEEK - 24], strict=True)
    noise = sum((now - before) ** 2 for now, before in pairs) / (len(values) - _WEEK - 24) / 2
    unit = noise / mean
    for hours in _WINDOWS:
        now = sum(values[-hours:])
        before = [
            sum(values[len(values) - hours - week * _WEEK : len(values) - week * _WEEK])
            for week in range(1, WEEKS - 1)
        ]
        usual = sum(before) / len(before)
        if abs(now - usual) > _FAR * sqrt(unit * max(usual, mean / 4)):
            return True
    return False
