"""How good a forecast was: the field's measures, the same in training, benchmarks and service.

`actual` and forecasts are units, [series, days] or any equal shapes; y is what came, p and f what
was forecast.
"""

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats


def pinball(actual: Floats, forecast: Floats, level: float) -> Floats:
    """Return max(q(y − p), (q − 1)(y − p)) of each figure.

    Source: Koenker and Bassett (1978); smallest in expectation where p is the q-quantile.
    """
    if not 0 < level < 1:
        raise InvalidInput("level", f"{level} is not between 0 and 1")
    off = np.asarray(actual, dtype=np.float64) - forecast
    answer: Floats = np.maximum(level * off, (level - 1) * off)
    return answer


def absolute_step(history: Floats) -> Floats:
    """Return mean |y(t) − y(t−1)| of each row from its first sale on; NaN without two such days."""
    return _mean_step(history, np.abs)


def squared_step(history: Floats) -> Floats:
    """Return mean (y(t) − y(t−1))² of each row from its first sale on; NaN as above."""
    return _mean_step(history, np.square)


def scaled_pinball(actual: Floats, forecast: Floats, level: float, history: Floats) -> Floats:
    """Return each series' mean pinball loss over its `absolute_step` (SPL; M5 competition).

    NaN for a series that never moved.
    """
    return _over(pinball(actual, forecast, level).mean(-1), absolute_step(history))


def rmsse(actual: Floats, forecast: Floats, history: Floats) -> Floats:
    """Return each series' √(mean (y − f)² / `squared_step`) (Hyndman and Koehler, 2006).

    NaN for a series that never moved.
    """
    off = ((np.asarray(actual, dtype=np.float64) - forecast) ** 2).mean(-1)
    return np.sqrt(_over(off, squared_step(history)))


def wape(actual: Floats, forecast: Floats) -> float:
    """Return Σ|y − f| / Σy over everything; NaN where nothing was sold."""
    return _over_total(np.abs(actual - forecast), actual)


def bias(actual: Floats, forecast: Floats) -> float:
    """Return Σ(f − y) / Σy over everything; NaN where nothing was sold."""
    return _over_total(forecast - actual, actual)


def coverage(actual: Floats, forecast: Floats) -> float:
    """Return the share of figures at or below their forecast; NaN without any."""
    below = np.asarray(actual) <= np.asarray(forecast) + 1e-9
    return float(below.mean()) if below.size else float("nan")


def weighted(values: Floats, weights: Floats) -> float:
    """Return Σ weight · value / Σ weight over the series that have a value; NaN without any."""
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return float("nan")
    return float((values[known] * weights[known]).sum() / weights[known].sum())


def _over(values: Floats, scale: Floats) -> Floats:
    moved = scale > 0
    return np.where(moved, values / np.where(moved, scale, 1.0), np.nan)


def _over_total(off: Floats, actual: Floats) -> float:
    total = float(np.sum(actual))
    return float(np.sum(off)) / total if total > 0 else float("nan")


def _mean_step(history: Floats, measure: np.ufunc) -> Floats:
    units = np.asarray(history, dtype=np.float64)
    if units.shape[-1] < 2:
        return np.full(units.shape[:-1], np.nan)
    sold = units > 0
    begun = np.cumsum(sold, axis=-1)[..., :-1] > 0
    count = begun.sum(-1)
    steps = np.where(begun, measure(np.diff(units, axis=-1)), 0.0).sum(-1)
    answer: Floats = np.where(count > 0, steps / np.maximum(count, 1), np.nan)
    return answer
