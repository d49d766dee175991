"""How demand answers to prices: one slope per product, leaning on those of the whole shop."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import Elasticity, PriceHistory
from storecrew.models.arrays import LARGEST, Floats

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
_WEEK = 7.0
_LASTING = 0.2
"""Share of those other reasons that no length of time averages out."""
_SPAN = 56
"""Days in which a product's level is taken for steady: prices are compared within such a span, so
that a season or a fashion is not taken for an answer to a price."""
_TOO_QUIET = 0.01
"""A run of days without a sale that is less likely than this is taken for an empty shelf."""
_DAYS, _BURSTIEST = 50.0, 10.0
"""Units' worth of doubt about how bursty daily sales are, and the burstiest that is believed."""
_DOUBT_OF_OTHER, _DOUBT_OF_SPREAD = 20.0, 20.0
"""Weeks, and products, after which what is learned counts more than what is usual."""
_CROSS, _CROSS_SD = 0.5, 0.3
"""Demand won, in per cent, when rivals ask one per cent more, before the shop has shown it:
cross elasticities of the literature lie between 0 and 1 (Auer, Papies 2020: mean 0.26)."""
_LEARNING = 4
"""Rounds of learning; later ones change the second decimal."""
_STEEPEST, _FLATTEST = -8.0, 0.0
_ROUNDS = 25


@dataclass(frozen=True)
class _Regimes:
    """Units and exposure per product, span of time and price, flat.

    `product` numbers the spans: each has a level of its own, and only spans with several prices
    are here. `owner` says whose they are.
    """

    product: Groups
    log_price: Floats
    log_competitor: Floats
    units: Floats
    exposure: Floats
    days: Floats
    owner: Groups

    @property
    def products(self) -> int:
        """Return the number of spans."""
        return self.owner.size


def elasticities(histories: Sequence[PriceHistory]) -> list[Elasticity]:
    """Return each product's price elasticity with its standard error.

    Poisson regression of units on log price with exposure as offset and an intercept per product
    and 56 days, in two steps: the shop's slope under a normal prior (−2.2, 0.7), then each
    product's under (shop's slope, s). How far products differ (s, at first 0.6), how bursty daily
    sales are and how much a week's sales move for other reasons is learned from all products
    together, by EM and moments. Rivals' prices, where given, take their own share of the moves.
    Days of equal prices are summed. Left out are days with a price or exposure that is not
    positive, with units that are negative, or with what is no number or absurdly large; and runs
    of days without a sale that are too long for chance, as on an empty shelf no price sells.
    """
    bare, bursts = _regimes(histories)
    count = len(histories)
    if bare.units.size == 0:
        return [Elasticity(mean=USUAL, error=math.hypot(_SHOP_SD, _PRODUCT_SD))] * count
    slopes, other, spread = np.full(count, USUAL), _OTHER_CAUSES**2, _PRODUCT_SD
    for _ in range(_LEARNING):
        rows = _weighted_by_trust(_beside_competitors(bare, slopes, bursts), bursts, other)
        one = np.zeros_like(rows.owner)
        shop, shop_precision = _slopes(rows, one, np.array([USUAL]), _SHOP_SD)
        slopes, precision = _slopes(rows, rows.owner, np.full(count, shop[0]), spread)
        other = _other_causes(bare, slopes, bursts)
        owners = np.unique(rows.owner)
        around = ((slopes - shop[0]) ** 2 + 1 / precision)[owners].sum()
        around += _DOUBT_OF_SPREAD * _PRODUCT_SD**2
        spread = math.sqrt(around / (owners.size + _DOUBT_OF_SPREAD))
    leaning = 1 / (spread**2 * precision)
    errors = np.sqrt(1 / precision + leaning**2 / shop_precision[0])
    return [Elasticity(mean=float(b), error=float(s)) for b, s in zip(slopes, errors, strict=True)]


def _regimes(histories: Sequence[PriceHistory]) -> tuple[_Regimes, float]:
    """Return the sums, and the variance of daily units over their mean at one price."""
    span: list[int] = []
    owner: list[int] = []
    rows: list[tuple[float, ...]] = []
    for number, history in enumerate(histories):
        for sums in _sums(history):
            rows += [(math.log(p), math.log(r) if r else 0.0, *t) for (p, r), t in sums.items()]
            span += [len(owner)] * len(sums)
            owner.append(number)
    table = np.array(rows, dtype=np.float64).reshape(-1, 6)
    log_price, log_competitor, units, squares, exposure, days = table.T
    which, own = np.array(span, dtype=np.int64), np.array(owner, dtype=np.int64)
    varied = (squares - units**2 / np.maximum(days, 1)).sum() + _DAYS * _OVERDISPERSION
    chance = (units * (1 - 1 / np.maximum(days, 1))).sum() + _DAYS
    bursts = float(np.clip(varied / chance, 1.0, _BURSTIEST))
    return _Regimes(which, log_price, log_competitor, units, exposure, days, own), bursts


def _weighted_by_trust(rows: _Regimes, bursts: float, other: float) -> _Regimes:
    """Return the sums times what one unit of each counts, by what is sold there at any price."""
    usual = _usual(rows, np.zeros(rows.units.size))
    weight = 1 / (bursts + other * _unsteady(rows) * usual)
    return replace(rows, units=rows.units * weight, exposure=rows.exposure * weight)


def _unsteady(rows: _Regimes) -> Floats:
    """Return how much of the other reasons is left at each price, by how long it stood."""
    return np.asarray(np.maximum(_WEEK / np.maximum(rows.days, 1.0), _LASTING))


def _usual(rows: _Regimes, answer: Floats) -> Floats:
    """Return the units expected of each sum, given the logarithm of its answer to the price."""
    busy = rows.exposure * np.exp(np.clip(answer, -50, 50))
    total = np.maximum(np.bincount(rows.product, busy, rows.products), 1e-300)
    sold = np.bincount(rows.product, rows.units, rows.products)
    return np.asarray(busy * (sold / total)[rows.product])


def _other_causes(rows: _Regimes, slopes: Floats, bursts: float) -> float:
    """Return the variance, as a share squared, of a week's sales beyond chance and price.

    By moments over all products: what their sums are off beyond `bursts`, drawn towards 0.3².
    """
    mean = _usual(rows, slopes[rows.owner][rows.product] * rows.log_price)
    trust = 1 / (bursts + _OTHER_CAUSES**2 * mean) ** 2
    left = 1 - rows.products / max(rows.units.size, rows.products + 1)  # a level each is fitted
    off = trust * ((rows.units - mean) ** 2 / left - bursts * mean)
    room = (trust * _unsteady(rows) * mean**2).sum() + _DOUBT_OF_OTHER
    return float(max(0.0, off.sum() + _DOUBT_OF_OTHER * _OTHER_CAUSES**2) / room)


def _beside_competitors(rows: _Regimes, slopes: Floats, bursts: float) -> _Regimes:
    """Return the sums with exposures as they would be at competitors' usual prices.

    The cross elasticity, one for the shop, by one Newton step from the prior (0.5, 0.3).
    """
    known = rows.log_competitor != 0.0
    if not known.any():
        return rows
    answer = slopes[rows.owner][rows.product] * rows.log_price
    mean = _usual(rows, answer)
    total = np.maximum(np.bincount(rows.product, mean, rows.products), 1e-300)
    centre = np.bincount(rows.product, mean * rows.log_competitor, rows.products) / total
    x = np.where(known, rows.log_competitor - centre[rows.product], 0.0)
    trust = 1 / (bursts + _OTHER_CAUSES**2 * _unsteady(rows) * mean)
    surprise = (trust * x * (rows.units - mean * (1 + _CROSS * x))).sum()
    information = (trust * mean * x * x).sum() + 1 / _CROSS_SD**2
    cross = float(np.clip(_CROSS + surprise / information, 0.0, 2.0))
    return replace(rows, exposure=rows.exposure * np.exp(np.clip(cross * x, -1.0, 1.0)))


def _sums(history: PriceHistory) -> list[dict[tuple[float, float], tuple[float, ...]]]:
    """Return units, their squares, exposure, days per own and competitor's price, of each span."""
    days = len(history.prices)
    exposure = history.exposure if history.exposure is not None else [1.0] * days
    competitors = history.competitors if history.competitors is not None else [0.0] * days
    if not days == len(history.units) == len(exposure) == len(competitors):
        raise InvalidInput("units", "prices, units, exposure and rivals differ in length")
    if min(history.prices, default=0.0) == max(history.prices, default=0.0):
        return []
    empty = _empty_days(history.units)
    spans: dict[int, dict[tuple[float, float], tuple[float, ...]]] = {}
    for day, (price, units, busy) in enumerate(
        zip(history.prices, history.units, exposure, strict=True)
    ):
        if day not in empty and _is_sound(price, units, busy):
            competitor = competitors[day] if 0 < competitors[day] < math.inf else 0.0
            sums = spans.setdefault((days - 1 - day) // _SPAN, {})
            u, u2, e, n = sums.get((price, competitor), (0.0, 0.0, 0.0, 0.0))
            sums[price, competitor] = (u + units, u2 + units * units, e + busy, n + 1)
    return [sums for sums in spans.values() if len({price for price, _ in sums}) > 1]


def _is_sound(price: float, units: float, busy: float) -> bool:
    return 0 < price < LARGEST and 0 < busy < LARGEST and 0 <= units < LARGEST


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
