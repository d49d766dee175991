"""Demand from level, weekday and season alone: what a new shop or a new product can have.

    mean(t) = level · weekday(t) · season(t)

with the level of `baseline.forecast`, a weekday profile that leans on the whole shop's, and the
shop's season of a year ago, damped. The spread is a gamma variable with the coefficient of
variation shrunken to the median series'; `calibration` corrects its levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from storecrew.models.arrays import Floats

_SPREAD_DAYS = 112
_YOUNGEST = 14
"""Days that a series is taken to have been on sale at least."""
_PROVEN_SALES = 3
"""Selling days after which a series' own first sale, not the shop's, starts its history."""
YOUNG = 28
"""Days of life under which a series leans on the level of the others."""
_LEAN = 3.0
"""Days of the usual level that a young series is credited with."""
_WEEKDAY_DAYS = 56
_WEEKDAY_UNITS = 10.0
"""Units a weekday after which a series' own weekdays count as much as the shop's."""
_YEAR = 364
_AROUND = 10
"""Days on each side that a season's level a year ago is averaged over."""
_DAMPED = 0.5
"""Power of the season: half of it (in logarithms) is taken to come again."""


@dataclass(frozen=True, kw_only=True)
class SeasonalProfile:
    """Gamma variables, one per series and day ahead."""

    mean: Floats
    """[series, horizon]"""
    level: Floats
    """Units a day of late, [series]."""
    variance: Floats
    """Of one day at the level, [series]."""
    days: Floats
    """Days of history behind the level, [series]; 0: never sold."""
    age: Floats
    """Days since the first sale, that day included, [series]."""

    @property
    def shape(self) -> Floats:
        """Return the shape of each series' gamma: 1/CV², doubt about the level included."""
        level = np.maximum(self.mean.mean(1), 1e-12)
        cv2 = self.variance / level**2 + 1 / np.maximum(self.days, 1.0)
        answer: Floats = 1 / np.clip(cv2, 2.5e-3, 400.0)
        return answer

    def quantiles(self, levels: Sequence[float] | Floats) -> Floats:
        """Return [series, levels, horizon]."""
        # scipy takes a quarter of a second to import, which who only serves forecasts need not pay
        from scipy.special import gammaincinv

        shape = self.shape
        scale = self.mean / shape[:, None]
        factor = gammaincinv(shape[:, None], np.asarray(levels, dtype=np.float64)[None, :])
        answer: Floats = factor[:, :, None] * scale[:, None, :]
        return answer

    def level_of(self, units: Floats) -> Floats:
        """Return the level at which each figure [series, horizon] lies, between 0 and 1."""
        from scipy.special import gammainc

        shape = self.shape[:, None]
        answer: Floats = gammainc(shape, units * shape / np.maximum(self.mean, 1e-12))
        return answer


def profile(units: Floats, first: date, horizon: int, shop_age: float = 0.0) -> SeasonalProfile:
    """Return the demand of the `horizon` days after `units` [series, days] of days from `first`.

    `shop_age` is the days since the shop's first sale, where that is of another series.
    """
    age = ages(units)
    level, days = _levels(units, age, shop_age)
    spread = _spreads(units, level, days)
    return SeasonalProfile(
        mean=level[:, None] * _weekdays(units, first, horizon) * _season(units, horizon),
        level=level,
        variance=np.maximum((spread * level) ** 2, level),
        days=np.where(level > 0, np.minimum(days, 42.0), 0.0),
        age=age,
    )


def ages(units: Floats) -> Floats:
    """Return days since each series' first sale, that day included; 0 if there was none."""
    sold = units > 0
    if not sold.size:
        return np.zeros(len(units))
    answer: Floats = np.where(sold.any(1), units.shape[1] - sold.argmax(1), 0).astype(np.float64)
    return answer


def _mean_of_last(units: Floats, days: Floats) -> Floats:
    """Return the mean of each row's last so many days."""
    total = np.concatenate([np.zeros((len(units), 1)), np.cumsum(units, axis=1)], axis=1)
    begins = (units.shape[1] - days).astype(np.intp)
    sums = total[:, -1] - np.take_along_axis(total, begins[:, None], axis=1)[:, 0]
    answer: Floats = np.maximum(sums, 0.0) / np.maximum(days, 1.0)
    return answer


def _levels(units: Floats, age: Floats, shop_age: float) -> tuple[Floats, Floats]:
    """Return units a day, and how many days of history that rests on."""
    proven = (units > 0).sum(1) >= _PROVEN_SALES
    shop = float(age.max(initial=shop_age))
    days = np.minimum(np.maximum(np.where(proven, age, shop), _YOUNGEST), units.shape[1])
    recent = sum(_mean_of_last(units, np.minimum(days, k)) for k in (28.0, 56.0)) / 2
    weight = np.minimum(days, 42.0)
    level = (weight * recent + 7 * _mean_of_last(units, days)) / (weight + 7)
    sells = level > 0
    usual = float(np.median(level[sells])) if sells.any() else 0.0
    young = proven & (age < YOUNG)
    leaning = (age * level + _LEAN * usual) / np.maximum(age + _LEAN, 1.0)
    return np.where(young, leaning, level), days


def _spreads(units: Floats, level: Floats, days: Floats) -> Floats:
    """Return coefficients of variation, each the geometric mean of its own and the median's."""
    window = np.minimum(days, float(_SPREAD_DAYS))
    mean = _mean_of_last(units, window)
    variance = np.maximum(_mean_of_last(units**2, window) - mean**2, level)
    own = np.sqrt(variance) / np.maximum(level, 1e-12)
    sells = level > 0
    usual = float(np.median(own[sells])) if sells.any() else 1.0
    return np.where(sells, np.sqrt(own * usual), 0.0)


def _weekdays(units: Floats, first: date, horizon: int) -> Floats:
    """Return factors [series, horizon] with a mean of about one over a week."""
    days = units.shape[1]
    weeks = min(days, _WEEKDAY_DAYS) // 7
    ahead = (first.weekday() + days + np.arange(horizon)) % 7
    if weeks < 1:
        return np.ones((len(units), horizon))
    # the newest days fold into whole weeks; column 0 is the weekday of the day to come
    folded = units[:, days - 7 * weeks :].reshape(len(units), weeks, 7).sum(1)
    places = (ahead - (first.weekday() + days)) % 7
    shop = folded.sum(0)
    raw = shop / shop.mean() if shop.sum() > 0 else np.ones(7)
    usual = (weeks**2 * raw + 1) / (weeks**2 + 1)
    own = (folded + _WEEKDAY_UNITS * usual) / (folded.mean(1, keepdims=True) + _WEEKDAY_UNITS)
    answer: Floats = own[:, places]
    return answer


def _season(units: Floats, horizon: int) -> Floats:
    """Return factors [horizon]: what the shop did a year ago against the 56 days before."""
    shop, days = units.sum(0), units.shape[1]
    past = days - _YEAR
    if past < 2 * _WEEKDAY_DAYS or shop[past - _WEEKDAY_DAYS : past].sum() <= 0:
        return np.ones(horizon)
    before = shop[past - _WEEKDAY_DAYS : past].mean()
    middle = past + np.arange(horizon)
    then = np.array([shop[m - _AROUND : m + _AROUND + 1].mean() for m in middle])
    answer: Floats = np.clip(then / before, 0.25, 4.0) ** _DAMPED
    return answer
