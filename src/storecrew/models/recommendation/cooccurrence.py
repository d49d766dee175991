"""What was bought together, counted: for shops in which nothing was learned yet."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from math import log

from storecrew.domain.ports.models import ProductAffinity, RecommendedProduct

_PROVEN = 5
"""Baskets with both below which a pair may be chance; as for learned bundles."""
_LARGEST = 30
"""Products of a basket beyond which it says little of any two; pairs grow with the square."""


@dataclass(frozen=True, kw_only=True)
class CooccurrenceCounts:
    """How often products were bought, alone and in pairs."""

    orders: int
    single: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    """Keyed by SKU, the smaller first."""
    days: float
    """Days of orders that were counted."""

    def proven(self, count: int) -> Sequence[ProductAffinity]:
        """Return pairs beyond chance, in the order of `bundles`: n₁₂ · ln(lift), largest first."""
        return self._telling[:count]

    def partners(self, sku: str, count: int) -> Sequence[RecommendedProduct]:
        """Return what is bought together with a product, the most telling first."""
        return [
            RecommendedProduct(
                sku=pair.skus[0] if pair.skus[1] == sku else pair.skus[1],
                score=_telling(pair),
                reason=f"bought together with {sku} {pair.together} times",
            )
            for pair in self._of.get(sku, ())[:count]
        ]

    @cached_property
    def _telling(self) -> Sequence[ProductAffinity]:
        found = [
            ProductAffinity(skus=pair, together=times, lift=self._lift(pair, times), days=self.days)
            for pair, times in self.pairs.items()
            if times >= _PROVEN
        ]
        return sorted((p for p in found if p.lift > 1), key=lambda p: (-_telling(p), p.skus))

    @cached_property
    def _of(self) -> Mapping[str, Sequence[ProductAffinity]]:
        found: dict[str, list[ProductAffinity]] = {}
        for pair in self._telling:
            for sku in pair.skus:
                found.setdefault(sku, []).append(pair)
        return found

    def _lift(self, pair: tuple[str, str], times: int) -> float:
        return times * self.orders / (self.single[pair[0]] * self.single[pair[1]])


def _telling(pair: ProductAffinity) -> float:
    return pair.together * log(pair.lift)


def count_cooccurrences(baskets: Iterable[Iterable[str]], *, days: float) -> CooccurrenceCounts:
    """Count products and pairs over so many days' baskets; a product twice in one counts once."""
    single: dict[str, int] = {}
    pairs: dict[tuple[str, str], int] = {}
    orders = 0
    for basket in baskets:
        inside = sorted(set(basket))
        orders += bool(inside)
        for sku in inside:
            single[sku] = single.get(sku, 0) + 1
        for pair in combinations(inside[:_LARGEST], 2):
            pairs[pair] = pairs.get(pair, 0) + 1
    return CooccurrenceCounts(orders=orders, single=single, pairs=pairs, days=days)
