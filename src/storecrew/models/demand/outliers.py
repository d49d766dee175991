"""Single days far above everything else that was sold: they tell little of the days to come."""

import numpy as np

from storecrew.models.arrays import Floats

_TIMES = 10.0
"""Times the second-highest day of a series that a day counts for at most."""
_TIMES_SHOP = 20.0
"""The same, of the shop's high days, for a series that sold on one day only."""
_HIGH = 0.99
_FEWEST = 30
"""Selling days of the shop from which its high days are known."""
_ALWAYS = 20.0
"""Units up to which a day is never cut: small numbers jump by chance."""


def without_outliers(units: Floats) -> Floats:
    """Return units [series, days] in which no day is further above the others than is believed."""
    if units.size == 0 or units.shape[1] < 2:
        return units
    second = np.partition(units, -2, axis=1)[:, -2]
    sold = units[units > 0]
    shop = np.quantile(sold, _HIGH) * _TIMES_SHOP if sold.size >= _FEWEST else np.inf
    bound = np.maximum(np.where(second > 0, second * _TIMES, shop), _ALWAYS)
    answer: Floats = np.minimum(units, bound[:, None])
    return answer
