"""Order-up-to levels learned from all series together: quantiles of demand over the days to cover.

One row per origin and series; the target is the sum of the next k days over the series' scale, the
mean of its last 56 days. LightGBM with the pinball loss, one booster per level of a short ladder;
levels between and beyond are taken along the normal deviate. Worth its data only with more than a
year of history: with less it was seen to need up to twice the stock.
"""

from collections.abc import Sequence

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats
from storecrew.models.inventory.replay import Levels, ReplaySettings

ENOUGH_DAYS = 366
_LADDER = (0.5, 0.7, 0.85, 0.95, 0.99)
_EVERY = 7
_REFIT = 28
_WARM = 112
_FURTHEST = 800
_MOST_ROWS = 100_000
_YEAR = 364
_ROUNDS = 150
_SETTINGS = {
    "objective": "quantile",
    "num_leaves": 15,
    "learning_rate": 0.05,
    "min_data_in_leaf": 100,
    "feature_fraction": 0.8,
    "max_bin": 63,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


class LearnedLevels:
    """Boosters of one history: `at` gives levels from any day's features."""

    def __init__(self, units: Floats, cover: int, *, seed: int = 0) -> None:
        # lightgbm takes a second and a half to import
        import lightgbm

        self.cover = cover
        days = units.shape[1]
        starts = list(range(days - cover, max(_WARM, days - _FURTHEST) - 1, -_EVERY))
        if not starts:
            raise InvalidInput("units", f"{days} days are too few to learn from")
        parts = [_example(units, start, cover) for start in starts]
        x, y = (np.concatenate([part[n] for part in parts]) for n in (0, 1))
        if len(x) > _MOST_ROWS:
            drawn = np.random.default_rng(seed).choice(len(x), _MOST_ROWS, replace=False)
            x, y = x[drawn], y[drawn]
        settings = {**_SETTINGS, "seed": seed}
        data = lightgbm.Dataset(x, y, params=settings, free_raw_data=False)
        self._boosters = [
            lightgbm.train({**settings, "alpha": level}, data, _ROUNDS) for level in _LADDER
        ]

    def at(self, units: Floats, services: Sequence[float] | Floats) -> Floats:
        """Return the stock for the days after `units`: [services, series]."""
        x, scale = _features(units, self.cover)
        found = [np.asarray(booster.predict(x, num_threads=1)) for booster in self._boosters]
        steps = np.sort(np.maximum(np.stack(found), 0.0), axis=0)
        return _between(steps, np.asarray(services, dtype=np.float64)) * scale


def learned_levels(
    units: Floats, terms: ReplaySettings, *, begin: int, services: Floats, seed: int = 0
) -> Levels:
    """Return levels per day from `begin` on, learned anew every 28 days from the days before."""
    kept: dict[int, LearnedLevels] = {}

    def levels(day: int) -> Floats:
        fitted = begin + (day - begin) // _REFIT * _REFIT
        if fitted not in kept:
            kept[fitted] = LearnedLevels(units[:, :fitted], terms.cover, seed=seed)
        return kept[fitted].at(units[:, :day], services)

    return levels


def _example(units: Floats, start: int, cover: int) -> tuple[Floats, Floats]:
    """Return features and targets of the series that had sold before the start."""
    sells = units[:, :start].any(1)
    x, scale = _features(units[sells, :start], cover)
    return x, units[sells, start : start + cover].sum(1) / scale


def _features(units: Floats, cover: int) -> tuple[Floats, Floats]:
    """Return features [series, 16] and scales [series]; sees no day but those given."""
    days = units.shape[1]
    scale = np.maximum(units[:, -56:].mean(1), 0.05)
    past = units[:, -84:] / scale[:, None]
    last = past[:, -56:]
    sums = np.lib.stride_tricks.sliding_window_view(past, min(cover, past.shape[1]), axis=1).sum(2)
    shop = units[:, -56:].sum(0)
    trend = min(shop[-28:].sum() / shop[:-28].sum(), 100.0) if shop[:-28].sum() > 0 else 1.0
    columns = [past[:, -k:].mean(1) for k in (7, 14, 28, 56, 84)]
    columns += [last.std(1), last.max(1)]
    columns += [np.median(sums, axis=1), np.quantile(sums, 0.9, axis=1), sums.max(1)]
    columns += [(last == 0).mean(1), np.log(scale), np.full(len(units), trend)]
    begin = days - _YEAR
    if begin >= 0:
        columns.append(units[:, begin : begin + cover].sum(1) / scale)
    else:
        columns.append(np.full(len(units), np.nan))
    season = 2 * np.pi * (days % 365.25) / 365.25
    columns += [np.full(len(units), np.sin(season)), np.full(len(units), np.cos(season))]
    return np.stack(columns, axis=1), scale


def _between(steps: Floats, services: Floats) -> Floats:
    """Return levels [services, series] from those of the ladder, straight along the deviate."""
    from scipy.special import ndtri

    rungs, target = ndtri(np.array(_LADDER)), ndtri(services)
    low = np.clip(np.searchsorted(rungs, target) - 1, 0, len(rungs) - 2)
    share = ((target - rungs[low]) / (rungs[low + 1] - rungs[low]))[:, None]
    answer: Floats = np.maximum(steps[low] + share * (steps[low + 1] - steps[low]), 0.0)
    return answer
