"""The served models: learned where a fresh version serves, simple otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from storecrew.domain.control.model_registry import ModelKind, ModelVersion, ServingStatus
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.models import (
    DemandForecast,
    Elasticity,
    Intent,
    ProductAffinity,
    RecommendedProduct,
)
from storecrew.learning.evaluation import AccuracyRecord, merged, told_of
from storecrew.learning.training import part, series_name
from storecrew.models.basic import BasicModels
from storecrew.models.demand import Forecasts
from storecrew.models.demand.forecasts import SeriesForecast
from storecrew.models.intents import IntentModel
from storecrew.models.recommendation import ScoredProduct, Similarities, proven_pairs
from storecrew.models.serialization import State

_FRESH = timedelta(days=3)
"""Age up to which a forecast is acted on: models are trained daily, and may fail twice."""


@dataclass(frozen=True, kw_only=True)
class ServedForecasts:
    """The newest forecasts, and how earlier ones did."""

    version: ModelVersion
    forecasts: Forecasts
    record: AccuracyRecord
    rehearsal: AccuracyRecord
    """What stands in for the record of a product whose forecasts have not come true yet."""

    def of(self, sku: str, warehouse: str | None = None) -> SeriesForecast | None:
        """Return the forecast of a product, or of it in one warehouse; None where none is."""
        name = series_name(sku, warehouse)
        try:
            return self.forecasts.of(name)
        except NotFound:
            return None

    def accuracy(self, sku: str, warehouse: str | None = None) -> Mapping[str, Any]:
        """Return how forecasts of the product did, {} where none was ever made."""
        name = series_name(sku, warehouse)
        accuracy = self.record.of(name)
        since = {"basis": "earlier forecasts compared with sales", **accuracy}
        return since if accuracy else told_of(self.rehearsal, name)


@dataclass
class ServedModels(BasicModels):
    """Implements `domain.ports.Models`, and holds what the newest versions learnt.

    A version that fell back, or that is not there yet, is answered for by the simple models.
    """

    forecasts: ServedForecasts | None = None
    similarities: Similarities | None = None
    intents: IntentModel | None = None
    elasticity_of: Mapping[str, Elasticity] = field(default_factory=dict[str, Elasticity])
    basket_days: float = 365.0
    """Days of orders that the similarities were learned from."""
    numbers: dict[ModelKind, int] = field(default_factory=dict[ModelKind, int])
    """The version of each skill that is held."""

    def hold(self, version: ModelVersion, state: State, records: Sequence[AccuracyRecord]) -> None:
        """Take up what a version learnt, in place of the one before."""
        if version.kind is ModelKind.DEMAND:
            fallen = version.serving_status is ServingStatus.FALLEN_BACK
            made = Forecasts.restore(part(state, "simple" if fallen else "served"))
            self.forecasts = ServedForecasts(
                version=version,
                forecasts=made,
                record=merged(records),
                rehearsal=AccuracyRecord.restore(part(state, "rehearsed")),
            )
        elif version.kind is ModelKind.SIMILARITY:
            self.similarities = Similarities.restore(state)
            if version.first is not None and version.last is not None:
                self.basket_days = float((version.last - version.first).days + 1)
        elif version.kind is ModelKind.INTENTS:
            self.intents = IntentModel.restore(state)
        elif version.kind is ModelKind.ELASTICITY:
            self.elasticity_of = _elasticities(state)
        self.numbers[version.kind] = version.number

    def forecast_of(
        self, sku: str, day: date, warehouse: str | None = None
    ) -> DemandForecast | None:
        """Return the newest forecast where it is at most three days old and did not fall back."""
        served = self.forecasts
        if served is None or served.version.serving_status is ServingStatus.FALLEN_BACK:
            return None
        name = series_name(sku, warehouse)
        fresh = timedelta(0) <= day - served.forecasts.first <= _FRESH
        if not fresh or served.of(sku, warehouse) is None:
            return None
        return served.forecasts.demand(name)

    def accuracy_of(self, sku: str) -> Mapping[str, float | str]:
        """Return how forecasts of the product did, as `model_scores.figures` tells it."""
        return self.forecasts.accuracy(sku) if self.forecasts is not None else {}

    def learned_elasticity(self, sku: str) -> Elasticity | None:
        """Return what the product's own price moves taught."""
        return self.elasticity_of.get(sku)

    def related_products(self, cart: Sequence[str], count: int) -> Sequence[RecommendedProduct]:
        """Return what is bought together with these products, best first."""
        if self.similarities is None:
            return ()
        return [_suggested(each) for each in self.similarities.complete(cart, count)]

    def recommend_for_customer(
        self, bought: Mapping[str, tuple[float, int]], count: int, day: date
    ) -> Sequence[RecommendedProduct]:
        """Return what the customer may buy next, best first."""
        if self.similarities is None:
            return ()
        found = self.similarities.for_customer(bought, count, today=day.toordinal())
        return [_suggested(each) for each in found]

    def product_affinities(self, count: int) -> Sequence[ProductAffinity]:
        """Return proven pairs, the most telling first."""
        if self.similarities is None:
            return ()
        found = proven_pairs(self.similarities, count)
        return [replace(pair, days=self.basket_days) for pair in found]

    def classify_intents(self, texts: Sequence[str]) -> Sequence[Intent]:
        """Return what each text wants, by the newest version that learned of intents."""
        if self.intents is None:
            return super().classify_intents(texts)
        return [
            Intent(name=v.intent, probability=v.probability, sure=v.sure, known=v.known)
            for v in self.intents.classify(texts)
        ]


def _suggested(one: ScoredProduct) -> RecommendedProduct:
    return RecommendedProduct(
        sku=one.sku, score=one.score, reason=one.reason, because_of=one.because_of
    )


def _elasticities(state: State) -> Mapping[str, Elasticity]:
    """Return the elasticities of a state; raises `InvalidInput` where it holds none."""
    try:
        rows = zip(state["names"], state["means"], state["errors"], strict=True)
        return {str(n): Elasticity(mean=float(m), error=float(e)) for n, m, e in rows}
    except (KeyError, ValueError) as error:
        raise InvalidInput("state", f"holds no elasticities ({error})") from error
