"""From what the shop looks like to the moves worth proposing. Pure: no store, no clock."""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zlib import crc32

from storecrew.agents.pricing.limits import rounded_towards
from storecrew.agents.pricing.settings import PricingSettings
from storecrew.agents.pricing.snapshot import PricingSnapshot
from storecrew.domain.control.proposals import Evidence
from storecrew.domain.money import Money
from storecrew.domain.ports.models import (
    Elasticity,
    Models,
    PricePoint,
    PriceQuery,
    PriceRecommendation,
)
from storecrew.domain.shop.catalog import Product, SetPrice, floor_price
from storecrew.sdk import Effect, Proposal

_MONTH = 30
_REACH = 0.06
"""Farthest that a price is moved to learn, as a share; the step may hold it nearer."""
_POINTS = 7
"""Prices on the curve that an owner is shown."""


@dataclass(frozen=True)
class _Asked:
    product: Product
    question: PriceQuery


@dataclass(frozen=True)
class _DesiredPrice:
    asked: _Asked
    price: float
    error_then: float | None = None
    """What is left of the doubt about the elasticity, where the price is moved to learn."""
    forgone: float = 0.0
    """Gain a day that the best price known would bring in its place."""


def propose_price_changes(
    shop: PricingSnapshot, settings: PricingSettings, models: Models, urgent: Collection[str] = ()
) -> Iterator[Proposal]:
    """Yield the price moves that pay, and those that lift a price to its floor.

    `urgent` are products about which there is news: they need not wait out the holding time.
    """
    asked: list[_Asked] = []
    for product in shop.products:
        if not _is_priced(product) or _moved_within(shop, product.sku, timedelta(days=1)):
            continue
        if _below_floor(product, settings):
            yield _lift(product, settings)
        elif product.sku in urgent or not _moved_within(
            shop, product.sku, _hold(product, settings)
        ):
            asked += _ask(shop, product, settings)
    questions = [each.question for each in asked]
    best = models.best_prices(questions)
    teaching = _teaching(shop, settings, models, questions)
    for each, surest, lesson in zip(asked, best, teaching, strict=True):
        if (desired := _desired_price(shop, each, settings, surest, lesson)) is not None:
            yield from _move(shop, desired, models, settings)


def _teaching(
    shop: PricingSnapshot,
    settings: PricingSettings,
    models: Models,
    questions: Sequence[PriceQuery],
) -> Sequence[PriceRecommendation | None]:
    """Return prices worth moving to learn, where the owner allows it; the same all day."""
    if not settings.explore:
        return [None] * len(questions)
    seed = shop.now.date().toordinal()
    found = models.explore_prices(questions, seed=seed, reach=min(_REACH, settings.step))
    return [advice if advice.error_then is not None else None for advice in found]


def _desired_price(
    shop: PricingSnapshot,
    each: _Asked,
    settings: PricingSettings,
    best: PriceRecommendation,
    teaching: PriceRecommendation | None,
) -> _DesiredPrice | None:
    """Return the price to propose: the one that teaches, else the best one if it pays."""
    pays = _pays(each, best, settings)
    if teaching is not None and not _cuts_the_scarce(shop, each, teaching, settings):
        forgone = best.gain if pays else 0.0
        return _DesiredPrice(each, teaching.price, teaching.error_then, forgone)
    if pays and not _cuts_the_scarce(shop, each, best, settings):
        return _DesiredPrice(each, best.price)
    return None


def _is_priced(product: Product) -> bool:
    """Tell whether enough is known to price it: a cost in the price's own currency."""
    cost, price = product.cost, product.price
    return (
        cost is not None
        and cost.currency == price.currency
        and cost.amount > 0
        and price.amount > 0
    )


def _moved_within(shop: PricingSnapshot, sku: str, span: timedelta) -> bool:
    changes = shop.changes.get(sku)
    return bool(changes) and any(c.previous and c.at > shop.now - span for c in changes or ())


def _hold(product: Product, settings: PricingSettings) -> timedelta:
    """Return how long a price stays: spread over products, so that moves do not fall together."""
    spread = crc32(product.sku.encode()) % 1000 / 1000
    return timedelta(days=settings.min_hold_days * (1 + spread))


def _cost(product: Product) -> float:
    return float(product.cost.amount) if product.cost else 0.0


def _below_floor(product: Product, settings: PricingSettings) -> bool:
    nearly = float(product.price.amount) * (1 - settings.margin_floor) < _cost(product) * 1.001
    return (
        nearly
        and product.cost is not None
        and (product.price < floor_price(product.cost, settings.margin_floor))
    )


def _lift(product: Product, settings: PricingSettings) -> Proposal:
    """Propose the floor itself: whatever is less would be below it."""
    floor = floor_price(product.cost or product.price, settings.margin_floor).rounded_up()
    return Proposal(
        action=SetPrice(sku=product.sku, price=floor, expected_price=product.price),
        reason=f"The price leaves less than a margin of {settings.margin_floor:.0%}.",
        evidence={
            "price": str(product.price),
            "proposed": str(floor),
            "cost": str(product.cost),
            "floor": str(floor),
        },
        assumptions=_assumptions(product),
    )


def _ask(shop: PricingSnapshot, product: Product, settings: PricingSettings) -> list[_Asked]:
    """Return the product's question, or nothing where nothing sells or nothing may move."""
    forecast = shop.forecasts.get(product.sku)
    if forecast is None or forecast.daily <= 0:
        return []
    price, cost = float(product.price.amount), _cost(product)
    start = _start(shop, product)
    lowest = max(
        cost / (1 - settings.margin_floor),
        price * (1 - settings.step),
        start * (1 - settings.max_drift),
    )
    highest = min(price * (1 + settings.step), start * (1 + settings.max_drift))
    competitor = shop.competitor_median(product.sku)
    if competitor is not None:
        highest = min(highest, max(price, competitor * (1 + settings.max_above_competitors)))
    if lowest > highest:
        return []
    question = PriceQuery(
        price=price,
        cost=cost,
        daily=forecast.daily,
        elasticity=_beside_competitors(shop.elasticity(product.sku), price, competitor),
        lowest=lowest,
        highest=highest,
    )
    return [_Asked(product, question)]


def _beside_competitors(known: Elasticity, price: float, competitor: float | None) -> Elasticity:
    """Return the elasticity at this distance from the competitors' median.

    Customers who compare answer more the dearer we are: in proportion, as in a logit of choices,
    and within bounds, as rivals' prices are only observations.
    """
    if competitor is None:
        return known
    return Elasticity(mean=known.mean * min(1.3, max(0.8, price / competitor)), error=known.error)


def _start(shop: PricingSnapshot, product: Product) -> float:
    """Return the price at the beginning of the history looked at."""
    changes = shop.changes.get(product.sku)
    first = (changes[0].previous or changes[0].price) if changes else product.price
    return float(first.amount) or float(product.price.amount)


def _pays(each: _Asked, advice: PriceRecommendation, settings: PricingSettings) -> bool:
    question = each.question
    profit = question.daily * max(question.price - question.cost, 0.0)
    return advice.gain >= max(settings.min_gain * profit, settings.min_gain_per_month / _MONTH)


def _cover(shop: PricingSnapshot, each: _Asked) -> float:
    return max(0, shop.available.get(each.product.sku, 0)) / each.question.daily


def _cuts_the_scarce(
    shop: PricingSnapshot, each: _Asked, advice: PriceRecommendation, settings: PricingSettings
) -> bool:
    scarce = each.product.stocked and _cover(shop, each) < settings.low_stock_days
    return scarce and advice.price < each.question.price


def _move(
    shop: PricingSnapshot, desired: _DesiredPrice, models: Models, settings: PricingSettings
) -> Iterator[Proposal]:
    product, question = desired.asked.product, desired.asked.question
    floor = floor_price(product.cost or product.price, settings.margin_floor).rounded_up()
    price = max(floor, rounded_towards(product.price, desired.price))
    if price == product.price:
        return
    then = float(price.amount)
    curve = models.price_curve(question, points=_POINTS, also=(question.price, then))
    effect = _effect(curve, question.price, then, price.currency)
    yield Proposal(
        action=SetPrice(sku=product.sku, price=price, expected_price=product.price),
        reason=_reason(desired, price, effect),
        evidence={
            "price": str(product.price),
            "proposed": str(price),
            "cost": str(product.cost),
            "floor": str(floor),
            "margin_now": round(1 - question.cost / question.price, 3),
            "margin_then": round(1 - question.cost / then, 3),
            "daily_demand": round(question.daily, 3),
            "elasticity": round(question.elasticity.mean, 2),
            "elasticity_error": round(question.elasticity.error, 2),
            **_around(shop, desired.asked),
            **_learning(desired, effect),
            "effect_days": _MONTH,
            "curve": [_shown(point) for point in curve],
        },
        effect=effect,
        assumptions=_assumptions(product),
    )


def _around(shop: PricingSnapshot, each: _Asked) -> Mapping[str, Evidence]:
    """Return the evidence on competitors' prices and stock."""
    cover, competitor = _cover(shop, each), shop.competitor_median(each.product.sku)
    return {
        "competitor_median": round(competitor, 2) if competitor is not None else None,
        "rivals": len(shop.competitor_prices.get(each.product.sku, ())),
        "days_of_cover": round(cover, 1) if math.isfinite(cover) else None,
    }


def _reason(desired: _DesiredPrice, price: Money, effect: Effect) -> str:
    product, known = desired.asked.product, desired.asked.question.elasticity
    way = "Raise" if price > product.price else "Cut"
    move = f"{way} by {abs(_share(price, product.price)):.1%}"
    if desired.error_then is None:
        return f"{move}: a price 1 % higher sells {-known.mean:.1f} % less."
    return (
        f"{move} to learn how demand answers to the price: expected to cost "
        f"{_price_of_learning(desired, effect)} in {_MONTH} days, and to take the doubt about the "
        f"elasticity from ±{known.error:.2f} to ±{desired.error_then:.2f} in four weeks."
    )


def _price_of_learning(desired: _DesiredPrice, effect: Effect) -> Money:
    """Return what the month should bring less than at the best price known; at least nothing."""
    best = _monthly(desired.forgone, effect.expected.currency)
    return max(best - effect.expected, best - best)


def _learning(desired: _DesiredPrice, effect: Effect) -> Mapping[str, Evidence]:
    """Return what is said of a price that is moved to learn; of others nothing."""
    if desired.error_then is None:
        return {}
    return {
        "moved_to_learn": True,
        "learning_costs": str(_price_of_learning(desired, effect)),
        "elasticity_error_then": round(desired.error_then, 3),
    }


def _share(price: Money, present: Money) -> float:
    return float(price.amount / present.amount) - 1


def _monthly(daily: float, currency: str) -> Money:
    return Money(Decimal(str(round(daily * _MONTH, 4))), currency).rounded()


def _shown(point: PricePoint) -> Mapping[str, float]:
    """Return units and profit a day at a price."""
    return {
        "price": round(point.price, 4),
        "units": round(point.units, 4),
        "low": round(point.low, 4),
        "profit": round(point.profit, 4),
        "high": round(point.high, 4),
    }


def _effect(curve: Sequence[PricePoint], present: float, price: float, currency: str) -> Effect:
    """Return the gain over a month, with its interval, as the curve has it."""
    at = {point.price: point for point in curve}
    now, then = at[present].profit, at[price]
    low, expected, high = (
        _monthly(profit - now, currency) for profit in (then.low, then.profit, then.high)
    )
    return Effect(low=low, expected=expected, high=high)


_NAMES = {"cost": "cost", "stock": "stock level"}
"""What a price rests on of what may be assumed of a product, as an owner calls it."""


def _assumptions(product: Product) -> tuple[str, ...]:
    return tuple(_NAMES[name] for name in product.assumed if name in _NAMES)
