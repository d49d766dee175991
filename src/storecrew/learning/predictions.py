"""Questions to the models about one product or one customer, answered from what the shop knows."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import numpy as np

from storecrew.domain.control.model_registry import ModelKind
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.ports.models import PriceHistory
from storecrew.learning.evaluation import REHEARSAL, AccuracyRecord, rehearsed, told_of
from storecrew.learning.service import ModelService
from storecrew.learning.training import sales_history, series_name
from storecrew.models.demand import DemandHistory, simple_forecasts
from storecrew.models.demand.forecasts import SeriesForecast

_UNSOLD = 28
"""Days of nothing that stand for the history of a product that never sold."""
_SHOP_DAYS = 112
"""Days in which the shop's first sale is looked for: the agents look at as many."""
NO_HISTORY = "no history"
"""The method of a forecast that cannot be made: the product never sold."""


@dataclass(frozen=True, kw_only=True)
class ForecastAnswer:
    """How much of a product will be sold, day by day, and how good such forecasts were."""

    sku: str
    warehouse: str | None
    unit: str
    first: date
    """The day of the first figure."""
    horizon: int
    method: str
    version: int | None
    """Of the demand model; None where the product's own sales alone were asked."""
    days: Sequence[date]
    mean: Sequence[float]
    """Expected units of each day."""
    quantiles: Mapping[str, Sequence[float]]
    """Per level, units of each day that are not exceeded with that chance."""
    total: float | None
    """Expected units over the horizon; None where there is no history."""
    error: Mapping[str, Any]
    """How forecasts of this product did: `basis` says whether they were made then or in
    hindsight; figures as `evaluation.figures` tells them."""


async def forecast(
    service: ModelService, sku: str, *, horizon: int, warehouse: str | None = None
) -> ForecastAnswer:
    """Return a product's forecast; raises `NotFound` for an unknown product or warehouse."""
    await service.store.product(sku)
    places = {level.warehouse for level in await service.store.stock([sku])}
    if warehouse is not None and warehouse not in places:
        raise NotFound("warehouse", warehouse)
    await service.refresh()
    served = service.models.forecasts
    today = service.today
    if served is not None and served.forecasts.first <= today:
        found = served.of(sku, warehouse)
        ahead = (today - served.forecasts.first).days
        if found is not None and len(found.mean) - ahead >= horizon:
            error = served.accuracy(sku, warehouse) or await _rehearsed(service, sku, warehouse)
            cut, number = _from(found, ahead), served.version.number
            return _answer(sku, warehouse, cut, horizon, error, version=number)
    history = await _own_history(service, sku, warehouse, horizon)
    age = await _shop_age(service)
    if not history.units.any():
        return _no_forecast(sku, warehouse, history)
    made = await asyncio.to_thread(simple_forecasts, history, horizon=horizon, shop_age=age)
    error = await _rehearsed(service, sku, warehouse)
    return _answer(sku, warehouse, made.of(history.series[0]), horizon, error, version=None)


@dataclass(frozen=True, kw_only=True)
class IntentAnswer:
    """The intent of a text, and whether it is certain enough to act on."""

    intent: str
    probability: float
    sure: bool
    """Whether it may be answered without a person: right in 99 of 100 held-back examples."""
    known: bool
    """False for what is like nothing the model was taught: a person should read it."""
    alternatives: Sequence[tuple[str, float]]
    """Up to three intents with their shares of the likelihood, best first."""
    version: int


@dataclass(frozen=True, kw_only=True)
class ElasticityAnswer:
    """How demand for a product answers to its price: 1 % dearer sells `mean` % more (so less)."""

    sku: str
    mean: float
    error: float
    """Standard error of the mean."""
    own: bool
    """Whether the product's own price moves were learned from; else it is what the shop's
    products, or published estimates, show."""
    version: int | None


async def elasticity(service: ModelService, sku: str) -> ElasticityAnswer:
    """Return a product's price elasticity; raises `NotFound` for an unknown product."""
    await service.store.product(sku)
    await service.refresh()
    known = service.models.elasticity_of
    (usual,) = service.models.elasticities([PriceHistory(prices=(), units=())])
    found = known.get(sku) or known.get("", usual)
    return ElasticityAnswer(
        sku=sku,
        mean=round(found.mean, 3),
        error=round(found.error, 3),
        own=sku in known,
        version=service.models.numbers.get(ModelKind.ELASTICITY),
    )


async def intent(service: ModelService, text: str) -> IntentAnswer:
    """Return what a text asks for; raises `NotFound` before anything was learnt."""
    await service.refresh()
    model = service.models.intents
    if model is None:
        raise NotFound("model", ModelKind.INTENTS)
    (said,) = await asyncio.to_thread(model.classify, [text])
    return IntentAnswer(
        intent=said.intent,
        probability=round(said.probability, 4),
        sure=said.sure,
        known=said.known,
        alternatives=[(name, round(chance, 4)) for name, chance in said.top],
        version=service.models.numbers[ModelKind.INTENTS],
    )


def _answer(
    sku: str,
    warehouse: str | None,
    made: SeriesForecast,
    horizon: int,
    error: Mapping[str, Any],
    *,
    version: int | None,
) -> ForecastAnswer:
    mean = [round(float(units), 3) for units in made.mean[:horizon]]
    bands = {
        f"{level:g}": [round(float(units), 3) for units in row[:horizon]]
        for level, row in zip(made.levels, made.quantiles, strict=True)
    }
    return ForecastAnswer(
        sku=sku,
        warehouse=warehouse,
        unit="units a day",
        first=made.first,
        horizon=horizon,
        method=made.method,
        version=version,
        days=[made.first + timedelta(days=n) for n in range(horizon)],
        mean=mean,
        quantiles=bands,
        total=round(sum(mean), 3),
        error=error,
    )


def _no_forecast(sku: str, warehouse: str | None, history: DemandHistory) -> ForecastAnswer:
    return ForecastAnswer(
        sku=sku,
        warehouse=warehouse,
        unit="units a day",
        first=history.end,
        horizon=0,
        method=NO_HISTORY,
        version=None,
        days=(),
        mean=(),
        quantiles={},
        total=None,
        error={"basis": "nothing sold yet", "days": 0},
    )


async def _shop_age(service: ModelService) -> int:
    """Return the days since the shop's first sale, at most so many as are looked at."""
    first = service.today - timedelta(days=_SHOP_DAYS)
    sales = await service.store.daily_sales(first, service.today - timedelta(days=1))
    began = [
        next((n for n, each in enumerate(u) if each), _SHOP_DAYS) for u in sales.units.values()
    ]
    return _SHOP_DAYS - min(began, default=_SHOP_DAYS)


def _from(found: SeriesForecast, ahead: int) -> SeriesForecast:
    """Return the forecast without the days that are over."""
    return replace(
        found,
        first=found.first + timedelta(days=ahead),
        mean=found.mean[ahead:],
        quantiles=found.quantiles[:, ahead:],
    )


async def _own_history(
    service: ModelService, sku: str, warehouse: str | None, horizon: int
) -> DemandHistory:
    """Return the sales of one product (in one warehouse); all zeros where it never sold."""
    today = service.today
    days = service.settings.history_days
    name = series_name(sku, warehouse)
    try:
        history = await sales_history(service.store, today, days, horizon, frozenset([sku]))
    except InvalidInput:
        return _nothing_sold(name, today)
    if name not in history.series:
        return _nothing_sold(name, today)
    n = list(history.series).index(name)
    one = slice(n, n + 1)
    return _padded(
        DemandHistory(
            first=history.first,
            series=(name,),
            units=history.units[one],
            in_stock=None if history.in_stock is None else history.in_stock[one],
        )
    )


def _padded(history: DemandHistory) -> DemandHistory:
    """Return the history with days without sales before it, where it is short."""
    missing = max(0, _SHOP_DAYS - history.days)
    stock = history.in_stock
    return DemandHistory(
        first=history.first - timedelta(days=missing),
        series=history.series,
        units=np.pad(history.units, ((0, 0), (missing, 0))),
        in_stock=None if stock is None else np.pad(stock, ((0, 0), (missing, 0)), "edge"),
    )


def _nothing_sold(name: str, today: date) -> DemandHistory:
    first = today - timedelta(days=_UNSOLD)
    return DemandHistory(first=first, series=(name,), units=np.zeros((1, _UNSOLD)))


async def _rehearsed(service: ModelService, sku: str, warehouse: str | None) -> Mapping[str, Any]:
    """Return how the simple forecast would have done in the last weeks, made in hindsight."""
    history = await _own_history(service, sku, warehouse, REHEARSAL)
    record = (
        await asyncio.to_thread(rehearsed, history)
        if history.units.any()
        else AccuracyRecord.empty()
    )
    return told_of(record, series_name(sku, warehouse)) or {"basis": "nothing sold yet", "days": 0}
