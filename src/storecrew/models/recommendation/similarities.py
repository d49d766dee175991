"""Trained similarities: what goes with a cart, and what a customer may want next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput
from storecrew.models.serialization import State

Floats = NDArray[np.float32]
Places = NDArray[np.int32]

TASTE_DAYS = 90.0
"""Days after which a purchase speaks e times less for other items, down to a third."""
REPEAT_DAYS = 60.0
"""Days after which a purchase speaks e times less for buying the same again."""

_TOLD_FROM = 2
"""Baskets with both from which they are told as the reason."""
_ALIKE = "bought by the same customers, or named alike"
"""The reason where what is learned of customers and titles speaks for an item, not baskets."""


@dataclass(frozen=True, kw_only=True)
class ScoredProduct:
    """An item to show, with the reason in plain words."""

    sku: str
    score: float
    """Higher is better; comparable within one answer."""
    reason: str
    because_of: bool = True
    """False for what is shown only because it sells well."""


@dataclass(frozen=True, kw_only=True)
class NeighbourTable:
    """The items that speak most for others: the k largest weights of each, shape [items, k]."""

    place: Places
    """Item that the weight speaks for; −1 where an item has fewer than k."""
    weight: Floats

    def scores(self, places: NDArray[np.intp], weights: Floats, items: int) -> Floats:
        """Return the sum, per item, of what the given items say for it."""
        towards = self.place[places].ravel()
        scores = (self.weight[places] * weights[:, None]).ravel()
        known = towards >= 0
        return np.bincount(towards[known], scores[known], items).astype(np.float32)


@dataclass(frozen=True, kw_only=True)
class Similarities:
    """What was learned from purchases; made by `train`, served from arrays alone."""

    items: NDArray[np.str_]
    """SKU per item number."""
    cart: NeighbourTable
    """From baskets: what is bought together."""
    together: Places
    """Baskets that hold the item and its cart partner, shape as `cart.place`."""
    cart_trend: Floats
    """Factor per item by which its score as a partner rises with its recent demand."""
    taste: NeighbourTable
    """From customers: what the same people buy."""
    taste_trend: Floats
    """The same for offers to customers."""
    baskets: Places
    """Baskets that hold the item."""
    orders: int
    """All baskets."""
    popular: Floats
    """Units of evidence of recent demand per item, from 0 to 1."""
    today: int
    """The day after the last order seen, counted as the days of the purchases."""
    _places: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        places = {str(sku): n for n, sku in enumerate(self.items.tolist())}
        object.__setattr__(self, "_places", places)

    def complete(self, cart: Sequence[str], count: int = 10) -> list[ScoredProduct]:
        """Return what is bought together with the cart's items, best first, none of them in it.

        Score: sum of the items' weights, Σᵢ Bᵢⱼ. Unknown SKUs count for nothing; where nothing
        known is in the cart, or too little goes with it, the most bought of late follow.
        """
        _check_count(count)
        inside = np.array(sorted({self._places[s] for s in cart if s in self._places}), np.intp)
        scores = self.cart.scores(inside, np.ones(inside.size, np.float32), self.items.size)
        scores *= self.cart_trend
        best = self._best(scores, inside, count)
        return [self._suggest(n, scores, self._bought_with(n, inside)) for n in best]

    def for_customer(
        self,
        bought: Mapping[str, tuple[float, int]],
        count: int = 10,
        *,
        today: int | None = None,
        new_only: bool = False,
    ) -> list[ScoredProduct]:
        """Return what a customer may want next, best first.

        `bought`: SKU → (times bought, last day). Score: the larger part is what is bought again,
        times · e^(−days since / 60) over its largest; the rest is what the same people buy, over
        its largest. With `new_only` nothing bought before is shown. Who is unknown or bought
        nothing known is shown what is bought most of late.
        """
        _check_count(count)
        known = {self._places[s]: row for s, row in bought.items() if s in self._places}
        inside = np.array(sorted(known), np.intp)
        now = self.today if today is None else today
        age = np.array([now - known[n][1] for n in inside.tolist()], np.float64)
        weights = fading(age).astype(np.float32)
        taste = self.taste.scores(inside, weights, self.items.size) * self.taste_trend
        if new_only or not known:
            best = self._best(taste, inside, count)
            return [self._suggest(n, taste, "bought by those who bought the same") for n in best]
        again = self._again(known, now)
        scores = 0.5 * _over_largest(taste) + _over_largest(again)
        best = self._best(scores, np.zeros(0, np.intp), count)
        return [self._suggest(n, scores, _why(n in known)) for n in best]

    def _again(self, known: Mapping[int, tuple[float, int]], today: int) -> Floats:
        again = np.zeros(self.items.size, np.float32)
        for place, (times, last) in known.items():
            again[place] = times * np.exp(-max(0, today - last) / REPEAT_DAYS)
        return again

    def _best(self, scores: Floats, without: NDArray[np.intp], count: int) -> list[int]:
        """Return the places of the highest scores, ties and what has none by popularity."""
        ranked = np.where(scores > 0, scores + 1.0, self.popular * 0.5)
        ranked[without] = -1.0
        count = min(count, ranked.size)
        top = np.argpartition(-ranked, count - 1)[:count] if count else np.zeros(0, np.intp)
        return [int(n) for n in top[np.argsort(-ranked[top], kind="stable")] if ranked[n] > 0]

    def _bought_with(self, place: int, inside: NDArray[np.intp]) -> str:
        """Return the cart's item that was bought with this one most often, in words."""
        times = np.where(self.cart.place[inside] == place, self.together[inside], 0).max(
            axis=1, initial=0
        )
        if not times.size or times.max() < _TOLD_FROM:
            return ""
        return f"bought together with {self.items[inside[times.argmax()]]} {times.max()} times"

    def _suggest(self, place: int, scores: Floats, reason: str) -> ScoredProduct:
        partner = bool(scores[place] > 0)
        usual = (reason or _ALIKE) if partner else "bought often of late"
        score = float(scores[place])
        return ScoredProduct(
            sku=str(self.items[place]), score=score, reason=usual, because_of=partner
        )

    def state(self) -> State:
        """Return the arrays by name."""
        return {
            "items": self.items,
            "cart_place": self.cart.place,
            "cart_weight": self.cart.weight,
            "together": self.together,
            "cart_trend": self.cart_trend,
            "taste_trend": self.taste_trend,
            "taste_place": self.taste.place,
            "taste_weight": self.taste.weight,
            "baskets": self.baskets,
            "orders": np.array(self.orders),
            "popular": self.popular,
            "today": np.array(self.today),
        }

    @classmethod
    def restore(cls, state: State) -> Self:
        """Return what `state` was taken of; raises `InvalidInput` where arrays do not fit."""
        try:
            found = cls(
                items=state["items"],
                cart=NeighbourTable(place=state["cart_place"], weight=state["cart_weight"]),
                together=state["together"],
                cart_trend=state["cart_trend"],
                taste_trend=state["taste_trend"],
                taste=NeighbourTable(place=state["taste_place"], weight=state["taste_weight"]),
                baskets=state["baskets"],
                orders=int(state["orders"]),
                popular=state["popular"],
                today=int(state["today"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInput("state", "is no state of similarities") from error
        _check_shapes(found)
        return found


def fading(age: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what a purchase of so many days ago says for other items: 0.5 + e^(−age/90)."""
    weights: NDArray[np.float64] = 0.5 + np.exp(-np.maximum(age, 0) / TASTE_DAYS)
    return weights


def _check_count(count: int) -> None:
    if count < 0:
        raise InvalidInput("count", f"{count} is below nought")


def _why(again: bool) -> str:
    return "bought before" if again else "bought by those who bought the same"


def _over_largest(values: Floats) -> Floats:
    largest = float(values.max(initial=0.0))
    return values / largest if largest > 0 else np.zeros_like(values)


def _check_shapes(found: Similarities) -> None:
    """Refuse arrays that would make serving fail or answer nonsense."""
    many = found.items.size
    for name, partners in (("cart", found.cart), ("taste", found.taste)):
        if partners.place.shape != partners.weight.shape or len(partners.place) != many:
            raise InvalidInput(name, "partners and weights differ in shape")
        if partners.place.size and not -1 <= partners.place.min() <= partners.place.max() < many:
            raise InvalidInput(name, "a partner is no item")
        if not np.isfinite(partners.weight).all():
            raise InvalidInput(name, "a weight is no number")
    factors = (found.popular, found.cart_trend, found.taste_trend, found.baskets)
    if found.together.shape != found.cart.place.shape or {f.shape for f in factors} != {(many,)}:
        raise InvalidInput("state", "arrays differ in length")
