"""What was sold, day by day: the input of every demand model, checked once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats, floats
from storecrew.models.demand.outliers import without_outliers

Booleans = NDArray[np.bool_]

MOST_UNITS = 1e9
"""Units of a product and day above which a count is a mistake."""
_IMPUTED_FROM = 56
"""Days before a sold-out day whose mean stands in for the demand nobody saw."""


@dataclass(frozen=True, kw_only=True)
class DemandHistory:
    """Daily units of many series over one span of days; raises `InvalidInput` for anything odd."""

    first: date
    """The day of column 0."""
    series: Sequence[str]
    """A name per row: an SKU, or an SKU and a warehouse."""
    units: Floats
    """Units sold, [series, days]; days without sales are zero."""
    price: Floats | None = None
    """Price asked, [series, days + days known ahead]; what is not known ahead stays as it is."""
    flags: Floats | None = None
    """Promotions and events, [flags, days + days known ahead], or
    [flags, series, days + days known ahead] where they differ by series."""
    in_stock: Booleans | None = None
    """False on days that the series was sold out, [series, days]: more was wanted than sold."""

    def __post_init__(self) -> None:
        units = floats("units", self.units, most=MOST_UNITS)
        if units.ndim != 2 or units.shape[0] != len(self.series):
            raise InvalidInput("units", f"shape {units.shape} is not [{len(self.series)}, days]")
        if len(set(self.series)) != len(self.series):
            raise InvalidInput("series", "a name occurs twice")
        if self.price is not None:
            floats("price", self.price, most=MOST_UNITS)
        if self.flags is not None and not np.isfinite(self.flags).all():
            raise InvalidInput("flags", "holds what is no number")
        for name, array in (("price", self.price), ("flags", self.flags)):
            self._check_span(name, array)
        if self.in_stock is not None and np.shape(self.in_stock) != units.shape:
            raise InvalidInput("in_stock", f"shape {np.shape(self.in_stock)}, not {units.shape}")
        object.__setattr__(self, "units", units)

    def _check_span(self, name: str, array: Floats | None) -> None:
        if array is None:
            return
        rows = array.shape[-2:-1] if array.ndim == 3 or name == "price" else (len(self.series),)
        if array.ndim not in (2, 3) or rows != (len(self.series),) or array.shape[-1] < self.days:
            raise InvalidInput(
                name, f"shape {array.shape} does not cover {len(self.series)} x {self.days}"
            )

    @property
    def days(self) -> int:
        """Days of history."""
        return int(self.units.shape[1])

    @property
    def end(self) -> date:
        """The first day that is not known."""
        return self.first + timedelta(days=self.days)

    @staticmethod
    def from_rows(rows: Iterable[tuple[date, str, float]], *, end: date) -> "DemandHistory":
        """Return the history of sales lines (day, series, units) before the day `end`.

        Lines of one day and series add up; it begins with the first line's day.
        """
        lines = [line for line in rows if line[0] < end]
        first = min((day for day, _, _ in lines), default=end)
        names = sorted({name for _, name, _ in lines})
        place = {name: n for n, name in enumerate(names)}
        units = np.zeros((len(names), (end - first).days))
        for day, name, sold in lines:
            units[place[name], (day - first).days] += sold
        return DemandHistory(first=first, series=names, units=units)

    def until(self, days: int) -> "DemandHistory":
        """Return what was known when only so many days had passed.

        Prices and flags keep what was known ahead: they are the shop's own plans.
        """
        stock = None if self.in_stock is None else self.in_stock[:, :days]
        return replace(self, units=self.units[:, :days], in_stock=stock)

    def demanded(self) -> Floats:
        """Return units with sold-out days filled in and outliers cut down, [series, days].

        On such a day demand is taken to be the mean of the days in stock among the 56 before, and
        at least what was sold. A day's value rests on no later day.
        """
        units = without_outliers(self.units)
        if self.in_stock is None or bool(self.in_stock.all()):
            return units
        available = np.asarray(self.in_stock, dtype=np.float64)
        sums = _trailing(units * available)
        counts = _trailing(available)
        usual = sums / np.maximum(counts, 1.0)
        return np.where(self.in_stock, units, np.maximum(units, usual))


def _trailing(values: Floats) -> Floats:
    """Return the sum of the days before each day, as many as count."""
    total = np.concatenate([np.zeros((len(values), 1)), np.cumsum(values, axis=1)], axis=1)
    ends = np.arange(values.shape[1])
    begins = np.maximum(ends - _IMPUTED_FROM, 0)
    answer: Floats = total[:, ends] - total[:, begins]
    return answer
