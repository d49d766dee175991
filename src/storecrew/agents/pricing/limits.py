"""Price limits: rounding, and which competitor prices are plausible. Pure functions."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product


def floor_price(cost: Money, margin: float) -> Money:
    """Return the lowest price that leaves this margin: cost / (1 − margin), rounded up."""
    raw = cost.amount / (1 - Decimal(str(margin)))
    unit = _unit(cost.currency)
    return Money((raw / unit).to_integral_value(ROUND_CEILING) * unit, cost.currency)


def rounded_towards(present: Money, price: float) -> Money:
    """Return the price in whole minor units, rounded so that the move gets no larger."""
    unit = _unit(present.currency)
    target = Decimal(str(price))
    way = ROUND_FLOOR if target > present.amount else ROUND_CEILING
    return Money((target / unit).to_integral_value(way) * unit, present.currency)


def implausibility_reason(seen: Money, product: Product) -> str | None:
    """Return why a competitor's price is implausible, or None if it counts."""
    if seen.currency != product.price.currency:
        return f"it is in {seen.currency}, the shop sells in {product.price.currency}"
    if seen.amount <= 0:
        return "it is not above zero"
    cost = product.cost
    if cost is not None and cost.currency == seen.currency and seen.amount * 3 < cost.amount:
        return "it is below a third of what the product costs us"
    if seen.amount * 3 < product.price.amount:
        return "it is below a third of our price"
    if seen.amount > product.price.amount * 3:
        return "it is more than three times our price"
    return None


def _unit(currency: str) -> Decimal:
    return Money.from_minor(1, currency).amount
