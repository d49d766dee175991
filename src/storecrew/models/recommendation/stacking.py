"""Chooses a recipe on the latest part of the purchases, which the recipes tried have not seen."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from storecrew.models.recommendation import ease
from storecrew.models.recommendation.interactions import Sparse, gram, sources
from storecrew.models.recommendation.purchases import UNKNOWN, Purchases
from storecrew.models.recommendation.similarities import fading

Floats = NDArray[np.float32]
Each = NDArray[np.float64]

HELD = 0.1
"""Share of the order lines, the latest, on which recipes are compared."""
_ITEMS = 1000
"""Most bought items among which they are compared: a tenth of a second each."""
_CASES = 1000
_LINES = 500_000
"""Order lines among them, the latest, that are looked at."""
_HIDINGS = 3
_FEWEST = 100
"""Cases below which nothing is learned from a comparison."""
RECENT_DAYS = 21
TRENDS = (0.0, 0.1, 0.2, 0.3, 0.4)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How similarities are made of the rows; the defaults served one shop well."""

    ridge: float = 1.0
    """λ over the mean of the Gram matrix's diagonal."""
    power: float = 0.1
    """How much the often bought are damped."""
    side: float = 0.2
    """Weight of the other rows: customers for carts, baskets for customers."""
    words: float = 0.1
    """Weight of shared words in titles."""
    trend: float = 0.0
    """Power of recent demand over usual demand by which scores are multiplied."""

    def mix(self, main: Floats, side: Floats, words: Floats) -> Floats:
        """Return the weighted sum of the Gram matrices of three sources."""
        mixed: Floats = main + np.float32(self.side) * side + np.float32(self.words) * words
        return mixed

    def stack(self, main: Sparse, side: Sparse, words: Sparse) -> Sparse:
        """Return the rows of three sources one below the other: their Gram matrix is the mix."""
        from scipy import sparse  # takes a quarter of a second to import

        roots = (np.float32(1), np.float32(self.side**0.5), np.float32(self.words**0.5))
        parts = zip((main, side, words), roots, strict=True)
        return sparse.vstack([rows * root for rows, root in parts if root > 0], format="csr")


@dataclass(frozen=True)
class EvaluationCase:
    """Rows that are given, what is looked for, and what cannot be the answer; [cases, items]."""

    given: Floats
    wanted: NDArray[np.bool_]
    shut: NDArray[np.bool_]


def trend(purchases: Purchases) -> Floats:
    """Return recent demand over usual demand per item: (recent + 1)/(usual + 1), mean about 1."""
    many = len(purchases.items)
    age = purchases.today - purchases.day
    recent = np.bincount(purchases.item[age <= RECENT_DAYS], minlength=many)
    days = max(1, int(age.max(initial=1)))
    usual = np.bincount(purchases.item, minlength=many) * min(1.0, RECENT_DAYS / days)
    found: Floats = ((recent + 1) / (usual + 1)).astype(np.float32)
    return found


def choose(purchases: Purchases, seed: int) -> tuple[Recipe, Recipe]:
    """Return the recipes for carts and for customers; the defaults where history is short."""
    cart, taste = Recipe(), Recipe(ridge=3.0, power=0.0)
    if purchases.item.size < _FEWEST:
        return cart, taste
    few = _most_bought(purchases)
    border = int(np.quantile(few.day, 1 - HELD))
    before, after = few.until(border), few.only(few.day >= border)
    if not before.item.size:
        return cart, taste
    baskets, customers, words = sources(before)
    rising = trend(before)
    rng = np.random.default_rng(seed)
    cart = _climb(cart, (baskets, customers, words), rising, _cart_cases(after, rng))
    taste = _climb(taste, (customers, baskets, words), rising, _taste_cases(before, after))
    return cart, taste


def _most_bought(purchases: Purchases) -> Purchases:
    counts = np.bincount(purchases.item, minlength=len(purchases.items))
    kept = np.sort(np.argsort(-counts, kind="stable")[:_ITEMS])
    place = np.full(len(purchases.items), -1)
    place[kept] = np.arange(kept.size)
    inside = place[purchases.item] >= 0
    if inside.sum() > _LINES:
        inside &= purchases.day >= np.partition(purchases.day[inside], -_LINES)[-_LINES]
    return Purchases(
        items=[purchases.items[n] for n in kept.tolist()],
        titles=[purchases.titles[n] for n in kept.tolist()] if purchases.titles else (),
        customer=purchases.customer[inside],
        basket=purchases.basket[inside],
        item=place[purchases.item[inside]],
        day=purchases.day[inside],
    )


def _cart_cases(after: Purchases, rng: np.random.Generator) -> EvaluationCase | None:
    """Return baskets of three and more items with one of them hidden; each basket three times."""
    whole = _table(after.basket, after.item, len(after.items))
    whole = np.tile(whole[whole.sum(axis=1) >= 3][-_CASES:], (_HIDINGS, 1))
    if len(whole) < _FEWEST * _HIDINGS:
        return None
    hidden = (whole * rng.random(whole.shape, dtype=np.float32)).argmax(axis=1)
    bought = np.zeros(whole.shape, bool)
    bought[np.arange(len(whole)), hidden] = True
    given = np.where(bought, np.float32(0), whole)
    return EvaluationCase(given, bought, given > 0)


def _taste_cases(before: Purchases, after: Purchases) -> EvaluationCase | None:
    """Return what customers bought before, and what they bought then that was new to them."""
    both = np.intersect1d(before.customer, after.customer)
    both = both[both != UNKNOWN][-_CASES:]
    if both.size < _FEWEST:
        return None
    old, new = (each.only(np.isin(each.customer, both)) for each in (before, after))
    age = (before.today - old.day).astype(np.float64)
    given = _table(old.customer, old.item, len(old.items), fading(age))
    shut = given > 0
    bought = (_table(new.customer, new.item, len(new.items)) > 0) & ~shut
    return EvaluationCase(given, bought, shut)


def _table(
    row: NDArray[np.int64],
    item: NDArray[np.int64],
    items: int,
    value: NDArray[np.float64] | None = None,
) -> Floats:
    """Return the largest value per row and item, one where none is given."""
    names, number = np.unique(row, return_inverse=True)
    table = np.zeros((names.size, items), np.float32)
    np.maximum.at(table, (number, item), np.float32(1) if value is None else value)
    return table


def _climb(
    begin: Recipe, parts: Sequence[Sparse], rising: Floats, case: EvaluationCase | None
) -> Recipe:
    """Return the best recipe found by changing one choice at a time, of the sources' rows."""
    if case is None:
        return begin
    main, side, words = (gram(rows) for rows in parts)

    @cache
    def scores(plain: Recipe) -> Floats:
        mixed = plain.mix(main, side, words)
        factors = ease.scale(np.diag(mixed), plain.power)
        found, _ = ease.solve(mixed * factors[:, None] * factors[None, :], plain.ridge)
        return ((case.given * factors) @ found).astype(np.float32, copy=False)

    def gains(recipe: Recipe) -> Each:
        factor = np.power(rising, np.float32(recipe.trend))
        return _gains(scores(replace(recipe, trend=0.0)) * factor, case)

    best, reached = begin, gains(begin)
    for options in _OPTIONS:
        best, reached = _best_of(options(best), best, reached, gains)
    return best


def _best_of(
    options: Sequence[Recipe], best: Recipe, reached: Each, gains: Callable[[Recipe], Each]
) -> tuple[Recipe, Each]:
    """Return the best option; what leads by less than its standard error does not lead."""
    for option in options:
        if option == best:
            continue
        found = gains(option)
        more = found - reached
        if more.mean() > more.std() / np.sqrt(max(1, more.size)):
            best, reached = option, found
    return best, reached


_OPTIONS: Sequence[Callable[[Recipe], Sequence[Recipe]]] = (
    lambda r: [replace(r, ridge=r.ridge * step) for step in (0.1, 0.3, 3.0)],
    lambda r: [replace(r, trend=power) for power in TRENDS],
    lambda r: [replace(r, words=share) for share in (0.0,)],
    lambda r: [replace(r, side=share) for share in (0.0,)],
    lambda r: [replace(r, power=power) for power in (0.0, 0.1, 0.2)],
)


def _gains(scores: Floats, case: EvaluationCase) -> Each:
    """Return, per case, the mean over what is wanted of 1/log₂(rank + 1), rank from 1."""
    scores[case.shut] = -np.inf
    ranked = np.sort(-scores, axis=1)
    return np.array(
        [
            np.mean(1 / np.log2(np.searchsorted(row, -own[wanted]) + 2)) if wanted.any() else 0.0
            for row, own, wanted in zip(ranked, scores, case.wanted, strict=True)
        ]
    )
