"""What agents ask of the models, and what the models answer: numbers, no money and no store."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class StockQuestion:
    """The terms on which a product is bought."""

    lead_days: float
    """Days from the order to the shelf."""
    lead_sd: float = 0.0
    """Standard deviation of those days."""
    review_days: float = 1.0
    """Days until the stock is looked at again."""
    cycle_days: float = 7.0
    """Days that one purchase should last; a longer lead time takes its place."""
    service: float = 0.97
    """Wanted chance of not running out before a new order arrives."""
    pack_size: int = 1
    """Units in a pack; only whole packs can be bought."""


@dataclass(frozen=True, kw_only=True)
class StockAdvice:
    """When to buy, and how much."""

    reorder_point: int
    """Buy when units available and on order are at or below this."""
    order_up_to: int
    """Buy so that units available and on order reach this."""
    pack_size: int = 1

    def quantity(self, position: int) -> int:
        """Return the units to buy now, in whole packs; 0 while nothing need be bought."""
        if position > self.reorder_point:
            return 0
        return -(-max(0, self.order_up_to - position) // self.pack_size) * self.pack_size


@dataclass(frozen=True, kw_only=True)
class PriceHistory:
    """What a product cost and sold, day by day; three series of one length."""

    prices: Sequence[float]
    units: Sequence[float]
    exposure: Sequence[float] | None = None
    """How busy the shop was each day, in any unit; None where it was the same every day."""
    rivals: Sequence[float] | None = None
    """The cheapest trusted price of a rival each day; 0 where none is known, None: never."""


@dataclass(frozen=True, kw_only=True)
class Elasticity:
    """How demand answers to the price: a price 1 % higher sells `mean` % more (so negative)."""

    mean: float
    error: float
    """Standard error of the mean."""


@dataclass(frozen=True, kw_only=True)
class PriceQuestion:
    """A product's present price, and the bounds for the next one."""

    price: float
    cost: float
    daily: float
    """Units sold a day at the present price."""
    elasticity: Elasticity
    lowest: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class PriceAdvice:
    """The best price within the bounds, and what it should bring a day against the present one."""

    price: float
    gain: float
    """Expected gain in profit a day."""
    low: float
    """The gain that is exceeded with a chance of nine in ten."""
    high: float
    """The gain that is exceeded with a chance of one in ten."""
    error_then: float | None = None
    """Standard error of the elasticity after four weeks at this price beside four at the present
    one; None unless the price is moved to learn."""


@dataclass(frozen=True, kw_only=True)
class PricePoint:
    """What one price should bring a day."""

    price: float
    units: float
    profit: float
    low: float
    """The profit that is exceeded with a chance of nine in ten."""
    high: float
    """The profit that is exceeded with a chance of one in ten."""


@dataclass(frozen=True, kw_only=True)
class Suggested:
    """A product to show, and why."""

    sku: str
    score: float
    """Higher is better; comparable within one answer."""
    reason: str
    partner: bool = True
    """False for what is shown only because it sells well."""


@dataclass(frozen=True, kw_only=True)
class Intent:
    """What one text of a customer is taken to want."""

    name: str
    """Empty where nobody can say."""
    probability: float
    sure: bool
    """It may be acted on without a person."""
    known: bool
    """It is about something of which there were examples."""


@dataclass(frozen=True, kw_only=True)
class BoughtTogether:
    """Two products that lie in one basket more often than chance explains."""

    skus: tuple[str, str]
    together: int
    """Baskets that held both."""
    lift: float
    """How many times as often as if they were bought independently."""
    days: float = 90.0
    """Days of orders in which that was so."""
