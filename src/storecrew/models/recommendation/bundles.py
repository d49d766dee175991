"""Bundles and upsells: pairs that belong together, at a price that keeps the margin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

import numpy as np

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import ProductAffinity
from storecrew.models.recommendation.similarities import ScoredProduct, Similarities

_CENT = Decimal("0.01")
_PROVEN = 5
"""Baskets with both below which a pair may be chance."""


@dataclass(frozen=True, kw_only=True)
class Worth:
    """What a product sells for and what it costs, in one currency."""

    price: Decimal
    cost: Decimal

    def __post_init__(self) -> None:
        """Refuse what is no price or no cost."""
        if not self.price.is_finite() or self.price <= 0:
            raise InvalidInput("price", f"{self.price} is no price")
        if not self.cost.is_finite() or self.cost < 0:
            raise InvalidInput("cost", f"{self.cost} is no cost")


@dataclass(frozen=True, kw_only=True)
class ProposedBundle:
    """Two products to sell together."""

    skus: tuple[str, str]
    together: int
    """Baskets that held both."""
    lift: float
    """How many times as often as if bought independently: n₁₂·N/(n₁·n₂)."""
    price: Decimal
    saving: Decimal
    """List prices less the bundle's price; above nought."""
    margin: Decimal
    """Share of the price that is left after cost."""


def bundle_price(
    worths: Sequence[Worth], *, discount: Decimal, floor: Decimal, unit: Decimal = _CENT
) -> Decimal | None:
    """Return the sum of the prices less the discount, but never below cost/(1 − floor).

    `discount` and `floor` (the smallest margin) are shares of the price from 0 to below 1;
    rounded up to `unit`. None where the floor leaves no room for any saving.
    """
    for name, share in (("discount", discount), ("floor", floor)):
        if not (share.is_finite() and 0 <= share < 1):
            raise InvalidInput(name, f"{share} is no share from 0 to below 1")
    if not worths:
        raise InvalidInput("worths", "a bundle of nothing has no price")
    listed = sum((each.price for each in worths), Decimal(0))
    lowest = sum((each.cost for each in worths), Decimal(0)) / (1 - floor)
    target = max(listed * (1 - discount), lowest)
    price = (target / unit).to_integral_value(ROUND_CEILING) * unit
    return price if price < listed else None


def bundles(
    similarities: Similarities,
    worths: Mapping[str, Worth],
    *,
    discount: Decimal,
    floor: Decimal,
    count: int = 20,
) -> list[ProposedBundle]:
    """Return pairs to offer together, those first that are bought together most beyond chance.

    Order: n₁₂ · ln(lift), the pair's part in the information that one tells of the other. Only
    pairs bought together five times, with a lift above one, a known worth, and room for a saving.
    """
    found: list[ProposedBundle] = []
    for first, second, together, lift in _pairs(similarities):
        if len(found) >= count:
            break
        if first not in worths or second not in worths:
            continue
        pair = (worths[first], worths[second])
        price = bundle_price(pair, discount=discount, floor=floor)
        if price is not None:
            found.append(_bundle((first, second), together, lift, pair, price))
    return found


def proven_pairs(similarities: Similarities, count: int) -> list[ProductAffinity]:
    """Return pairs bought together five times and beyond chance, in the order of `bundles`."""
    return [
        ProductAffinity(skus=(first, second), together=together, lift=lift)
        for first, second, together, lift in _pairs(similarities)[:count]
    ]


def upsells(
    similarities: Similarities, cart: Sequence[str], worths: Mapping[str, Worth], count: int = 3
) -> list[ScoredProduct]:
    """Return partners of the cart by what they should earn: score times profit a unit.

    Only what goes with the cart, has a known worth and earns something.
    """
    related = [s for s in similarities.complete(cart, 10 * count) if s.because_of]
    earning = [
        (suggestion.score * float(worth.price - worth.cost), suggestion)
        for suggestion in related
        if (worth := worths.get(suggestion.sku)) and worth.price > worth.cost
    ]
    earning.sort(key=lambda pair: -pair[0])
    return [suggestion for _, suggestion in earning[:count]]


def _pairs(similarities: Similarities) -> list[tuple[str, str, int, float]]:
    """Return (SKU, SKU, baskets with both, lift) of proven pairs, the most telling first."""
    place, together = similarities.cart.place, similarities.together
    source = np.broadcast_to(np.arange(len(place))[:, None], place.shape)
    proven = (together >= _PROVEN) & (place >= 0)
    first, second, times = source[proven], place[proven].astype(np.int64), together[proven]
    _, once = np.unique(np.minimum(first, second) * len(place) + np.maximum(first, second), True)
    first, second, times = first[once], second[once], times[once].astype(np.float64)
    own = np.maximum(similarities.baskets, 1).astype(np.float64)
    lift = times * similarities.orders / (own[first] * own[second])
    order = np.argsort(-times * np.log(lift), kind="stable")
    order = order[lift[order] > 1]
    items = similarities.items
    return [
        (str(items[first[n]]), str(items[second[n]]), int(times[n]), float(lift[n]))
        for n in order.tolist()
    ]


def _bundle(
    skus: tuple[str, str], together: int, lift: float, pair: tuple[Worth, Worth], price: Decimal
) -> ProposedBundle:
    cost = pair[0].cost + pair[1].cost
    return ProposedBundle(
        skus=skus,
        together=together,
        lift=lift,
        price=price,
        saving=pair[0].price + pair[1].price - price,
        margin=(price - cost) / price,
    )
