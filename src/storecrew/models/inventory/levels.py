"""Order-up-to levels of many series at once: quantiles of a gamma with a shrunken spread.

    demand over k days ~ Gamma(mean k·μ, variance k·(CV·μ)² + (μ·sd of the lead time)²)

μ is the mean of the means of the last 28 and 56 days, with single days capped at a quantile of the
series' last 112 days, so that one bulk order does not fill the warehouse. CV is a series' own
coefficient of variation drawn (in logarithms) towards what is usual: the median series', or that
of series that sell as much (a robust line through log CV over log μ), for slow sellers always vary
more. Source: the gamma of Burgin (1975, "The gamma distribution and inventory control") with
shrinkage as in James and Stein.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats, floats
from storecrew.models.demand.history import MOST_UNITS

WINDOW = 112
"""Days that spread and cap rest on."""
_HUBER = 1.345
"""Residuals, in deviations, from which a series pulls the line no further (Huber, 1964)."""
_ROUNDS = 5
_FEW = 8
"""Series under which no line is drawn."""
_LEAST_CV, _MOST_CV = 0.02, 50.0
_LONGEST = 1e6
"""Days that nobody keeps stock for."""


@dataclass(frozen=True, kw_only=True)
class StockRule:
    """One way to judge level and spread."""

    name: str
    cap: float
    """Quantile of a series' days at which single days are capped for the level; 1: not at all."""
    own: float
    """Weight of a series' own spread; the rest is what is usual."""
    by_level: bool
    """Whether usual means: for series that sell as much; else the median series'."""


RULES: tuple[StockRule, ...] = (
    StockRule(name="capped level, spread by level", cap=0.99, own=0.25, by_level=True),
    StockRule(name="half own spread, by level", cap=0.95, own=0.5, by_level=True),
    StockRule(name="half own spread, median", cap=1.0, own=0.5, by_level=False),
    StockRule(name="capped level, median spread", cap=0.97, own=0.25, by_level=False),
)
"""The first is taken unless a replay of the shop's past clearly prefers another."""


def order_up_to(
    units: Floats,
    *,
    days: float,
    services: Sequence[float] | Floats,
    rule: StockRule = RULES[0],
    lead_sd: float = 0.0,
    ahead: Floats | None = None,
) -> Floats:
    """Return the stock that lasts `days` days with each chance of `services`: [services, series].

    `units` [series, days of history], oldest day first; not rounded. `ahead` [series], where there
    is one, is the units that a forecast expects over those days: half of the level is then its.
    Series that did not sell in the last 56 days and are not expected to need 0. Grows with
    services, and for services from 0.5 on with `days`.
    """
    # scipy takes a quarter of a second to import
    from scipy.special import gammaincinv

    target = np.asarray(services, dtype=np.float64)
    if not ((target > 0) & (target < 1)).all():
        raise InvalidInput("services", "must lie between 0 and 1")
    for name, span in (("days", days), ("lead_sd", lead_sd)):
        if not 0 <= span < _LONGEST:
            raise InvalidInput(name, f"must lie between 0 and {_LONGEST:g}")
    level, cv = level_and_spread(units, rule)
    if ahead is not None and days > 0:
        level = (level + _checked(ahead, len(level)) / days) / 2
    sells = (level > 0) & (days > 0)
    cv2 = cv**2 / max(days, 1e-9) + (lead_sd / max(days, 1e-9)) ** 2
    shape = 1 / np.where(sells, cv2, 1.0)
    factor = gammaincinv(shape[None, :], target[:, None]) / shape
    answer: Floats = np.where(sells, factor * level * days, 0.0)
    return answer


def _checked(ahead: Floats, count: int) -> Floats:
    units = floats("ahead", ahead)
    if units.shape != (count,):
        raise InvalidInput("ahead", "must be one number per series")
    return units


def level_and_spread(units: Floats, rule: StockRule) -> tuple[Floats, Floats]:
    """Return each series' units a day, and the coefficient of variation of one day."""
    units = floats("units", units, most=MOST_UNITS)
    if units.ndim != 2:
        raise InvalidInput("units", "must be one row of days per series")
    if units.shape[1] == 0:
        return np.zeros(len(units)), np.ones(len(units))
    window = units[:, -WINDOW:]
    cap = np.quantile(window, rule.cap, axis=1)[:, None]
    # a cap of zero is that of a series that hardly sells: its few sales are all there is
    capped = np.where(cap > 0, np.minimum(window, cap), window)
    level = (capped[:, -28:].mean(1) + capped[:, -56:].mean(1)) / 2
    sells = level > 0
    own = np.clip(window.std(1) / np.where(sells, level, 1.0), _LEAST_CV, _MOST_CV)
    usual = _usual(np.log(np.where(sells, level, 1.0)), np.log(own), sells, by_level=rule.by_level)
    return level, np.exp(rule.own * np.log(own) + (1 - rule.own) * usual)


def _usual(level: Floats, spread: Floats, sells: Floats, *, by_level: bool) -> Floats:
    """Return the usual log CV for each series."""
    if not sells.any():
        return spread
    middle = np.full(len(spread), np.median(spread[sells]))
    x, y = level[sells], spread[sells]
    if not by_level or len(x) < _FEW or np.ptp(x) <= 0:
        return middle
    design = np.stack([np.ones(len(x)), x], axis=1)
    weight = np.ones(len(x))
    for _ in range(_ROUNDS):
        root = np.sqrt(weight)
        line = np.linalg.lstsq(design * root[:, None], y * root, rcond=None)[0]
        off = np.abs(y - design @ line)
        deviation = max(1.4826 * float(np.median(off)), 1e-9)
        weight = np.minimum(1.0, _HUBER * deviation / np.maximum(off, 1e-12))
    answer: Floats = np.clip(line[0] + line[1] * level, np.log(_LEAST_CV), np.log(_MOST_CV))
    return answer
