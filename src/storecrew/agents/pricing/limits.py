"""Price limits: rounding, and which competitor prices are plausible. Pure functions."""

import math
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product


@dataclass(frozen=True, kw_only=True)
class PricingSettings:
    """How far and how fast prices may move; the agent's section of `storecrew.yaml`."""

    margin_floor: float = 0.10
    """Smallest margin, as a share of the price, that is ever proposed; as the policy's default."""
    step: float = 0.05
    """Largest move at once, as a share of the price; half of what the policy lets pass."""
    max_drift: float = 0.25
    """Farthest from the price of twelve weeks ago, as a share of it: what was learned from small
    moves says little about large ones."""
    min_hold_days: float = 7.0
    """Days that a new price stays before the next move, so that its effect can be seen."""
    max_above_competitors: float = 0.15
    """How far above the competitors' median a price may rise, as a share of it."""
    low_stock_days: float = 10.0
    """With stock for fewer days than this a price is not cut."""
    min_gain: float = 0.004
    """Smallest gain worth a move, as a share of the product's present profit."""
    min_gain_per_month: float = 0.5
    """Smallest gain worth a move, in the shop's currency over 30 days."""
    explore: bool = False
    """Whether prices may also move to learn, at an expected cost, where that pays within half a
    year. Only the owner switches it on."""

    def __post_init__(self) -> None:
        """Refuse limits under which a price could fall to its cost or swing."""
        for name in ("margin_floor", "step", "max_drift"):
            if not 0 <= getattr(self, name) < 1:
                raise InvalidInput(name, f"{getattr(self, name)} is not a share from 0 to 1")
        for name in (
            "min_hold_days",
            "max_above_competitors",
            "low_stock_days",
            "min_gain",
            "min_gain_per_month",
        ):
            if not 0 <= getattr(self, name) < math.inf:
                raise InvalidInput(name, f"{getattr(self, name)} is not a number of 0 or more")
        if not isinstance(self.explore, bool):
            raise InvalidInput("explore", f"{self.explore!r} is neither true nor false")


def rounded_towards(present: Money, price: float) -> Money:
    """Return the price in whole minor units, rounded so that the move gets no larger."""
    unit = _unit(present.currency)
    wanted = Decimal(str(price))
    way = ROUND_FLOOR if wanted > present.amount else ROUND_CEILING
    return Money((wanted / unit).to_integral_value(way) * unit, present.currency)


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
