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

USUAL = -2.2
"""Own-price elasticity before the shop has shown its own: the median of 1,851 estimates
(Bijmolt, van Heerde, Pieters 2005; their mean is −2.6)."""
_SHOP_SD = 0.7
"""Standard deviation of shops around `USUAL`."""
_PRODUCT_SD = 0.6
"""Standard deviation of products around their shop."""
_OVERDISPERSION = 2.0
"""Variance of units over their mean within a price: sales are burstier than Poisson's."""
_OTHER_CAUSES = 0.3
"""Standard deviation of a product's sales from one price's time to the next for other reasons
(fashion, display, empty shelves), as a share: many sales do not make an answer certain."""
_TOO_QUIET = 0.01
"""A run of days without a sale that is less likely than this is taken for an empty shelf."""
_STEEPEST, _FLATTEST = -8.0, 0.0
_ROUNDS = 25
_DOUBT = 0.5
"""Standard errors by which a move must still pay."""
_TENTH = 1.2816
"""Normal quantile of 0.9."""


def elasticities(histories: Sequence[PriceHistory]) -> list[Elasticity]:
    """Return each product's price elasticity with its standard error.

    Poisson regression of units on log price with an intercept per product and exposure as offset,
    in two steps: the shop's slope under a normal prior (−2, 0.7), then each product's under
    (shop's slope, 0.6). Days of equal price are summed, and sums weighted by 1/(2 + 0.3²·units)
    for what other than the price moves sales. Days with a price or exposure that is not positive,
    or units that are negative or no number, are left out; so are runs of days without a sale that
    are too long for chance, as on an empty shelf no price sells.
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
    which = np.array(product, dtype=np.int64)
    units, exposure = table[:, 1], table[:, 2]
    weight = _weights(which, units, exposure, len(histories))
    return _Regimes(which, table[:, 0], units * weight, exposure * weight, len(histories))


def _weights(product: Groups, units: Floats, exposure: Floats, products: int) -> Floats:
    """Return what one unit of each sum counts, by what would be sold there at any price."""
    busy = np.maximum(np.bincount(product, exposure, products), 1e-300)
    usual = exposure * (np.bincount(product, units, products) / busy)[product]
    return 1 / (_OVERDISPERSION + _OTHER_CAUSES**2 * usual)


def _sums(history: PriceHistory) -> dict[float, tuple[float, float]]:
    """Return units and exposure per price."""
    days = len(history.prices)
    exposure = history.exposure if history.exposure is not None else [1.0] * days
    if not days == len(history.units) == len(exposure):
        raise InvalidInput("units", "prices, units and exposure differ in length")
    sums: dict[float, tuple[float, float]] = {}
    if min(history.prices, default=0.0) == max(history.prices, default=0.0):
        return sums
    empty = _empty_days(history.units)
    for day, (price, units, busy) in enumerate(
        zip(history.prices, history.units, exposure, strict=True)
    ):
        if (
            day not in empty
            and 0 < price < math.inf
            and 0 < busy < math.inf
            and 0 <= units < math.inf
        ):
            before = sums.get(price, (0.0, 0.0))
            sums[price] = (before[0] + units, before[1] + busy)
    return sums


def _empty_days(units: Sequence[float]) -> set[int]:
    """Return the days on which the shelf was probably empty."""
    selling = sum(sold > 0 for sold in units) / max(1, len(units))
    if not 0 < selling < 1:
        return set()
    longest = math.log(_TOO_QUIET) / math.log(1 - selling)
    found: set[int] = set()
    begin = 0
    for day, sold in enumerate([*units, 1.0]):
        if sold > 0:
            if day - begin > longest:
                found.update(range(begin, day))
            begin = day + 1
    return found


def _slopes(
    rows: _Regimes, slope_of: Groups, prior: Floats, prior_sd: float
) -> tuple[Floats, Floats]:
    """Return slopes under a normal prior, and their precision; `slope_of` maps products to slopes.

    Damped Newton on the likelihood profiled over the products' intercepts.
    """
    slopes = prior.copy()
    information: Floats = np.zeros_like(prior)
    total = np.bincount(rows.product, rows.units, rows.products)
    for _ in range(_ROUNDS):
        mean, variance = _weighted(rows, slopes[slope_of])
        surprise = rows.units * (rows.log_price - mean[rows.product])
        group = slope_of[rows.product]
        pull = (slopes - prior) / prior_sd**2
        gradient = np.bincount(group, surprise, prior.size) - pull
        information = np.bincount(slope_of, total * variance, prior.size).astype(np.float64)
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

    Profit a day at price p: daily·(p/p₀)^e·(p − c), which has one peak, at `markup_price`. As e is
    not known for sure, a price rises only to the peak for an e half a standard error steeper, and
    falls only to the peak for one half an error flatter: a move must pay with a chance of about
    seven in ten, so near its peak a price stays. The interval is the gain at e ± 1.28 standard
    errors: 80 %. Answers are in the order of the questions.
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
    rise = np.clip(_peaks(cost, mean - _DOUBT * error), lowest, highest)
    fall = np.clip(_peaks(cost, mean + _DOUBT * error), lowest, highest)
    stay = np.clip(price, lowest, highest)
    best = np.where(rise > price, rise, np.where(fall < price, fall, stay))

    def gain(e: Floats) -> Floats:
        ratio = np.maximum(best, 1e-12) / price
        answer: Floats = daily * (np.power(ratio, e) * (best - cost) - (price - cost))
        return answer

    ends = gain(mean - _TENTH * error), gain(mean + _TENTH * error)
    table = np.stack([best, gain(mean), np.minimum(*ends), np.maximum(*ends)], axis=1)
    return [PriceAdvice(price=p, gain=g, low=lo, high=hi) for p, g, lo, hi in table.tolist()]


def _peaks(cost: Floats, elasticity: Floats) -> Floats:
    """Return `markup_price` for each product."""
    elastic = elasticity < -1
    return np.where(elastic, cost * elasticity / np.where(elastic, 1 + elasticity, -1.0), np.inf)
