"""Other people's forecasters behind the same `Forecasts`: Prophet, and Nixtla's statsforecast.

Both are optional extras. They fit each series alone, with their own defaults, so that they serve
who knows them and are the peers that our own model is measured against.
"""

import logging
from collections.abc import Callable
from datetime import date
from importlib import import_module
from typing import Any

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats
from storecrew.models.demand.forecasts import LEVELS

FEWEST_DAYS = 28
"""Days since the first sale that a series must have to be fitted alone."""

Fitted = tuple[Floats, Floats]
"""Mean [series, horizon] and quantiles [series, levels, horizon]."""


def prophet(units: Floats, first: date, horizon: int, *, samples: int = 500) -> Fitted:
    """Return forecasts by Prophet with its defaults (Taylor and Letham, 2018), cut at zero.

    `units` [series, days]; each series is fitted from its first sale on.
    """
    pandas, prophet_class = _import_prophet()
    for name in ("prophet", "cmdstanpy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    days = pandas.date_range(first, periods=units.shape[1] + horizon)
    mean = np.zeros((len(units), horizon))
    quantiles = np.zeros((len(units), len(LEVELS), horizon))
    for n, series in enumerate(units):
        begin = int((series > 0).argmax())
        model = prophet_class(uncertainty_samples=samples)
        model.fit(pandas.DataFrame({"ds": days[begin : len(series)], "y": series[begin:]}))
        ahead = pandas.DataFrame({"ds": days[len(series) :]})
        drawn = model.predictive_samples(ahead)["yhat"]
        quantiles[n] = np.quantile(drawn, LEVELS, axis=1)
        model.uncertainty_samples = 0  # the mean needs no draws
        mean[n] = model.predict(ahead)["yhat"].to_numpy()
    return np.maximum(mean, 0.0), np.maximum(quantiles, 0.0)


def statsforecast(units: Floats, first: date, horizon: int, *, name: str = "AutoETS") -> Fitted:
    """Return forecasts by one of statsforecast's models with a weekly season, cut at zero.

    `name` is a class of `statsforecast.models`; intervals are its own.
    """
    models = _import_statsforecast()
    mean = np.zeros((len(units), horizon))
    quantiles = np.zeros((len(units), len(LEVELS), horizon))
    widths = sorted({round(100 * abs(2 * level - 1)) for level in LEVELS} - {0})
    for n, series in enumerate(units):
        begin = int((series > 0).argmax())
        model = getattr(models, name)(season_length=7)
        made = model.forecast(series[begin:], horizon, level=widths)
        mean[n] = made["mean"]
        for k, level in enumerate(LEVELS):
            width = round(100 * abs(2 * level - 1))
            side = "lo" if level < 0.5 else "hi"
            quantiles[n, k] = made[f"{side}-{width}"] if width else made["mean"]
    return np.maximum(mean, 0.0), np.maximum(np.sort(quantiles, axis=1), 0.0)


FORECASTERS: dict[str, Callable[[Floats, date, int], Fitted]] = {
    "prophet": prophet,
    "statsforecast": statsforecast,
}


def check(forecaster: str) -> None:
    """Raise `InvalidInput` where there is no such forecaster, or its extra is not installed."""
    if forecaster not in FORECASTERS:
        known = ", ".join(["storecrew", *FORECASTERS])
        raise InvalidInput("forecaster", f"{forecaster!r} is none of {known}")
    _import_prophet() if forecaster == "prophet" else _import_statsforecast()


def _import_prophet() -> tuple[Any, Any]:
    try:
        pandas = import_module("pandas")
        from prophet import Prophet
    except ImportError as error:
        raise _absent("prophet") from error
    return pandas, Prophet


def _import_statsforecast() -> Any:
    try:
        from statsforecast import models
    except ImportError as error:
        raise _absent("statsforecast") from error
    return models


def _absent(extra: str) -> InvalidInput:
    return InvalidInput("forecaster", f"{extra} is absent: pip install 'storecrew[{extra}]'")
