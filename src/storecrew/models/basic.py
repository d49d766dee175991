"""The simple models behind the `Models` port, which agents call as `ctx.models`."""

from collections.abc import Mapping, Sequence
from datetime import date

from storecrew.domain.ports.models import (
    DemandForecast,
    Elasticity,
    Intent,
    PriceHistory,
    PricePoint,
    PriceQuery,
    PriceRecommendation,
    ProductAffinity,
    RecommendedProduct,
    ReplenishmentPolicy,
    ReplenishmentQuery,
)
from storecrew.models import demand, elasticity, inventory, pricing


class BasicModels:
    """Implements `domain.ports.Models`; holds no state."""

    def demand(self, units: Sequence[int]) -> DemandForecast:
        """Forecast one product's demand from its units sold per day, oldest first."""
        return demand.forecast({"": units})[""]

    def forecast_many(self, history: Mapping[str, Sequence[int]]) -> Mapping[str, DemandForecast]:
        """Forecast many products' demand; their spreads lean on each other's."""
        return demand.forecast(history)

    def replenishment_policy(
        self, forecast: DemandForecast, question: ReplenishmentQuery
    ) -> ReplenishmentPolicy:
        """Return reorder point and order-up-to level."""
        return inventory.stocking(forecast, question)

    def elasticity(self, prices: Sequence[float], units: Sequence[float]) -> tuple[float, float]:
        """Return one product's elasticity and its standard error."""
        found = elasticity.elasticities([PriceHistory(prices=prices, units=units)])[0]
        return found.mean, found.error

    def elasticities(self, histories: Sequence[PriceHistory]) -> Sequence[Elasticity]:
        """Return each product's elasticity, leaning on what all of them together show."""
        return elasticity.elasticities(histories)

    def best_prices(self, questions: Sequence[PriceQuery]) -> Sequence[PriceRecommendation]:
        """Return, per question, the price within its bounds that promises the most profit."""
        return pricing.best_prices(questions)

    def explore_prices(
        self, questions: Sequence[PriceQuery], *, seed: int, reach: float
    ) -> Sequence[PriceRecommendation]:
        """Return, per question, a price within its bounds, moved to learn where that pays."""
        return pricing.explore_prices(questions, seed=seed, reach=reach)

    def price_curve(
        self, question: PriceQuery, *, points: int, also: Sequence[float] = ()
    ) -> Sequence[PricePoint]:
        """Return what so many prices between the bounds should bring a day."""
        return pricing.curve(question, points=points, also=also)

    def forecast_of(
        self, sku: str, day: date, warehouse: str | None = None
    ) -> DemandForecast | None:
        """Return None: nothing was learned."""
        return None

    def accuracy_of(self, sku: str) -> Mapping[str, float | str]:
        """Return {}: no forecast was kept to be compared with sales."""
        return {}

    def learned_elasticity(self, sku: str) -> Elasticity | None:
        """Return None: nothing was learned."""
        return None

    def related_products(self, cart: Sequence[str], count: int) -> Sequence[RecommendedProduct]:
        """Return nothing: no basket was learned from."""
        return ()

    def recommend_for_customer(
        self, bought: Mapping[str, tuple[float, int]], count: int, day: date
    ) -> Sequence[RecommendedProduct]:
        """Return nothing: no basket was learned from."""
        return ()

    def classify_intents(self, texts: Sequence[str]) -> Sequence[Intent]:
        """Return unknown intents: no example was learned from."""
        return [Intent(name="", probability=0.0, sure=False, known=False) for _ in texts]

    def product_affinities(self, count: int) -> Sequence[ProductAffinity]:
        """Return nothing: no basket was learned from."""
        return ()
