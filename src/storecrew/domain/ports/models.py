"""The numeric models: the values they take and return, and the port that agents call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class ReplenishmentQuery:
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
class ReplenishmentPolicy:
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
    competitors: Sequence[float] | None = None
    """The cheapest trusted price of a rival each day; 0 where none is known, None: never."""


@dataclass(frozen=True, kw_only=True)
class Elasticity:
    """How demand answers to the price: a price 1 % higher sells `mean` % more (so negative)."""

    mean: float
    error: float
    """Standard error of the mean."""


@dataclass(frozen=True, kw_only=True)
class PriceQuery:
    """A product's present price, and the bounds for the next one."""

    price: float
    cost: float
    daily: float
    """Units sold a day at the present price."""
    elasticity: Elasticity
    lowest: float
    highest: float


@dataclass(frozen=True, kw_only=True)
class PriceRecommendation:
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
class RecommendedProduct:
    """A product to show, and why."""

    sku: str
    score: float
    """Higher is better; comparable within one answer."""
    reason: str
    because_of: bool = True
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
class ProductAffinity:
    """Two products that lie in one basket more often than chance explains."""

    skus: tuple[str, str]
    together: int
    """Baskets that held both."""
    lift: float
    """How many times as often as if they were bought independently."""
    days: float = 90.0
    """Days of orders in which that was so."""


class DemandForecast(Protocol):
    """How many units will be sold: the mean and its spread, per day."""

    @property
    def daily(self) -> float:
        """Expected units a day."""
        ...

    @property
    def basis(self) -> str:
        """One line on what the forecast rests on, for the owner."""
        ...

    def quantile(self, q: float, days: float) -> float:
        """Return the q-quantile (0 < q < 1) of the units sold over so many days.

        Never negative; grows with `q` and with `days`.
        """
        ...


class Models(Protocol):
    """The numeric models as an agent sees them: numbers in, numbers out.

    The plural methods answer for many products in one go, and let products learn from each other.
    """

    def demand(self, units: Sequence[int]) -> DemandForecast:
        """Forecast a product's demand from its units sold per day, oldest first."""
        ...

    def forecast_many(self, history: Mapping[str, Sequence[int]]) -> Mapping[str, DemandForecast]:
        """Forecast many products' demand; all series end on the same day."""
        ...

    def replenishment_policy(
        self, forecast: DemandForecast, question: ReplenishmentQuery
    ) -> ReplenishmentPolicy:
        """Return when to reorder, and up to which level."""
        ...

    def elasticity(self, prices: Sequence[float], units: Sequence[float]) -> tuple[float, float]:
        """Return a product's price elasticity of demand and its standard error.

        `prices` and `units` are per day and of equal length. With little to learn from, the
        answer leans on what is usual in retail and its error says so.
        """
        ...

    def elasticities(self, histories: Sequence[PriceHistory]) -> Sequence[Elasticity]:
        """Return each product's elasticity, leaning on what all of them together show."""
        ...

    def best_prices(self, questions: Sequence[PriceQuery]) -> Sequence[PriceRecommendation]:
        """Return, per question, the price within its bounds that promises the most profit."""
        ...

    def explore_prices(
        self, questions: Sequence[PriceQuery], *, seed: int, reach: float
    ) -> Sequence[PriceRecommendation]:
        """Return, per question, a price within its bounds, moved to learn where that pays.

        Such a price says so by `error_then`; `reach` is the largest such move, as a share. The
        same questions and seed give the same prices.
        """
        ...

    def price_curve(
        self, question: PriceQuery, *, points: int, also: Sequence[float] = ()
    ) -> Sequence[PricePoint]:
        """Return what so many prices between the bounds should bring a day, lowest price first.

        The prices of `also` are among them, within the bounds or not.
        """
        ...

    def forecast_of(
        self, sku: str, day: date, warehouse: str | None = None
    ) -> DemandForecast | None:
        """Return what was learned of a product's demand from this day on.

        None where nothing fresh is served: then `forecast_many` answers from its sales.
        """
        ...

    def accuracy_of(self, sku: str) -> Mapping[str, float | str]:
        """Return how forecasts of the product did so far; {} where none is served.

        `basis` in words; where known `days`, `wape` and `bias` as shares, `coverage_90`.
        """
        ...

    def learned_elasticity(self, sku: str) -> Elasticity | None:
        """Return what the product's own price moves taught; None where nothing did."""
        ...

    def related_products(self, cart: Sequence[str], count: int) -> Sequence[RecommendedProduct]:
        """Return what is bought together with these products; () before anything was learned."""
        ...

    def recommend_for_customer(
        self, bought: Mapping[str, tuple[float, int]], count: int, day: date
    ) -> Sequence[RecommendedProduct]:
        """Return what the customer may buy next; () before anything was learned.

        `bought`: per SKU how often, and on which day last (`date.toordinal`).
        """
        ...

    def classify_intents(self, texts: Sequence[str]) -> Sequence[Intent]:
        """Return what each text wants; unknown and not sure before anything was learned."""
        ...

    def product_affinities(self, count: int) -> Sequence[ProductAffinity]:
        """Return proven pairs, the most telling first; () before anything was learned."""
        ...
