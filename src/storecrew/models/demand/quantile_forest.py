"""A forest that knows whole distributions: randomised trees whose leaves keep what fell into them.

Trees with random splits (Geurts, Ernst and Wehenkel, 2006, "Extremely randomized trees") are grown
on the root of the target; a figure's distribution is the mean, over the trees, of the targets in
its leaves (Meinshausen, 2006, "Quantile regression forests"). Targets are kept as counts in bins
whose edges grow by a constant factor, so that every level and the mean come from one forest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.models.arrays import Floats
from storecrew.models.demand.features import Rows

_TREES = 80
_BINS = 96
_SMALLEST = 0.02
"""Upper edge of the first bin above zero, in units of the series' scale."""
_CHUNK = 50_000
"""Rows whose leaves are looked up at a time, which bounds memory."""
_SETTINGS: dict[str, Any] = {
    "boosting": "rf",
    "objective": "l2",
    "extra_trees": True,
    "num_leaves": 256,
    "min_data_in_leaf": 40,
    "bagging_fraction": 0.6,
    "bagging_freq": 1,
    "feature_fraction_bynode": 0.8,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True, eq=False)
class QuantileForest:
    """LightGBM's text of the trees, and what their leaves hold."""

    text: str
    edges: Floats
    """Upper edges of the bins, [bins]; the first is zero."""
    middles: Floats
    """Mean of the targets in each bin, [bins]."""
    shares: NDArray[np.float16]
    """Share of each bin in each leaf, [trees, leaves, bins]."""

    def predict(self, x: Rows, levels: Sequence[float]) -> tuple[Floats, Floats]:
        """Return mean [rows] and quantiles [rows, levels] of the targets."""
        # lightgbm takes a second and a half to import
        from lightgbm import Booster

        trees = Booster(model_str=self.text)
        mean, quantiles = np.zeros(len(x)), np.zeros((len(x), len(levels)))
        for begin in range(0, len(x), _CHUNK):
            part = slice(begin, begin + _CHUNK)
            leaves = _leaves(trees, x[part])
            mass = np.zeros((len(leaves), len(self.edges)), dtype=np.float32)
            for tree, shares in enumerate(self.shares):
                mass += shares[leaves[:, tree]]
            mass /= mass.sum(1, keepdims=True)
            mean[part] = mass @ self.middles
            quantiles[part] = self._levels(np.cumsum(mass, axis=1), levels)
        return mean, quantiles

    def _levels(self, reached: NDArray[np.float32], levels: Sequence[float]) -> Floats:
        """Return quantiles [rows, levels] from distributions [rows, bins], straight in a bin."""
        answer = np.zeros((len(reached), len(levels)))
        rows = np.arange(len(reached))
        for n, level in enumerate(levels):
            bins = np.minimum((reached < level).sum(1), len(self.edges) - 1)
            below = np.where(bins > 0, reached[rows, bins - 1], 0.0)
            inside = np.maximum(reached[rows, bins] - below, 1e-9)
            low = self.edges[np.maximum(bins - 1, 0)]
            share = np.clip((level - below) / inside, 0.0, 1.0)
            answer[:, n] = low + share * (self.edges[bins] - low)
        return answer


def grow(x: Rows, y: Floats, *, seed: int) -> QuantileForest:
    """Return a forest of these features [rows, features] and targets [rows], none negative."""
    import lightgbm

    settings = {**_SETTINGS, "seed": seed}
    trees = lightgbm.train(settings, lightgbm.Dataset(x, np.sqrt(y), params=settings), _TREES)
    edges = np.append(0.0, np.geomspace(_SMALLEST, max(float(y.max()), 2 * _SMALLEST), _BINS - 1))
    bins = np.minimum(np.searchsorted(edges, y), _BINS - 1)
    counts = np.zeros((trees.num_trees(), _SETTINGS["num_leaves"], _BINS), dtype=np.float32)
    for begin in range(0, len(y), _CHUNK):
        part = slice(begin, begin + _CHUNK)
        leaves = _leaves(trees, x[part])
        for tree in range(len(counts)):
            place = leaves[:, tree] * _BINS + bins[part]
            counts[tree] += np.bincount(place, minlength=counts[tree].size).reshape(-1, _BINS)
    sums = np.bincount(bins, weights=y, minlength=_BINS)
    held = np.bincount(bins, minlength=_BINS)
    middles = np.where(held > 0, sums / np.maximum(held, 1), edges)
    shares = counts / np.maximum(counts.sum(2, keepdims=True), 1.0)
    return QuantileForest(trees.model_to_string(), edges, middles, shares.astype(np.float16))


def _leaves(trees: Any, x: Rows) -> NDArray[np.intp]:
    """Return the leaf of each row in each tree, [rows, trees]."""
    found = np.asarray(trees.predict(x, pred_leaf=True, num_threads=1), dtype=np.intp)
    return found.reshape(len(x), -1)
