"""How forecasts did on the days that came after them, in all and per series.

Sums are kept and not means, so that versions add up. Each figure stands beside that of the simple
forecast made on the same day: a model that does worse than it lately is not asked any more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.control.model_registry import ServingStatus
from storecrew.domain.errors import InvalidInput
from storecrew.models.demand import DemandHistory, Forecasts, simple_forecasts
from storecrew.models.metrics import pinball
from storecrew.models.serialization import State

Floats = NDArray[np.float64]

COLUMNS = ("days", "units", "error", "bias", "covered", "loss", "simple_error", "simple_loss")
"""Sums per series: days scored, units sold, |units − median forecast|, mean forecast − units, days
on which units lay at or under the 0.9 quantile, pinball losses at 0.5 and 0.9 together, and the
last two of the simple forecast."""
_TAIL = 0.9
REHEARSAL = 14
"""Days of each forecast that is made in hindsight."""
_ENOUGH = 7
"""Days of forecasts that must have come true before a model is judged."""
_TOLERANCE = 1.05
"""Ratio of losses to the simple forecast above which a model is not asked any more."""


@dataclass(frozen=True, kw_only=True)
class AccuracyRecord:
    """How forecasts of series did: sums [series, COLUMNS]."""

    series: tuple[str, ...]
    sums: Floats

    @classmethod
    def empty(cls) -> "AccuracyRecord":
        """Return the record of nothing."""
        return cls(series=(), sums=np.zeros((0, len(COLUMNS))))

    @cached_property
    def places(self) -> Mapping[str, int]:
        """The row of each series."""
        return {name: n for n, name in enumerate(self.series)}

    def state(self) -> State:
        """Return everything as arrays."""
        return {"series": np.array(self.series, dtype=np.str_), "sums": self.sums}

    @classmethod
    def restore(cls, state: State) -> "AccuracyRecord":
        """Return the record of a state; raises `InvalidInput` where it holds none."""
        try:
            series, sums = tuple(state["series"].tolist()), state["sums"]
        except KeyError as error:
            raise InvalidInput("state", f"holds no record ({error})") from error
        if sums.shape != (len(series), len(COLUMNS)):
            raise InvalidInput("state", f"sums have the shape {sums.shape}")
        return cls(series=series, sums=sums)

    def of(self, series: str) -> dict[str, float]:
        """Return a series' figures, {} where no day of it was scored."""
        place = self.places.get(series)
        return {} if place is None else figures(self.sums[place])

    def total(self) -> Mapping[str, Any]:
        """Return the figures over all series, {} where no day was scored."""
        return figures(self.sums.sum(axis=0))


def scored(
    served: Forecasts, simple: Forecasts, units: Mapping[str, Sequence[float]]
) -> AccuracyRecord:
    """Return how the forecasts did on the first days after they were made.

    `units` are sold per series and day from the forecasts' first day on; a series that is not
    there sold nothing. Both forecasts have the same series.
    """
    days = min(served.horizon, len(next(iter(units.values()), ())))
    nothing: Sequence[float] = [0.0] * days
    actual = np.array([units.get(name, nothing)[:days] for name in served.series], dtype=float)
    sums = np.zeros((len(served.series), len(COLUMNS)))
    if not days:
        return AccuracyRecord(series=tuple(served.series), sums=sums)
    middle, tail = _quantile(served, 0.5, days), _quantile(served, _TAIL, days)
    sums[:, 0] = days
    sums[:, 1] = actual.sum(axis=1)
    sums[:, 2] = np.abs(actual - middle).sum(axis=1)
    sums[:, 3] = (served.mean[:, :days] - actual).sum(axis=1)
    sums[:, 4] = (actual <= tail).sum(axis=1)
    sums[:, 5] = _loss(actual, middle, 0.5) + _loss(actual, tail, _TAIL)
    middle, tail = _quantile(simple, 0.5, days), _quantile(simple, _TAIL, days)
    sums[:, 6] = np.abs(actual - middle).sum(axis=1)
    sums[:, 7] = _loss(actual, middle, 0.5) + _loss(actual, tail, _TAIL)
    return AccuracyRecord(series=tuple(served.series), sums=sums)


def merged(records: Sequence[AccuracyRecord]) -> AccuracyRecord:
    """Return the sums of several records, per series."""
    names = sorted({name for record in records for name in record.series})
    place = {name: n for n, name in enumerate(names)}
    sums = np.zeros((len(names), len(COLUMNS)))
    for record in records:
        rows = np.array([place[name] for name in record.series], dtype=np.intp)
        np.add.at(sums, rows, record.sums)
    return AccuracyRecord(series=tuple(names), sums=sums)


def rehearsed(history: DemandHistory) -> AccuracyRecord:
    """Return how the simple forecast would have done lately, made in hindsight.

    Two forecasts of a fortnight, each from what was known before it.
    """
    records = []
    for back in (2 * REHEARSAL, REHEARSAL):
        known = history.days - back
        if known < 1:
            continue
        before = history.until(known)
        made = simple_forecasts(before, horizon=REHEARSAL)
        after = history.units[:, known : known + REHEARSAL].tolist()
        records.append(scored(made, made, dict(zip(history.series, after, strict=True))))
    return merged(records)


def told_of(record: AccuracyRecord, series: str) -> dict[str, Any]:
    """Return what a rehearsal says of a series, {} where it was not in it."""
    accuracy = record.of(series)
    accuracy.pop("loss_ratio", None)  # it was compared with itself
    basis = "rehearsed in hindsight with the simple forecast"
    return {"basis": basis, **accuracy} if accuracy else {}


def figures(sums: Floats) -> dict[str, float]:
    """Return what a row of sums says, {} where no day was scored.

    wape = Σ|units − median| / Σunits, bias = Σ(mean − units) / Σunits (both left out where nothing
    was sold), coverage_90 = share of days at or under the 0.9 quantile, loss_ratio = pinball losses
    over those of the simple forecast.
    """
    of = dict(zip(COLUMNS, sums.tolist(), strict=True))
    if not of["days"]:
        return {}
    found = {"days": of["days"], "coverage_90": of["covered"] / of["days"]}
    if of["units"] > 0:
        found["wape"] = of["error"] / of["units"]
        found["bias"] = of["bias"] / of["units"]
    if of["simple_loss"] > 0:
        found["loss_ratio"] = of["loss"] / of["simple_loss"]
    return {name: round(value, 4) for name, value in found.items()}


def judged(record: AccuracyRecord, days: int) -> tuple[ServingStatus, str]:
    """Return whether forecasts like these are asked again; `days` ahead were seen in all."""
    accuracy = record.total()
    ratio = accuracy.get("loss_ratio")
    if days < _ENOUGH or ratio is None:
        return ServingStatus.SERVING, "too few days have passed to judge it"
    word = f"{ratio:.2f} of the simple forecast's loss over {days} days"
    if ratio > _TOLERANCE:
        return (
            ServingStatus.FALLEN_BACK,
            f"{word}: the simple forecast answers until it does better",
        )
    return ServingStatus.SERVING, word


def days_seen(first: date, horizon: int, today: date) -> int:
    """Return how many of a forecast's days are over."""
    return max(0, min(horizon, (today - first) // timedelta(days=1)))


def _quantile(made: Forecasts, level: float, days: int) -> Floats:
    answer: Floats = made.quantiles[:, list(made.levels).index(level), :days]
    return answer


def _loss(actual: Floats, quantile: Floats, level: float) -> Floats:
    """Return the pinball loss at a level, summed over days."""
    answer: Floats = pinball(actual, quantile, level).sum(axis=1)
    return answer
