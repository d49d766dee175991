"""How much will be sold: what each series has to say, and what all of them together show."""

from storecrew.models.demand.baseline import GammaDemand, forecast
from storecrew.models.demand.forecasts import LEVELS, Forecasts
from storecrew.models.demand.history import DemandHistory
from storecrew.models.demand.model import DemandModel, simple_forecasts, train

__all__ = [
    "LEVELS",
    "DemandHistory",
    "DemandModel",
    "Forecasts",
    "GammaDemand",
    "forecast",
    "simple_forecasts",
    "train",
]
