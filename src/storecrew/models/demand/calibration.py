"""Calibration of demand forecasts: the newest weeks are replayed, and levels corrected by them.

Distributional conformal prediction (Chernozhukov, Wüthrich and Zhu, 2021, PNAS 118): the level at
which each realized figure lay in its forecast should be uniform; a nominal level is replaced by
the empirical quantile of those.
"""

from collections.abc import Sequence
from datetime import date

import numpy as np

from storecrew.models.arrays import Floats
from storecrew.models.demand.seasonal import profile

_REPLAYS = 4
_REPLAY_FROM = 28
"""Days of history before the first replay."""
_ENOUGH = 400
"""Replayed figures after which levels are corrected."""


def calibrated_levels(units: Floats, first: date, horizon: int, levels: Sequence[float]) -> Floats:
    """Return the levels to ask the gamma for, so that the nominal ones came true lately.

    Replays forecasts from the newest `horizon`-day stretches of the history; with little to
    replay the answer leans on the levels as they are.
    """
    nominal = np.asarray(levels, dtype=np.float64)
    days = units.shape[1]
    origins = [o for n in range(1, _REPLAYS + 1) if (o := days - n * horizon) >= _REPLAY_FROM]
    found = []
    for origin in origins:
        made = profile(units[:, :origin], first, horizon)
        known = made.days > 0
        found.append(made.level_of(units[:, origin : origin + horizon])[known].ravel())
    realized = np.concatenate(found) if found else np.zeros(0)
    if realized.size == 0:
        return nominal
    place = np.minimum(np.ceil((realized.size + 1) * nominal) / realized.size, 1.0)
    empirical = np.minimum(np.quantile(realized, place, method="higher"), 1 - 1e-6)
    share = realized.size / (realized.size + _ENOUGH)
    answer: Floats = share * empirical + (1 - share) * nominal
    return answer
