"""From what the shop looks like to the moves worth proposing. Pure: no store, no clock."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from zlib import crc32

from storecrew.agents.pricing.guard import PricingTerms, floor_price, rounded_towards
from storecrew.agents.pricing.shop import Shop
from storecrew.domain.actions import SetPrice
from storecrew.domain.advice import Elasticity, PriceAdvice, PriceQuestion
from storecrew.domain.commerce import Product
from storecrew.domain.money import Money
from storecrew.domain.ports import Models
from storecrew.sdk import Effect, Proposal

_MONTH = 30


@dataclass(frozen=True)
class _Asked:
    product: Product
    question: PriceQuestion


def moves(
    shop: Shop, terms: PricingTerms, models: Models, urgent: Collection[str] = ()
) -> Iterator[Proposal]:
    """Yield the price moves that pay, and those that lift a price to its floor.

    `urgent` are products about which there is news: they need not wait out the holding time.
    """
    asked: list[_Asked] = []
    for product in shop.products:
        if not _is_priced(product) or _moved_within(shop, product.sku, timedelta(days=1)):
            continue
        if _below_floor(product, terms):
            yield _lift(product, terms)
        elif product.sku in urgent or not _moved_within(shop, product.sku, _hold(product, terms)):
            asked += _ask(shop, product, terms)
    answers = models.best_prices([each.question for each in asked])
    for each, advice in zip(asked, answers, strict=True):
        if _pays(each, advice, terms) and not _cuts_the_scarce(shop, each, advice, terms):
            yield from _move(shop, each, advice, terms)


def _is_priced(product: Product) -> bool:
    """Tell whether enough is known to price it: a cost in the price's own currency."""
    cost, price = product.cost, product.price
    return (
        cost is not None
        and cost.currency == price.currency
        and cost.amount > 0
        and price.amount > 0
    )


def _moved_within(shop: Shop, sku: str, span: timedelta) -> bool:
    changes = shop.changes.get(sku)
    return bool(changes) and any(c.previous and c.at > shop.now - span for c in changes or ())


def _hold(product: Product, terms: PricingTerms) -> timedelta:
    """Return how long a price stays: spread over products, so that moves do not fall together."""
    spread = crc32(product.sku.encode()) % 1000 / 1000
    return timedelta(days=terms.hold_days * (1 + spread))


def _cost(product: Product) -> float:
    return float(product.cost.amount) if product.cost else 0.0


def _below_floor(product: Product, terms: PricingTerms) -> bool:
    nearly = float(product.price.amount) * (1 - terms.margin_floor) < _cost(product) * 1.001
    return (
        nearly
        and product.cost is not None
        and (product.price < floor_price(product.cost, terms.margin_floor))
    )


def _lift(product: Product, terms: PricingTerms) -> Proposal:
    """Propose the floor itself: whatever is less would be below it."""
    floor = floor_price(product.cost or product.price, terms.margin_floor)
    return Proposal(
        action=SetPrice(sku=product.sku, price=floor, expect=product.price),
        reason=f"The price leaves less than a margin of {terms.margin_floor:.0%}.",
        evidence={
            "price": str(product.price),
            "proposed": str(floor),
            "cost": str(product.cost),
            "floor": str(floor),
        },
        assumptions=_assumptions(product),
    )


def _ask(shop: Shop, product: Product, terms: PricingTerms) -> list[_Asked]:
    """Return the product's question, or nothing where nothing sells or nothing may move."""
    forecast = shop.forecasts.get(product.sku)
    if forecast is None or forecast.daily <= 0:
        return []
    price, cost = float(product.price.amount), _cost(product)
    start = _start(shop, product)
    lowest = max(
        cost / (1 - terms.margin_floor), price * (1 - terms.step), start * (1 - terms.drift)
    )
    highest = min(price * (1 + terms.step), start * (1 + terms.drift))
    rival = shop.rival_median(product.sku)
    if rival is not None:
        highest = min(highest, max(price, rival * (1 + terms.above_rivals)))
    if lowest > highest:
        return []
    question = PriceQuestion(
        price=price,
        cost=cost,
        daily=forecast.daily,
        elasticity=_beside_rivals(shop.elasticity(product.sku), price, rival),
        lowest=lowest,
        highest=highest,
    )
    return [_Asked(product, question)]


def _beside_rivals(known: Elasticity, price: float, rival: float | None) -> Elasticity:
    """Return the elasticity at this distance from the rivals' median.

    Customers who compare answer more the dearer we are: in proportion, as in a logit of choices,
    and within bounds, as rivals' prices are only observations.
    """
    if rival is None:
        return known
    return Elasticity(mean=known.mean * min(1.3, max(0.8, price / rival)), error=known.error)


def _start(shop: Shop, product: Product) -> float:
    """Return the price at the beginning of the history looked at."""
    changes = shop.changes.get(product.sku)
    first = (changes[0].previous or changes[0].price) if changes else product.price
    return float(first.amount) or float(product.price.amount)


def _pays(each: _Asked, advice: PriceAdvice, terms: PricingTerms) -> bool:
    question = each.question
    profit = question.daily * max(question.price - question.cost, 0.0)
    return advice.gain >= max(terms.least_gain * profit, terms.least_gain_month / _MONTH)


def _cover(shop: Shop, each: _Asked) -> float:
    return max(0, shop.available.get(each.product.sku, 0)) / each.question.daily


def _cuts_the_scarce(shop: Shop, each: _Asked, advice: PriceAdvice, terms: PricingTerms) -> bool:
    scarce = each.product.stocked and _cover(shop, each) < terms.scarce_days
    return scarce and advice.price < each.question.price


def _move(shop: Shop, each: _Asked, advice: PriceAdvice, terms: PricingTerms) -> Iterator[Proposal]:
    product, question = each.product, each.question
    floor = floor_price(product.cost or product.price, terms.margin_floor)
    price = max(floor, rounded_towards(product.price, advice.price))
    if price == product.price:
        return
    way = "Raise" if price > product.price else "Cut"
    cover, rival = _cover(shop, each), shop.rival_median(product.sku)
    yield Proposal(
        action=SetPrice(sku=product.sku, price=price, expect=product.price),
        reason=(
            f"{way} by {abs(_share(price, product.price)):.1%}: "
            f"a price 1 % higher sells {-question.elasticity.mean:.1f} % less."
        ),
        evidence={
            "price": str(product.price),
            "proposed": str(price),
            "cost": str(product.cost),
            "floor": str(floor),
            "margin_now": round(1 - question.cost / question.price, 3),
            "margin_then": round(1 - question.cost / float(price.amount), 3),
            "daily_demand": round(question.daily, 3),
            "elasticity": round(question.elasticity.mean, 2),
            "elasticity_error": round(question.elasticity.error, 2),
            "rival_median": round(rival, 2) if rival is not None else None,
            "rivals": len(shop.rivals.get(product.sku, ())),
            "days_of_cover": round(cover, 1) if math.isfinite(cover) else None,
            "effect_days": _MONTH,
        },
        effect=_effect(advice, product.price.currency),
        assumptions=_assumptions(product),
    )


def _share(price: Money, present: Money) -> float:
    return float(price.amount / present.amount) - 1


def _effect(advice: PriceAdvice, currency: str) -> Effect:
    """Return the gain over a month, with its interval."""
    low, expected, high = (
        Money(Decimal(str(round(gain * _MONTH, 4))), currency).rounded()
        for gain in (advice.low, advice.gain, advice.high)
    )
    return Effect(low=low, expected=expected, high=high)


_NAMES = {"cost": "cost", "stock": "stock level"}
"""What a price rests on of what may be assumed of a product, as an owner calls it."""


def _assumptions(product: Product) -> tuple[str, ...]:
    return tuple(_NAMES[name] for name in product.assumed if name in _NAMES)
