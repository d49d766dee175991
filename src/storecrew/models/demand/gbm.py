"""One model of all series together, direct: LightGBM's boosters, and a forest beside them.

A row is an origin, a series and a step ahead (see `features`); the target is the day's units over
the series' scale, so that series learn from each other. The mean is learned with the Tweedie
deviance (power 1.2: a mass at zero and a long tail), quantiles with the pinball loss. Splits are
drawn at random among thresholds, and a third of each figure is the forest's, whose mistakes are
others: both keep single bulk orders from being learned by heart.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.arrays import Floats
from storecrew.models.demand.features import Places, Rows, Table, features
from storecrew.models.demand.forecasts import LEVELS
from storecrew.models.demand.history import Booleans
from storecrew.models.demand.quantile_forest import QuantileForest, grow
from storecrew.models.serialization import State

GROWN = 56
"""Days of life from which a series can be learned from, and be forecast by what was learned."""
_WARM = 90
"""Days of the shop before the first origin to learn from."""
_FURTHEST = 800
"""Days back that are learned from."""
_EVERY = 7
"""Days between origins: whole weeks, so that step k is the same weekday in every row."""
MOST_ROWS = 400_000
"""Rows learned from: beyond, series are drawn by lot, so that cost does not grow with the shop."""
BOOSTED = (0.5, 0.9, 0.95)
"""Levels that boosters are trained for; the others are the forest's alone."""
_BOOSTERS_SHARE = 2 / 3
_CHUNK = 2000
"""Series forecast at a time, which bounds memory."""
_ROUNDS = 150
_SETTINGS = {
    "extra_trees": True,
    "num_leaves": 63,
    "learning_rate": 0.08,
    "min_data_in_leaf": 60,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "max_bin": 127,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True, eq=False)
class BoostedModel:
    """A forest, and boosters as LightGBM's own text: for the mean, then for each of `BOOSTED`."""

    forest: QuantileForest
    texts: tuple[str, ...]

    def predict(self, table: Table, rows: Places, horizon: int) -> tuple[Floats, Floats]:
        """Return mean [rows, horizon] and quantiles [rows, LEVELS, horizon] from the table's end.

        Where both know a figure, a third of it is the forest's. Quantiles are not yet ordered.
        """
        # lightgbm takes a second and a half to import
        from lightgbm import Booster

        boosters = [Booster(model_str=text) for text in self.texts]
        answer = np.zeros((len(rows), 1 + len(LEVELS), horizon))
        for begin in range(0, len(rows), _CHUNK):
            chunk = slice(begin, begin + _CHUNK)
            x, scale = features(table, rows[chunk], table.days, horizon)
            flat = x.reshape(-1, x.shape[2])
            if flat.shape[1] != boosters[0].num_feature():
                raise InvalidInput("history", "has other prices or flags than were learned from")
            forest = self.forest.predict(flat, (*LEVELS, *BOOSTED))
            boosted = [np.asarray(booster.predict(flat, num_threads=1)) for booster in boosters]
            found = _blended(*forest, np.stack(boosted, axis=1))
            shaped = found.reshape(-1, horizon, found.shape[1]).transpose(0, 2, 1)
            answer[chunk] = np.maximum(shaped, 0.0) * scale[:, None, None]
        return answer[:, 0], answer[:, 1:]

    def state(self) -> State:
        """Return everything as arrays."""
        forest = self.forest
        return {
            "trees": _bytes(forest.text),
            "edges": forest.edges,
            "middles": forest.middles,
            "shares": forest.shares,
            **{f"booster{n}": _bytes(text) for n, text in enumerate(self.texts)},
        }

    @classmethod
    def restore(cls, state: State) -> "BoostedModel":
        """Return what `state` gave; raises `KeyError` or `ValueError` where something is absent."""
        texts = (state[f"booster{n}"] for n in range(1 + len(BOOSTED)))
        forest = QuantileForest(
            state["trees"].tobytes().decode(), state["edges"], state["middles"], state["shares"]
        )
        return cls(forest, tuple(text.tobytes().decode() for text in texts))


def _blended(mean: Floats, quantiles: Floats, boosted: Floats) -> Floats:
    """Return mean and `LEVELS` [rows, 1 + levels] of forest and boosters together.

    `mean` [rows] and `quantiles` [rows, LEVELS + BOOSTED] are the forest's, `boosted`
    [rows, 1 + BOOSTED] the boosters'. Levels without a booster move as their neighbours do.
    """
    moves = _BOOSTERS_SHARE * (boosted[:, 1:] - quantiles[:, len(LEVELS) :])
    moves = np.concatenate([np.zeros((len(mean), 1)), moves], axis=1)
    knots = np.array([0.0, *BOOSTED])
    place = np.interp(LEVELS, knots, np.arange(len(knots)))
    low = np.minimum(place.astype(np.intp), len(knots) - 2)
    share = place - low
    moved = (1 - share) * moves[:, low] + share * moves[:, low + 1]
    center = mean + _BOOSTERS_SHARE * (boosted[:, 0] - mean)
    return np.concatenate([center[:, None], quantiles[:, : len(LEVELS)] + moved], axis=1)


def origins(days: int, horizon: int) -> list[int]:
    """Return the first days of the forecasts to learn from, newest first."""
    return list(range(days - horizon, max(_WARM, days - _FURTHEST) - 1, -_EVERY))


def learn(
    table: Table, starts: Sequence[int], horizon: int, *, seen: Booleans | None, seed: int
) -> BoostedModel | None:
    """Learn from forecasts that began on these days, or return None where there is too little.

    `seen` [series, days] is False where a day's demand is not known: it is no target.
    """
    import lightgbm

    parts = list(_examples(table, starts, horizon, seen, np.random.default_rng(seed)))
    if sum(len(y) for _, y in parts) < 2 * _SETTINGS["min_data_in_leaf"]:
        return None
    x = np.concatenate([part[0] for part in parts])
    y = np.concatenate([part[1] for part in parts])
    settings = {**_SETTINGS, "seed": seed, "num_threads": 1}
    data = lightgbm.Dataset(x, y, params=settings, free_raw_data=False)
    goals: list[dict[str, Any]] = [{"objective": "tweedie", "tweedie_variance_power": 1.2}]
    goals += [{"objective": "quantile", "alpha": level} for level in BOOSTED]
    made = [lightgbm.train({**settings, **goal}, data, _ROUNDS) for goal in goals]
    return BoostedModel(grow(x, y, seed=seed), tuple(booster.model_to_string() for booster in made))


def _examples(
    table: Table,
    starts: Sequence[int],
    horizon: int,
    seen: Booleans | None,
    lots: np.random.Generator,
) -> Iterator[tuple[Rows, Floats]]:
    """Yield features and targets of each origin."""
    for start in starts:
        rows = np.flatnonzero(table.ages(start) >= GROWN)
        most = MOST_ROWS // (horizon * len(starts)) + 1
        if len(rows) > most:
            rows = np.sort(lots.choice(rows, most, replace=False))
        if not len(rows):
            continue
        x, scale = features(table, rows, start, horizon)
        y = table.units[rows, start : start + horizon] / scale[:, None]
        kept = np.ones(y.shape, bool) if seen is None else seen[rows, start : start + horizon]
        yield x[kept], y[kept]


def _bytes(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), dtype=np.uint8)
