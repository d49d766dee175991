"""Rows of items that belong together (baskets, customers, words of titles).

A row counts the less the longer it is, as what lies among a hundred other things says little, and
the less the older it is.
"""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storecrew.models.recommendation.purchases import UNKNOWN, Purchases

Sparse = Any
"""scipy's csr_matrix, which has no types: items by items, or rows by items."""
Whole = NDArray[np.int64]

_FADING_DAYS = 90.0
"""A season: what was bought one ago counts e times less, down to `_KEPT`."""
_KEPT = 0.3
_LONGEST = 500
"""Items of a row, the latest; pairs grow with the square."""
_WIDEST_WORD = 300
"""Titles that share a word and still say something by it."""


def sources(purchases: Purchases) -> tuple[Sparse, Sparse, Sparse]:
    """Return weighted rows of baskets, of customers and of title words, [rows, items] each.

    Each is scaled so that the diagonal of its Gram matrix has the mean one where it is not nought:
    so they can be weighed against each other.
    """
    age = (purchases.today - purchases.day).astype(np.float64)
    known = purchases.customer != UNKNOWN
    many = len(purchases.items)
    word, item = _words(purchases.titles)
    return (
        weighted(purchases.basket, purchases.item, age, many),
        weighted(purchases.customer[known], purchases.item[known], age[known], many),
        weighted(word, item, np.zeros(item.size), many, power=-1.0),
    )


def weighted(row: Whole, item: Whole, age: NDArray[Any], items: int, power: float = -0.5) -> Sparse:
    """Return rows [rows, items] whose entries are the root of the row's weight, scaled.

    Weight: size^power · (0.3 + e^(−age/90)), age in days of what is youngest in the row.
    """
    found = binary(row, item, age, items)
    size = np.maximum(np.diff(found.indptr), 1)
    _, number = np.unique(row, return_inverse=True)
    youngest = np.full(found.shape[0], np.inf)
    np.minimum.at(youngest, number, age)
    weight = size**power * (_KEPT + np.exp(-youngest / _FADING_DAYS))
    found.data[:] = np.repeat(np.sqrt(weight), np.diff(found.indptr))
    squares = diagonal(found)
    found.data /= np.sqrt(squares[squares > 0].mean()) if found.nnz else 1
    return found


def binary(row: Whole, item: Whole, age: NDArray[Any], items: int) -> Sparse:
    """Return rows [rows, items] of ones, each of its latest items at most."""
    # scipy takes a quarter of a second to import
    from scipy import sparse

    names, number = np.unique(row, return_inverse=True)
    first = np.lexsort((age, item, number))
    number, item, age = number[first], item[first], age[first]
    once = np.append(True, (number[1:] != number[:-1]) | (item[1:] != item[:-1]))[: item.size]
    number, item, age = number[once], item[once], age[once]
    if item.size and np.bincount(number).max() > _LONGEST:
        latest = np.lexsort((age, number))
        begin = np.searchsorted(number, np.arange(names.size))
        rank = np.empty(item.size, np.int64)
        rank[latest] = np.arange(item.size) - begin[number[latest]]
        number, item = number[rank < _LONGEST], item[rank < _LONGEST]
    ones = np.ones(item.size, np.float32)
    return sparse.csr_matrix((ones, (number, item)), shape=(names.size, items))


def diagonal(rows: Sparse) -> NDArray[np.float32]:
    """Return the sum of squares per item: the diagonal of the rows' Gram matrix."""
    found: NDArray[np.float32] = np.bincount(
        rows.indices, np.square(rows.data, dtype=np.float64), rows.shape[1]
    ).astype(np.float32)
    return found


def gram(rows: Sparse) -> NDArray[np.float32]:
    """Return XᵀX [items, items], dense."""
    found: NDArray[np.float32] = (rows.T @ rows).toarray()
    return found


def _words(titles: Sequence[str]) -> tuple[Whole, Whole]:
    """Return (word, item) pairs of the words that some titles share, not most."""
    vocabulary: dict[str, list[int]] = {}
    for place, title in enumerate(titles):
        for word in sorted(set(re.findall(r"[^\W_]+", title.lower()))):
            vocabulary.setdefault(word, []).append(place)
    shared = [places for places in vocabulary.values() if 1 < len(places) <= _WIDEST_WORD]
    lengths = [len(places) for places in shared]
    flat = np.array([place for places in shared for place in places], dtype=np.int64)
    return np.repeat(np.arange(len(shared)), lengths).astype(np.int64), flat
