"""What agents reach as `ctx.models`: the simple, honest models behind one door."""

from collections.abc import Mapping, Sequence

from storecrew.domain.advice import (
    Elasticity,
    PriceAdvice,
    PriceHistory,
    PriceQuestion,
    StockAdvice,
    StockQuestion,
)
from storecrew.domain.ports import DemandForecast
from storecrew.models import demand, inventory, pricing


class BasicModels:
    """Implements `domain.ports.Models`; holds no state."""

    def demand(self, units: Sequence[int]) -> DemandForecast:
        """Forecast one product's demand from its units sold per day, oldest first."""
        return demand.forecast({"": units})[""]

    def demands(self, history: Mapping[str, Sequence[int]]) -> Mapping[str, DemandForecast]:
        """Forecast many products' demand; their spreads lean on each other's."""
        return demand.forecast(history)

    def stocking(self, forecast: DemandForecast, question: StockQuestion) -> StockAdvice:
        """Return reorder point and order-up-to level."""
        return inventory.stocking(forecast, question)

    def elasticity(self, prices: Sequence[float], units: Sequence[float]) -> tuple[float, float]:
        """Return one product's elasticity and its standard error."""
        found = pricing.elasticities([PriceHistory(prices=prices, units=units)])[0]
        return found.mean, found.error

    def elasticities(self, histories: Sequence[PriceHistory]) -> Sequence[Elasticity]:
        """Return each product's elasticity, leaning on what all of them together show."""
        return pricing.elasticities(histories)

    def best_prices(self, questions: Sequence[PriceQuestion]) -> Sequence[PriceAdvice]:
        """Return, per question, the price within its bounds that promises the most profit."""
        return pricing.best_prices(questions)
