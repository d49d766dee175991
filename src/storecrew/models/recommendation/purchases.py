"""What customers bought: the rows that recommendations and bundles are learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from storecrew.domain.errors import InvalidInput

Numbers = NDArray[np.int64]

UNKNOWN = -1
"""The customer of an order that tells none."""


@dataclass(frozen=True, kw_only=True)
class Purchases:
    """Order lines as columns of one length; what the customers sent back is left out.

    Order of the rows means nothing; an item twice in a basket counts once.
    """

    items: Sequence[str]
    """SKU per item number, each once."""
    titles: Sequence[str] = ()
    """Title per item number, or nothing at all."""
    customer: Numbers
    """Number of the customer, `UNKNOWN` where the order tells none."""
    basket: Numbers
    """Number of the order."""
    item: Numbers
    """Item number: place in `items`."""
    day: Numbers
    """Day of the order, counted from any day on."""

    def __post_init__(self) -> None:
        for name in ("customer", "basket", "item", "day"):
            object.__setattr__(self, name, _column(name, getattr(self, name)))
        sizes = {self.customer.size, self.basket.size, self.item.size, self.day.size}
        if len(sizes) > 1:
            raise InvalidInput("purchases", f"columns differ in length: {sorted(sizes)}")
        if len(set(self.items)) < len(self.items):
            raise InvalidInput("items", "an SKU stands there twice")
        if self.titles and len(self.titles) != len(self.items):
            raise InvalidInput("titles", f"{len(self.titles)} for {len(self.items)} items")
        if self.item.size and not 0 <= self.item.min() <= self.item.max() < len(self.items):
            raise InvalidInput("item", "a number that is no place in `items`")

    @property
    def today(self) -> int:
        """The day after the last order; 0 without any."""
        return int(self.day.max()) + 1 if self.day.size else 0

    def until(self, day: int) -> "Purchases":
        """Return the rows before the day."""
        return self.only(self.day < day)

    def only(self, rows: NDArray[np.bool_]) -> "Purchases":
        """Return the chosen rows, of the same items."""
        return Purchases(
            items=self.items,
            titles=self.titles,
            customer=self.customer[rows],
            basket=self.basket[rows],
            item=self.item[rows],
            day=self.day[rows],
        )


def _column(name: str, values: Numbers) -> Numbers:
    """Return the column as whole numbers, or refuse it."""
    given = np.asarray(values)
    if given.ndim != 1:
        raise InvalidInput(name, f"has {given.ndim} axes, not one")
    if given.size == 0:
        return np.zeros(0, dtype=np.int64)
    if given.dtype.kind == "f" and np.isfinite(given).all() and (given == np.round(given)).all():
        return given.astype(np.int64)
    if given.dtype.kind not in "iu":
        raise InvalidInput(name, f"{given.dtype} are no whole numbers")
    return given.astype(np.int64)
