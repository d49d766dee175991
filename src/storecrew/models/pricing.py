"""How demand answers to prices, and which price earns most. Constant elasticity, shrunk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.advice import Elasticity, PriceAdvice, PriceHistory, PriceQuestion
from storecrew.domain.errors import InvalidInput

Floats = NDArray[np.float64]
Groups = NDArray[np.int64]

USUAL = -2.0
"""Mean own-price elasticity before the shop has shown its own. Meta-analysis of 1,851 estimates:
mean −2.6, median −2.2 (Bijmolt, van Heerde, Pieters 2005); nearer to zero is the careful side
for cuts, and bounds keep rises small."""
_SHOP_SD = 0.7
"""Standard deviation of shops around `USUAL`."""
_PRODUCT_SD = 0.6
"""Standard deviation of products around their shop."""
_OVERDISPERSION = 2.0
"""Least variance of daily units over their mean: sales are burstier than Poisson's."""
_STEEPEST, _FLATTEST = -8.0, 0.0
_ROUNDS = 25
_TENTH = 1.2816
"""Normal quantile of 0.9."""


def elasticities(histories: Sequence[PriceHistory]) -> list[Elasticity]:
    """Return each product's price elasticity with its standard error.

    Poisson regression of units on log price with an intercept per product and exposure as offset,
    in two steps: the shop's slope under a normal prior (−2, 0.7), then each product's under
    (shop's slope, 0.6). Days of equal price are summed, which loses nothing. Days with a price or
    exposure that is not positive, or units that are negative or no number, are left out.
    """
    rows = _regimes(histories)
    count = len(histories)
    if rows.units.size == 0:
        return [Elasticity(mean=USUAL, error=math.hypot(_SHOP_SD, _PRODUCT_SD))] * count
    one = np.zeros(count, dtype=np.int64)
    shop, shop_precision = _slopes(rows, one, np.array([USUAL]), _SHOP_SD)
    each = np.arange(count, dtype=np.int64)
    slopes, precision = _slopes(rows, each, np.full(count, shop[0]), _PRODUCT_SD)
    leaning = 1 / (_PRODUCT_SD**2 * precision)
    errors = np.sqrt(1 / precision + leaning**2 / shop_precision[0])
    return [Elasticity(mean=float(b), error=float(s)) for b, s in zip(slopes, errors, strict=True)]


@dataclass(frozen=True)
class _Regimes:
    """Units and exposure per product and price, flat; only products seen at several prices."""

    product: Groups
    log_price: Floats
    units: Floats
    exposure: Floats
    products: int


def _regimes(histories: Sequence[PriceHistory]) -> _Regimes:
    product: list[int] = []
    rows: list[tuple[float, float, float]] = []
    for number, history in enumerate(histories):
        sums = _sums(history)
        if len(sums) > 1:
            rows += [(math.log(price), *total) for price, total in sums.items()]
            product += [number] * len(sums)
    table = np.array(rows, dtype=np.float64).reshape(-1, 3)
    return _Regimes(
        np.array(product, dtype=np.int64), table[:, 0], table[:, 1], table[:, 2], len(histories)
    )


def _sums(history: PriceHistory) -> dict[float, tuple[float, float]]:
    """Return units and exposure per price."""
    days = len(history.prices)
    exposure = history.exposure if history.exposure is not None else [1.0] * days
    if not days == len(history.units) == len(exposure):
        raise InvalidInput("units", "prices, units and exposure differ in length")
    sums: dict[float, tuple[float, float]] = {}
    for price, units, busy in zip(history.prices, history.units, exposure, strict=True):
        if 0 < price < math.inf and 0 < busy < math.inf and 0 <= units < math.inf:
            before = sums.get(price, (0.0, 0.0))
            sums[price] = (before[0] + units, before[1] + busy)
    return sums


def _slopes(
    rows: _Regimes, slope_of: Groups, prior: Floats, prior_sd: float
) -> tuple[Floats, Floats]:
    """Return slopes under a normal prior, and their precision; `slope_of` maps products to slopes.

    Damped Newton on the likelihood profiled over the products' intercepts.
    """
    slopes = prior.copy()
    information = np.zeros_like(prior)
    total = np.bincount(rows.product, rows.units, rows.products)
    for _ in range(_ROUNDS):
        mean, variance = _weighted(rows, slopes[slope_of])
        surprise = rows.units * (rows.log_price - mean[rows.product])
        group = slope_of[rows.product]
        gradient = np.bincount(group, surprise, prior.size) / _OVERDISPERSION
        information = np.bincount(slope_of, total * variance, prior.size) / _OVERDISPERSION
        gradient -= (slopes - prior) / prior_sd**2
        step = np.clip(gradient / (information + 1 / prior_sd**2), -0.5, 0.5)
        slopes = np.clip(slopes + step, _STEEPEST, _FLATTEST)
        if np.abs(step).max() < 1e-6:
            break
    return slopes, information + 1 / prior_sd**2


def _weighted(rows: _Regimes, slopes: Floats) -> tuple[Floats, Floats]:
    """Return mean and variance of log price per product, weighted by expected units."""
    centre = np.bincount(rows.product, rows.log_price, rows.products) / np.maximum(
        np.bincount(rows.product, minlength=rows.products), 1
    )
    x = rows.log_price - centre[rows.product]
    weight = rows.exposure * np.exp(np.clip(slopes[rows.product] * x, -50, 50))
    total = np.maximum(np.bincount(rows.product, weight, rows.products), 1e-300)
    mean = np.bincount(rows.product, weight * x, rows.products) / total
    square = np.bincount(rows.product, weight * x * x, rows.products) / total
    return mean + centre, np.maximum(square - mean**2, 0.0)


def markup_price(cost: float, elasticity: float) -> float:
    """Return the price with the highest profit: c·e/(1 + e) for e < −1, else infinite.

    Any positive unit of money. Lerner's rule: (p − c)/p = −1/e.
    """
    return cost * elasticity / (1 + elasticity) if elasticity < -1 else math.inf


def best_prices(questions: Sequence[PriceQuestion]) -> list[PriceAdvice]:
    """Return the most profitable price within each question's bounds, and what it should gain.

    Profit a day at price p: daily·(p/p₀)^e·(p − c), which has one peak, at `markup_price`; so the
    best allowed price is that peak moved into the bounds. The interval is the gain at
    e ± 1.28 standard errors: 80 %. Answers are in the order of the questions.
    """
    if not questions:
        return []
    columns = np.array(
        [
            (q.price, q.cost, q.daily, q.elasticity.mean, q.elasticity.error, q.lowest, q.highest)
            for q in questions
        ],
        dtype=np.float64,
    ).T
    price, cost, daily, mean, error, lowest, highest = columns
    if not (np.isfinite(columns).all() and (price > 0).all() and (lowest <= highest).all()):
        raise InvalidInput("price", "prices must be positive and finite, bounds in order")
    elastic = mean < -1
    peak = np.where(elastic, cost * mean / np.where(elastic, 1 + mean, -1.0), np.inf)
    best = np.clip(peak, lowest, highest)

    def gain(e: Floats) -> Floats:
        ratio = np.maximum(best, 1e-12) / price
        answer: Floats = daily * (np.power(ratio, e) * (best - cost) - (price - cost))
        return answer

    ends = gain(mean - _TENTH * error), gain(mean + _TENTH * error)
    table = np.stack([best, gain(mean), np.minimum(*ends), np.maximum(*ends)], axis=1)
    return [PriceAdvice(price=p, gain=g, low=lo, high=hi) for p, g, lo, hi in table.tolist()]
