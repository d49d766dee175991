"""The demand model of a shop: what was learned from all series, and what to do where nothing was.

`train` learns from a history, `DemandModel.forecast` looks ahead from the same or a later one.
Both see what they are given and nothing else: the same history and seed give the same numbers.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.models.demand import optional
from storecrew.models.demand.calibration import calibrated_levels
from storecrew.models.demand.features import Places, Table
from storecrew.models.demand.forecasts import LEVELS, Forecasts, ordered
from storecrew.models.demand.gbm import GROWN, BoostedModel, learn, origins
from storecrew.models.demand.history import DemandHistory
from storecrew.models.demand.optional import Fitted
from storecrew.models.demand.seasonal import YOUNG, SeasonalProfile, ages, profile
from storecrew.models.serialization import State

OWN = "storecrew"
"""The name of our own forecaster."""
LONGEST = 90
"""Days ahead that can be asked for."""


@dataclass(frozen=True, kw_only=True)
class DemandModel:
    """A trained model; `learned` is None where the shop is too young to learn from."""

    horizon: int
    first: date
    """The first day of the history it was trained on."""
    last: date
    """The day after the last one."""
    learned: BoostedModel | None
    forecaster: str = OWN
    """Who forecasts the series with enough history: our own model, `prophet` or `statsforecast`."""

    @property
    def facts(self) -> Mapping[str, int | str]:
        """What was learned from, for people."""
        return {
            "horizon": self.horizon,
            "trained_days": (self.last - self.first).days,
            "boosters": 0 if self.learned is None else len(self.learned.texts),
        }

    def forecast(self, history: DemandHistory) -> Forecasts:
        """Return the demand of the `horizon` days after the history, for each of its series.

        Series of at least 56 days are forecast by what was learned; others, and all of a young
        shop, by level, weekday and season. A series that never sold is forecast at zero.
        """
        simple = simple_forecasts(history, horizon=self.horizon)
        age = np.where(simple.known_days > 0, ages(history.units), 0)
        if self.forecaster != OWN:
            rows = np.flatnonzero(age >= optional.FEWEST_DAYS)
            fit = optional.FORECASTERS[self.forecaster]
            found = fit(history.demanded()[rows], history.first, self.horizon)
            return _with(simple, rows, found, self.forecaster)
        rows = np.flatnonzero(age >= GROWN)
        if self.learned is None or not len(rows):
            return simple
        found = self.learned.predict(Table.of(history), rows, self.horizon)
        return _with(simple, rows, found, "learned")

    def state(self) -> State:
        """Return everything as arrays."""
        learned = {} if self.learned is None else self.learned.state()
        return {
            "horizon": np.array(self.horizon),
            "forecaster": np.array(self.forecaster),
            "window": np.array([self.first.toordinal(), self.last.toordinal()]),
            **learned,
        }

    @classmethod
    def restore(cls, state: State) -> "DemandModel":
        """Return the model of a state; raises `InvalidInput` where it holds none."""
        try:
            first, last = (date.fromordinal(int(day)) for day in state["window"])
            learned = BoostedModel.restore(state) if "trees" in state else None
            horizon = _checked(int(state["horizon"]))
            forecaster = str(state["forecaster"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", f"holds no demand model ({error})") from error
        return cls(horizon=horizon, first=first, last=last, learned=learned, forecaster=forecaster)


def train(
    history: DemandHistory, *, horizon: int = 14, seed: int = 0, forecaster: str = OWN
) -> DemandModel:
    """Return a model of the history for forecasts of `horizon` days (1 to 90).

    Time grows with the history up to about 400,000 rows (series × origins × days ahead) and no
    further. Raises `InvalidInput` for an impossible horizon, and for a forecaster that is
    unknown or not installed; the optional ones learn nothing now and fit when they forecast.
    """
    _checked(horizon)
    if forecaster != OWN:
        optional.check(forecaster)
    starts = origins(history.days, horizon) if forecaster == OWN else []
    learned = None
    if starts:
        table = Table.of(history)
        learned = learn(table, starts, horizon, seen=history.in_stock, seed=seed)
    return DemandModel(
        horizon=horizon,
        first=history.first,
        last=history.end,
        learned=learned,
        forecaster=forecaster,
    )


def simple_forecasts(
    history: DemandHistory, *, horizon: int = 14, shop_age: float = 0.0
) -> Forecasts:
    """Return forecasts by level, weekday and season alone: nothing need be trained for them.

    What new shops and products have, and what a trained model falls back on. `shop_age` is the
    days since the shop's first sale, where that is of a series that is not among these.
    """
    _checked(horizon)
    units = history.demanded()
    made = profile(units, history.first, horizon, shop_age)
    levels = calibrated_levels(units, history.first, horizon, LEVELS)
    return Forecasts(
        first=history.end,
        series=tuple(history.series),
        mean=made.mean,
        quantiles=ordered(made.quantiles(levels)),
        method=_methods(made),
        level=made.level,
        variance=made.variance,
        known_days=made.days,
    )


def _with(simple: Forecasts, rows: Places, found: Fitted, method: str) -> Forecasts:
    """Return the forecasts with these rows (mean and quantiles) in place of the simple ones."""
    mean, quantiles = simple.mean.copy(), simple.quantiles.copy()
    mean[rows], quantiles[rows] = found[0], ordered(found[1])
    methods = np.array(simple.method, dtype=object)
    methods[rows] = method
    return replace(simple, mean=mean, quantiles=quantiles, method=tuple(methods.tolist()))


def _checked(horizon: int) -> int:
    if not 1 <= horizon <= LONGEST:
        raise InvalidInput("horizon", f"{horizon} is not between 1 and {LONGEST} days")
    return horizon


def _methods(made: SeasonalProfile) -> tuple[str, ...]:
    """Return how each series is forecast without anything learned."""
    return tuple(
        "unsold" if days == 0 else "pooled" if age < YOUNG else "profile"
        for days, age in zip(made.days.tolist(), made.age.tolist(), strict=True)
    )
