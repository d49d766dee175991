"""Learns similarities from purchases: baskets tell what goes together, customers tell tastes."""

import numpy as np
from numpy.typing import NDArray

from storecrew.models.recommendation import ease
from storecrew.models.recommendation.interactions import Sparse, binary, sources
from storecrew.models.recommendation.purchases import Purchases
from storecrew.models.recommendation.similarities import NeighbourTable, Similarities
from storecrew.models.recommendation.stacking import choose, trend

_BLOCK = 4000
"""Items whose partners are counted at a time, so that memory stays small."""
_POPULAR_DAYS = 28.0
"""Days after which a sale speaks e times less for an item's being wanted now."""


def train(purchases: Purchases, *, seed: int = 0) -> Similarities:
    """Return similarities of all items; the same purchases and seed give the same.

    Two ridge regressions (`ease`): over baskets for carts, over customers for offers, each leaning
    on the other's rows and on shared title words, by recipes chosen on the latest tenth
    (`choosing`). Cost: seconds up to 5,000 items, from there on in proportion to the items.
    """
    cart, taste = choose(purchases, seed)
    baskets, customers, words = sources(purchases)
    goes_with = ease.partners(cart.stack(baskets, customers, words), cart.ridge, cart.power)
    liked_with = ease.partners(taste.stack(customers, baskets, words), taste.ridge, taste.power)
    rising = trend(purchases)
    age = (purchases.today - purchases.day).astype(np.float64)
    rows = binary(purchases.basket, purchases.item, age, len(purchases.items))
    return Similarities(
        items=np.array(purchases.items, dtype=np.str_),
        cart=goes_with,
        together=_together(rows, goes_with),
        cart_trend=np.power(rising, np.float32(cart.trend)),
        taste=liked_with,
        taste_trend=np.power(rising, np.float32(taste.trend)),
        baskets=np.asarray(rows.sum(axis=0), np.int32).ravel(),
        orders=rows.shape[0],
        popular=_popular(purchases),
        today=purchases.today,
    )


def _together(rows: Sparse, partners: NeighbourTable) -> NDArray[np.int32]:
    """Return in how many baskets each item and its partner lie, shape as the partners."""
    found = np.zeros(partners.place.shape, np.int32)
    turned = rows.T.tocsr()
    for begin in range(0, len(found), _BLOCK):
        place = partners.place[begin : begin + _BLOCK]
        counts = (turned[begin : begin + _BLOCK] @ rows).tocsr()
        counts.sort_indices()
        source = np.arange(len(place)).repeat(place.shape[-1])
        held = np.asarray(counts[source, np.maximum(place, 0).ravel()])
        found[begin : begin + _BLOCK] = np.where(place >= 0, held.reshape(place.shape), 0)
    return found


def _popular(purchases: Purchases) -> NDArray[np.float32]:
    """Return recent demand per item over the most wanted one's, 0 to 1."""
    age = purchases.today - purchases.day
    counts = np.bincount(
        purchases.item, np.exp(-age / _POPULAR_DAYS), minlength=len(purchases.items)
    )
    popular: NDArray[np.float32] = (counts / max(counts.max(initial=0.0), 1e-300)).astype(
        np.float32
    )
    return popular
