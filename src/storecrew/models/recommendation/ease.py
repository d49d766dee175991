"""EASE: each item predicted from all others by ridge regression, in closed form.

Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019:
P = (XᵀX + λI)⁻¹, Bᵢⱼ = −Pᵢⱼ/Pⱼⱼ, Bᵢᵢ = 0; scores x·B. The inverse costs items³, so that beyond the
`HEAD` most bought items each is predicted from its nearest neighbours alone: the same regression
with few regressors. What such an item says for others follows from the symmetry of P:
Bᵢⱼ = Bⱼᵢ · Pᵢᵢ/Pⱼⱼ.
"""

import numpy as np
from numpy.typing import NDArray

from storecrew.models.recommendation.interactions import Sparse, diagonal, gram
from storecrew.models.recommendation.similarities import NeighbourTable

Floats = NDArray[np.float32]
Places = NDArray[np.int64]

HEAD = 5000
"""Items of the full regression: two seconds, and three matrices of 100 MB while it lasts."""
NEIGHBOURS = 32
"""Regressors of an item beyond the head."""
_CLOSE = 128
"""Entries of the Gram matrix kept for an item, where it is too large to keep whole."""
_BLOCK = 2000
_ENTRIES = 4_000_000
_MOST, _LEAST = 512, 64


def solve(given: Floats, ridge: float) -> tuple[Floats, Floats]:
    """Return B [items, items] and 1/diag(P), in single precision; `given` is overwritten.

    `given` is a Gram matrix; `ridge` must be positive.
    """
    from scipy.linalg import lapack  # scipy takes a quarter of a second to import

    given[np.diag_indices_from(given)] += np.float32(ridge)
    factor, failed = lapack.spotrf(given, lower=0, overwrite_a=1)
    inverse, failed_too = lapack.spotri(factor, lower=0, overwrite_c=1)
    if failed or failed_too:
        raise ArithmeticError("the Gram matrix is not positive definite")
    residual: Floats = (1 / np.diag(inverse)).astype(np.float32)
    found: Floats = np.triu(inverse, 1)
    found += found.T
    found *= -residual[None, :]
    return found, residual


def scale(diagonal: Floats, power: float) -> Floats:
    """Return factors that damp the often bought: (Gᵢᵢ + 0.1)^−power, their mean square one."""
    raw = np.power(diagonal + np.float32(0.1), -power)
    scaled: Floats = (raw / np.sqrt(np.mean(raw**2))).astype(np.float32)
    return scaled


def partners(rows: Sparse, ridge: float, power: float) -> NeighbourTable:
    """Return each item's most telling weights, from weighted rows [rows, items].

    Columns are scaled by `scale` before; scores stay in the scaled measure.
    """
    from scipy import sparse  # see above

    many = rows.shape[1]
    keep = min(many, _MOST, max(_LEAST, _ENTRIES // max(1, many)))
    if not keep:
        return NeighbourTable(place=np.zeros((0, 0), np.int32), weight=np.zeros((0, 0), np.float32))
    factors = scale(diagonal(rows), power)
    scaled = (rows @ sparse.diags(factors, dtype=np.float32)).tocsr()
    if many <= HEAD:
        found, _ = solve(gram(scaled), ridge)
        return _dense_top(found * factors[:, None], keep)
    observed = np.flatnonzero(
        diagonal(scaled) > 0
    )  # of the others nothing is known, not even words
    source, target, weight = _head_and_tail(scaled[:, observed], ridge, keep)
    source, target = observed[source], observed[target]
    return _sparse_top(source, target, weight * factors[source], many, keep)


def _head_and_tail(rows: Sparse, ridge: float, keep: int) -> tuple[Places, Places, Floats]:
    """Return (source, target, weight) of the head's regression and of each other item's own."""
    squares = diagonal(rows)
    order = np.argsort(-squares, kind="stable")
    head, tail = np.sort(order[:HEAD]), np.sort(order[HEAD:])
    if not head.size:
        return head, head, squares
    found, residual = solve(gram(rows[:, head]), ridge)
    top = _dense_top(found, keep)
    del found
    source = [np.repeat(head, top.place.shape[1])]
    target = [head[np.maximum(top.place, 0).ravel()]]  # what is no partner has a weight of nought
    weight = [top.weight.ravel()]
    residuals = np.zeros(rows.shape[1], np.float32)
    residuals[head] = residual
    nearest = _nearest(rows, squares, ridge) if tail.size else rows
    for begin in range(0, tail.size, _BLOCK):
        block = tail[begin : begin + _BLOCK]
        near, said, left = _local(nearest, squares, block, ridge)
        to = np.repeat(block, near.shape[1])
        back = np.where(residuals[near] > 0, said * residuals[near] / left[:, None], 0)
        source += [near.ravel(), to]
        target += [to, near.ravel()]
        weight += [said.ravel(), back.ravel()]
    return np.concatenate(source), np.concatenate(target), np.concatenate(weight)


def _nearest(rows: Sparse, squares: Floats, ridge: float) -> Sparse:
    """Return the Gram matrix with the `_CLOSE` entries of each row that tell most, symmetric."""
    from scipy import sparse  # see above

    turned, many = rows.T.tocsr(), rows.shape[1]
    usual = np.sqrt(squares + np.float32(ridge))
    places: list[Places] = []
    values: list[Floats] = []
    for begin in range(0, many, _BLOCK):
        block = (turned[begin : begin + _BLOCK] @ rows).tocsr()
        for n in range(block.shape[0]):
            span = slice(block.indptr[n], block.indptr[n + 1])
            near, value = block.indices[span], block.data[span]
            nearness = np.where(near == begin + n, -1, value / usual[near])
            kept = (
                np.argsort(-nearness, kind="stable")[:_CLOSE]
                if near.size <= _CLOSE
                else (np.argpartition(-nearness, _CLOSE)[:_CLOSE])
            )
            places.append(near[kept].astype(np.int64))
            values.append(value[kept])
    pointer = np.cumsum([0, *(each.size for each in places)])
    found = sparse.csr_matrix(
        (np.concatenate(values), np.concatenate(places), pointer), (many, many)
    )
    whole = found.maximum(found.T).tocsr()
    whole.sort_indices()
    return whole


def _local(
    nearest: Sparse, squares: Floats, items: Places, ridge: float
) -> tuple[Places, Floats, Floats]:
    """Return each item's neighbours [items, k], their weights for it, and its residual."""
    near = np.repeat(items[:, None], NEIGHBOURS, axis=1)
    for n, item in enumerate(items.tolist()):
        span = slice(nearest.indptr[item], nearest.indptr[item + 1])
        places, values = nearest.indices[span], nearest.data[span]
        nearness = np.where(places == item, -1, values / np.sqrt(squares[places] + ridge))
        best = np.argsort(-nearness, kind="stable")[:NEIGHBOURS]
        best = best[nearness[best] > 0]
        near[n, : best.size] = places[best]  # what is left is the item itself, weight nought
    shape = (items.size, NEIGHBOURS, NEIGHBOURS)
    inner = np.asarray(
        nearest[
            np.broadcast_to(near[:, :, None], shape).ravel(),
            np.broadcast_to(near[:, None, :], shape).ravel(),
        ],
        np.float32,
    ).reshape(shape)
    own = near == items[:, None]
    inner[own[:, :, None] | own[:, None, :]] = 0
    ends = np.arange(NEIGHBOURS)
    inner[:, ends, ends] = squares[near] + np.float32(ridge)
    towards = np.asarray(nearest[near.ravel(), np.repeat(items, NEIGHBOURS)], np.float32)
    towards = np.where(own, 0, towards.reshape(near.shape))
    said: Floats = np.linalg.solve(inner, towards[:, :, None])[:, :, 0].astype(np.float32)
    left: Floats = np.maximum(squares[items] + ridge - (said * towards).sum(axis=1), ridge)
    return near, said, left.astype(np.float32)


def _dense_top(weights: Floats, keep: int) -> NeighbourTable:
    keep = min(keep, weights.shape[1])
    place = np.argpartition(-np.abs(weights), keep - 1, axis=1)[:, :keep].astype(np.int32)
    kept = np.take_along_axis(weights, place, axis=1)
    place[kept == 0] = -1
    return NeighbourTable(place=place, weight=kept)


def _sparse_top(
    source: Places, target: Places, weight: Floats, many: int, keep: int
) -> NeighbourTable:
    observed = weight != 0
    source, target, weight = source[observed], target[observed], weight[observed]
    order = np.lexsort((-np.abs(weight), source))
    source, target, weight = source[order], target[order], weight[order]
    rank = np.arange(source.size) - np.searchsorted(source, np.arange(many))[source]
    kept = rank < keep
    place = np.full((many, keep), -1, np.int32)
    weights = np.zeros((many, keep), np.float32)
    place[source[kept], rank[kept]] = target[kept]
    weights[source[kept], rank[kept]] = weight[kept]
    return NeighbourTable(place=place, weight=weights)
