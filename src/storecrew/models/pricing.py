"""Which price earns most, as far as is known how demand answers to it."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import PricePoint, PriceQuery, PriceRecommendation
from storecrew.models.arrays import LARGEST, Floats
from storecrew.models.elasticity import elasticities

__all__ = [
    "best_prices",
    "curve",
    "elasticities",
    "explore_prices",
    "markup_price",
]

_MOOD = 0.25
"""Standard deviation of a week's sales for other reasons than the price, as a share."""
_SHADE = 0.3
"""Standard errors by which an answer is taken for steeper: what seems flat is flat by luck more
often than what seems steep is steep by luck, as prices follow what was learned, and a price that
is too high costs more than one that is too low."""
_FLATTEST = -1.15
"""A flatter answer has its best price at infinity, or nearly: none is explored towards that."""
_DOUBT = 0.5
"""Standard errors by which a move must still pay."""
_NAMES = ("price", "cost", "daily", "elasticity", "error", "lowest", "highest")
_LEAST = np.array([[0.0 if name != "elasticity" else -LARGEST] for name in _NAMES])
_WATCHED = 4.0
"""Weeks at a price after which it is told what has been learned."""
_TENTH = 1.2816
"""Normal quantile of 0.9."""


def markup_price(cost: float, elasticity: float) -> float:
    """Return the price with the highest profit: c·e/(1 + e) for e < −1, else infinite.

    Any positive unit of money. Lerner's rule: (p − c)/p = −1/e.
    """
    return cost * elasticity / (1 + elasticity) if elasticity < -1 else math.inf


def best_prices(questions: Sequence[PriceQuery]) -> list[PriceRecommendation]:
    """Return the most profitable price within each question's bounds, and what it should gain.

    Profit a day at price p: daily·(p/p₀)^e·(p − c), which has one peak, at `markup_price`. As e is
    not known for sure, a price rises only to the peak for an e half a standard error steeper, and
    falls only to the peak for one half an error flatter: a move must pay with a chance of about
    seven in ten, so near its peak a price stays. The interval is the gain at e ± 1.28 standard
    errors: 80 %. Answers are in the order of the questions.
    """
    if not questions:
        return []
    price, cost, _, mean, error, lowest, highest = _columns(questions)
    rise = np.clip(_peaks(cost, mean - _DOUBT * error), lowest, highest)
    fall = np.clip(_peaks(cost, mean + _DOUBT * error), lowest, highest)
    stay = np.clip(price, lowest, highest)
    best = np.where(rise > price, rise, np.where(fall < price, fall, stay))

    return _advice(questions, best)


def explore_prices(
    questions: Sequence[PriceQuery], *, seed: int, reach: float = 0.06, weeks: float = 26.0
) -> list[PriceRecommendation]:
    """Return prices that also teach, where what they teach is worth more than it costs.

    Only for owners who allow it. Around the price p* = c·e/(1 + e) that is best as far as is known,
    a move by δ costs ½·κ·δ² of the profit, κ = e·(1 + e). Not knowing e (standard error s) costs
    ½·s²/κ; a week at p*·(1 ± δ) with w telling units takes s⁴·w·δ² off s², which pays for `weeks`.
    So a price moves by `reach` up or down, drawn from `seed`, where weeks·w·s⁴ > κ², and to p*
    where not; always within the question's bounds. w = 1/(1/units + 0.25²): other reasons move a
    week's sales too. e is taken for 0.3·s steeper. Same questions and seed, same prices.

    Prices that are moved to learn have `error_then`, (1/s² + 2·w·log(p/p₀)²)^-½: four weeks at
    the price p beside four at the present p₀.
    """
    if not 0 <= reach < 1 or not weeks >= 0:
        raise InvalidInput("reach", "must be a share from 0 to 1, weeks 0 or more")
    if seed < 0:
        raise InvalidInput("seed", f"{seed} is less than 0")
    if not questions:
        return []
    price, cost, daily, mean, error, lowest, highest = _columns(questions)
    answer = np.minimum(mean - _SHADE * error, _FLATTEST)
    curved = answer * (1 + answer)
    telling = 1 / (1 / np.maximum(7 * daily, 1e-6) + _MOOD**2)
    pays = weeks * telling * error**4 > curved**2
    way = np.where(np.random.default_rng(seed).random(len(questions)) < 0.5, -1.0, 1.0)
    target = np.clip(_peaks(cost, answer), lowest / (1 + reach), highest / (1 - reach))
    best = np.clip(target * (1 + np.where(pays, way * reach, 0)), lowest, highest)
    information = _WATCHED / 2 * telling * np.log(np.maximum(best, 1e-12) / price) ** 2
    then = error / np.sqrt(1 + error**2 * information)
    return [
        replace(advice, error_then=left) if learns else advice
        for advice, left, learns in zip(
            _advice(questions, best),
            then.tolist(),
            (pays & (information > 0)).tolist(),
            strict=True,
        )
    ]


def curve(
    question: PriceQuery, *, points: int = 21, also: Sequence[float] = ()
) -> list[PricePoint]:
    """Return profit a day along the question's bounds, with what is not known for sure.

    Prices are evenly spaced, but those of `also`, and the present one if it lies within, take the
    place of their neighbours. Units at a price are daily·(p/p₀)^e; `low` and `high` take e 1.28
    standard errors off: 80 %. Lowest price first.
    """
    if points < 2:
        raise InvalidInput("points", "a curve has two points or more")
    if not all(0 < price < LARGEST for price in also):
        raise InvalidInput("also", f"prices must be positive and below {LARGEST:g}")
    _columns([question])
    lowest, highest, held = question.lowest, question.highest, set(also)
    if lowest < question.price < highest:
        held.add(question.price)
    step = (highest - lowest) / (points - 1)
    even = [*(lowest + step * n for n in range(points - 1)), highest]
    free = [price for price in even if all(abs(price - each) > step / 2 for each in held)]
    return [_point(question, price) for price in sorted({*free, *held})]


def _point(question: PriceQuery, price: float) -> PricePoint:
    """Return what the price should bring; plain floats, as curves are asked for one by one."""
    ratio = math.log(max(price, 1e-12) / question.price)
    mean, off = question.elasticity.mean, _TENTH * question.elasticity.error
    units, flat, steep = (
        question.daily * math.exp(min(200.0, max(-200.0, ratio * e)))
        for e in (mean, mean + off, mean - off)
    )
    margin = price - question.cost
    ends = flat * margin, steep * margin
    return PricePoint(
        price=price, units=units, profit=units * margin, low=min(ends), high=max(ends)
    )


def _columns(questions: Sequence[PriceQuery]) -> tuple[Floats, ...]:
    """Return the questions' numbers, one array each; raises `InvalidInput`."""
    rows = [
        (q.price, q.cost, q.daily, q.elasticity.mean, q.elasticity.error, q.lowest, q.highest)
        for q in questions
    ]
    try:
        columns = np.array(rows, dtype=np.float64).T
    except (TypeError, ValueError):
        raise InvalidInput("price", "a question holds what is no number") from None
    sound = (columns >= _LEAST) & (columns < LARGEST)
    if not sound.all():
        name = _NAMES[int(np.argmin(sound.all(axis=1)))]
        raise InvalidInput(name, f"must be a number below {LARGEST:g}, and not negative")
    price, *_, lowest, highest = columns
    if not (price > 0).all():
        raise InvalidInput("price", "must be above zero")
    if not (lowest <= highest).all():
        raise InvalidInput("lowest", "is above `highest`")
    return tuple(columns)


def _advice(questions: Sequence[PriceQuery], best: Floats) -> list[PriceRecommendation]:
    """Return what these prices should gain a day, with an interval of 80 %."""
    price, cost, daily, mean, error, *_ = _columns(questions)

    def gain(e: Floats) -> Floats:
        ratio = np.maximum(best, 1e-12) / price
        answer: Floats = daily * (_power(ratio, e) * (best - cost) - (price - cost))
        return answer

    ends = gain(mean - _TENTH * error), gain(mean + _TENTH * error)
    table = np.stack([best, gain(mean), np.minimum(*ends), np.maximum(*ends)], axis=1)
    return [
        PriceRecommendation(price=p, gain=g, low=lo, high=hi) for p, g, lo, hi in table.tolist()
    ]


def _power(ratio: Floats, e: Floats) -> Floats:
    """Return ratio^e, as far as a float reaches."""
    return np.asarray(np.exp(np.clip(np.log(ratio) * e, -200.0, 200.0)))


def _peaks(cost: Floats, elasticity: Floats) -> Floats:
    """Return `markup_price` for each product."""
    elastic = elasticity < -1
    return np.where(elastic, cost * elasticity / np.where(elastic, 1 + elasticity, -1.0), np.inf)
