"""What a forecast says, kept as arrays so that any process can serve it in microseconds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

import numpy as np

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.models.arrays import Floats
from storecrew.models.demand.baseline import GammaDemand
from storecrew.models.serialization import State

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""The quantiles that every forecast gives."""


@dataclass(frozen=True, kw_only=True)
class SeriesForecast:
    """One series' forecast, day by day."""

    first: date
    """The day of the first figure."""
    mean: Floats
    """Expected units, [horizon]."""
    levels: Sequence[float]
    quantiles: Floats
    """Units that are not exceeded with the chance of `levels`, [levels, horizon]."""
    method: str
    """How it was made: learned, profile, pooled, …"""

    def quantile(self, level: float) -> Floats:
        """Return the quantile of each day, linear between the levels kept and flat beyond."""
        if not 0 < level < 1:
            raise InvalidInput("level", f"{level} is not between 0 and 1")
        place = float(np.interp(level, self.levels, np.arange(len(self.levels))))
        low = int(place)
        high = min(low + 1, len(self.levels) - 1)
        share = place - low
        answer: Floats = (1 - share) * self.quantiles[low] + share * self.quantiles[high]
        return answer


@dataclass(frozen=True, kw_only=True, eq=False)
class Forecasts:
    """Daily demand of many series over the days ahead. Quantiles are ordered and never negative."""

    first: date
    """The day of the first figure."""
    series: Sequence[str]
    mean: Floats
    """Expected units, [series, horizon]."""
    quantiles: Floats
    """[series, levels, horizon]."""
    method: Sequence[str]
    """Per series, how it was made."""
    level: Floats
    """Units a day of late, [series], with which stock levels hedge the mean."""
    variance: Floats
    """Of one day's units, [series]: the spread behind stock levels."""
    known_days: Floats
    """Days of history behind the mean, [series]."""
    levels: Sequence[float] = LEVELS

    @property
    def horizon(self) -> int:
        """Days ahead."""
        return int(self.mean.shape[1])

    @property
    def last(self) -> date:
        """The day of the last figure."""
        return self.first + timedelta(days=self.horizon - 1)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {name: n for n, name in enumerate(self.series)}

    def place(self, series: str) -> int:
        """Return the row of a series, or raise `NotFound`."""
        try:
            return self._places[series]
        except KeyError:
            raise NotFound("forecast", series) from None

    def of(self, series: str) -> SeriesForecast:
        """Return one series' forecast, or raise `NotFound`."""
        n = self.place(series)
        return SeriesForecast(
            first=self.first,
            mean=self.mean[n],
            levels=self.levels,
            quantiles=self.quantiles[n],
            method=self.method[n],
        )

    def demand(self, series: str) -> GammaDemand:
        """Return one series' demand over any number of days, for stock decisions.

        Level: half the mean of the days ahead, half that of late, which needed less stock at
        equal fill than either; spread: the shrunken gamma of `forecast`.
        """
        n = self.place(series)
        return GammaDemand(
            daily=float(self.mean[n].mean() + self.level[n]) / 2,
            variance=float(self.variance[n]),
            days=float(self.known_days[n]),
            basis=f"{self.method[n]} forecast of the {self.horizon} days from {self.first}",
        )

    def state(self) -> State:
        """Return everything as arrays."""
        return {
            "first": np.array(self.first.toordinal()),
            "series": np.array(self.series, dtype=np.str_),
            "mean": self.mean.astype(np.float32),
            "quantiles": self.quantiles.astype(np.float32),
            "method": np.array(self.method, dtype=np.str_),
            "level": self.level,
            "variance": self.variance,
            "known_days": self.known_days,
            "levels": np.array(self.levels),
        }

    @classmethod
    def restore(cls, state: State) -> "Forecasts":
        """Return the forecasts of a state; raises `InvalidInput` where it does not fit together."""
        try:
            restored = cls(
                first=date.fromordinal(int(state["first"])),
                series=state["series"].tolist(),
                mean=state["mean"].astype(np.float64),
                quantiles=state["quantiles"].astype(np.float64),
                method=state["method"].tolist(),
                level=state["level"],
                variance=state["variance"],
                known_days=state["known_days"],
                levels=state["levels"].tolist(),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", f"holds no forecasts ({error})") from error
        n, horizon = len(restored.series), restored.horizon
        if restored.quantiles.shape != (n, len(restored.levels), horizon):
            raise InvalidInput("state", f"quantiles have the shape {restored.quantiles.shape}")
        rows = (restored.mean, restored.method, restored.level, restored.variance)
        if any(len(each) != n for each in (*rows, restored.known_days)):
            raise InvalidInput("state", "lengths differ")
        return restored


def ordered(quantiles: Floats) -> Floats:
    """Return quantiles [series, levels, horizon] made monotone over the levels and cut at zero.

    Sorting never makes the pinball loss worse (Chernozhukov, Fernández-Val and Galichon, 2010,
    "Quantile and probability curves without crossing").
    """
    return np.maximum(np.sort(quantiles, axis=1), 0.0)
