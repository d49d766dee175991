"""How much will be sold: what each series has to say, and what all of them together show."""

from storecrew.models.demand.forecasts import LEVELS, Forecasts
from storecrew.models.demand.history import SalesHistory
from storecrew.models.demand.model import DemandModel, simple_forecasts, train
from storecrew.models.demand.recent import GammaDemand, forecast

__all__ = [
    "LEVELS",
    "DemandModel",
    "Forecasts",
    "GammaDemand",
    "SalesHistory",
    "forecast",
    "simple_forecasts",
    "train",
]
