"""What a series looked like before a day, in figures free of its scale. Sees no later day.

One row per (origin, series, step): `origin` is the first day that is not known, step k the k-th
day from it. All units are divided by the series' scale, the mean of its last 112 days.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from storecrew.models.arrays import Floats
from storecrew.models.demand.history import DemandHistory
from storecrew.models.demand.seasonal import ages

Rows = NDArray[np.float32]
Places = NDArray[np.intp]

_SMALLEST_SCALE = 1e-2
"""Share of the median series' scale that is the smallest scale taken."""
_LONG = 112
_SHORT = 56
_MEANS = (7, 14, 28, 56, 112)
_WEEKS = 8
_YEAR = 364
_AROUND = 10
_PRICE_DAYS = 84
_OLDEST, _LONGEST_PAUSE = 730, 200


@dataclass(frozen=True)
class Table:
    """A history made ready to compute features of any origin."""

    first: date
    units: Floats
    """Demand with sold-out days filled in, [series, days]."""
    shop: Floats
    """Units of the whole shop, [days]."""
    price: Floats | None
    flags: Floats | None
    priced_ahead: int
    """Days after its end for which the history knows prices; so many are seen of any origin."""
    flagged_ahead: int

    @staticmethod
    def of(history: DemandHistory) -> "Table":
        """Return the table of a history."""
        units = history.demanded()
        ahead = [
            0 if plan is None else plan.shape[-1] - history.days
            for plan in (history.price, history.flags)
        ]
        return Table(history.first, units, units.sum(0), history.price, history.flags, *ahead)

    @property
    def days(self) -> int:
        """Days of history."""
        return int(self.units.shape[1])

    def scale(self, rows: Places, origin: int) -> Floats:
        """Return the mean of the last 112 days before the origin, [rows]; never zero."""
        begin = max(0, origin - _LONG)
        means = self.units[:, begin:origin].mean(1) if origin > begin else np.zeros(len(self.units))
        sells = means > 0
        least = _SMALLEST_SCALE * (float(np.median(means[sells])) if sells.any() else 1.0)
        answer: Floats = np.maximum(means[rows], max(least, 1e-6))
        return answer

    def ages(self, origin: int) -> Floats:
        """Return days since the first sale before the origin, [series]."""
        return ages(self.units[:, :origin])


def features(table: Table, rows: Places, origin: int, horizon: int) -> tuple[Rows, Floats]:
    """Return features [rows, horizon, features] and scales [rows] at one origin."""
    scale = table.scale(rows, origin)
    past = table.units[rows, max(0, origin - _LONG) : origin] / scale[:, None]
    ages = table.ages(origin)[rows]
    steady = np.concatenate([_level(past), _life(past, ages, scale)], axis=1)
    n = len(rows)
    blocks = [
        np.broadcast_to(_calendar(table, origin, horizon), (n, horizon, 5)),
        np.broadcast_to(steady[:, None, :], (n, horizon, steady.shape[1])),
        _same_weekday(table, past, origin, horizon),
        _last_year(table, rows, (origin, horizon), scale),
    ]
    if table.price is not None:
        days = origin + np.minimum(np.arange(horizon), table.priced_ahead - 1)
        blocks.append(_prices(table.price[rows], origin, days))
    if table.flags is not None:
        blocks.append(_flags(table, rows, origin, horizon))
    return np.concatenate(blocks, axis=2).astype(np.float32), scale


def _calendar(table: Table, origin: int, horizon: int) -> Floats:
    """Return step, weekday, day of month, month, and the shop's trend: [horizon, 5]."""
    last, before = table.shop[:origin][-28:].sum(), table.shop[:origin][-56:-28].sum()
    trend = min(last / before, 100.0) if before > 0 else 1.0
    days = [table.first + timedelta(days=origin + k) for k in range(horizon)]
    return np.array(
        [(k + 1, d.weekday(), d.day, d.month, trend) for k, d in enumerate(days)], dtype=np.float64
    )


def _level(past: Floats) -> Floats:
    """Return means, spread and quantiles of the days before: [rows, 21].

    Plain means beside such that fade or are capped, because one bulk order moves only the former.
    """
    last = past[:, -_SHORT:]
    top = np.sort(last, axis=1)[:, ::-1]
    high = np.quantile(past, 0.95, axis=1)
    columns = [past[:, -k:].mean(1) for k in _MEANS]
    columns += [last.std(1), past.std(1), (last == 0).mean(1), (past[:, -14:] > 0).mean(1)]
    columns += [top[:, min(n, top.shape[1] - 1)] for n in (0, 1, 3)]
    columns += [np.median(past[:, -28:], axis=1), np.quantile(last, 0.9, axis=1), high]
    columns += [_faded(past, 7.0), _faded(past, 21.0), _faded(np.sqrt(past), 14.0) ** 2]
    columns += [np.minimum(past, high[:, None])[:, -28:].mean(1), past[:, -1]]
    columns += [last.sum(1) / np.maximum((last > 0).sum(1), 1)]
    return np.stack(columns, axis=1)


def _faded(past: Floats, half: float) -> Floats:
    """Return means of the days before, weights halving every so many days: [rows]."""
    weight = 0.5 ** (np.arange(past.shape[1])[::-1] / half)
    answer: Floats = past @ (weight / weight.sum())
    return answer


def _life(past: Floats, age: Floats, scale: Floats) -> Floats:
    """Return days since the last sale, age in days, and the scale itself: [rows, 3]."""
    sold = past[:, ::-1] > 0
    pause = np.where(sold.any(1), sold.argmax(1), _LONGEST_PAUSE)
    return np.stack([pause, np.minimum(age, _OLDEST), scale], axis=1)


def _same_weekday(table: Table, past: Floats, origin: int, horizon: int) -> Floats:
    """Return mean of 4, mean, median and maximum of 8 same weekdays, and the share of them on
    which the whole shop sold nothing: [rows, horizon, 5].
    """
    weeks = min(_WEEKS, past.shape[1] // 7)
    folded = past[:, past.shape[1] - 7 * weeks :].reshape(len(past), weeks, 7)
    shop = table.shop[origin - 7 * weeks : origin].reshape(weeks, 7)
    closed = np.broadcast_to((shop == 0).mean(0), (len(past), 7))
    week = [folded[:, -4:].mean(1), folded.mean(1), np.median(folded, axis=1), folded.max(1)]
    answer: Floats = np.stack([*week, closed], axis=2)[:, np.arange(horizon) % 7]
    return answer


def _last_year(table: Table, rows: Places, span: tuple[int, int], scale: Floats) -> Floats:
    """Return the value 364 days earlier and the mean of the 21 days around: [rows, horizon, 2].

    NaN where the history does not reach so far.
    """
    origin, horizon = span
    answer = np.full((len(rows), horizon, 2), np.nan)
    for k in range(horizon):
        day = origin + k - _YEAR
        if day >= 0:
            answer[:, k, 0] = table.units[rows, day] / scale
        if day >= _AROUND:
            around = table.units[rows, day - _AROUND : min(day + _AROUND + 1, origin)]
            answer[:, k, 1] = around.mean(1) / scale
    return answer


def _prices(price: Floats, origin: int, days: Places) -> Floats:
    """Return price over its 84-day mean and over its maximum so far: [rows, days, 2].

    `days` are those whose price is taken: one that is not known ahead stays as it was. Days
    without a price (0) count for nothing.
    """
    then = np.where(price[:, days] > 0, price[:, days], np.nan)
    past = price[:, :origin]
    lately = past[:, -_PRICE_DAYS:]
    selling_days = (lately > 0).sum(1)
    mean = np.where(selling_days > 0, lately.sum(1) / np.maximum(selling_days, 1), np.nan)
    most = np.where(past.max(1) > 0, past.max(1), np.nan)
    return np.stack([then / mean[:, None], then / most[:, None]], axis=2)


def _flags(table: Table, rows: Places, origin: int, horizon: int) -> Floats:
    """Return the flags of the target day: [rows, horizon, flags]; those not known are NaN."""
    flags = np.asarray(table.flags)
    days = np.minimum(origin + np.arange(horizon), flags.shape[-1] - 1)
    each = flags[:, rows][..., days] if flags.ndim == 3 else flags[:, None, days]
    known = np.arange(horizon) < table.flagged_ahead
    answer = np.where(known, each, np.nan).transpose(1, 2, 0)
    return np.broadcast_to(answer, (len(rows), horizon, len(flags)))
