"""What customers did, summed by customer and by product: views, carts, orders, returns."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite

from storecrew.domain.errors import InvalidInput


class ActivityKind(StrEnum):
    """What a customer can do with a product."""

    VIEWED = "viewed"
    ADDED = "added to cart"
    BOUGHT = "bought"
    RETURNED = "returned"


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """One act of one customer."""

    customer: str | None
    """None where nobody is logged in."""
    sku: str
    act: ActivityKind
    day: int
    """Counted from any day on."""
    units: int = 1
    spent: float = 0.0
    """Paid, in the shop's currency; only of what was bought."""


@dataclass(kw_only=True)
class Aggregate:
    """Sums over one customer or one product."""

    acts: dict[ActivityKind, int] = field(default_factory=lambda: dict.fromkeys(ActivityKind, 0))
    units: int = 0
    """Bought."""
    spent: float = 0.0
    first: int | None = None
    last: int | None = None
    """First and last day of any act."""
    days: set[int] = field(default_factory=set)
    """Days with a purchase."""

    def add(self, one: Behaviour) -> None:
        """Count one act."""
        self.acts[one.act] += 1
        self.first = one.day if self.first is None else min(self.first, one.day)
        self.last = one.day if self.last is None else max(self.last, one.day)
        if one.act is ActivityKind.BOUGHT:
            self.units += one.units
            self.spent += one.spent
            self.days.add(one.day)

    @property
    def conversion(self) -> float | None:
        """Purchases per view; None without views."""
        viewed = self.acts[ActivityKind.VIEWED]
        return self.acts[ActivityKind.BOUGHT] / viewed if viewed else None

    @property
    def return_rate(self) -> float | None:
        """Returns per purchase; None without purchases."""
        bought = self.acts[ActivityKind.BOUGHT]
        return self.acts[ActivityKind.RETURNED] / bought if bought else None

    @property
    def rhythm(self) -> float | None:
        """Mean days between days with a purchase; None below two of them."""
        if len(self.days) < 2:
            return None
        return (max(self.days) - min(self.days)) / (len(self.days) - 1)


@dataclass(frozen=True, kw_only=True)
class Aggregates:
    """Sums by customer and by product; anonymous activity counts for the product alone."""

    customers: Mapping[str, Aggregate]
    products: Mapping[str, Aggregate]


def behaviour_aggregates(acts: Iterable[Behaviour]) -> Aggregates:
    """Return the sums; the order of the acts means nothing, each counts once as given.

    Raises `InvalidInput` for units below one and for sums that are no numbers.
    """
    customers: defaultdict[str, Aggregate] = defaultdict(Aggregate)
    products: defaultdict[str, Aggregate] = defaultdict(Aggregate)
    for one in acts:
        if one.units < 1 or not isfinite(one.spent):
            raise InvalidInput("behaviour", f"{one.sku!r}: {one.units} units for {one.spent}")
        products[one.sku].add(one)
        if one.customer is not None:
            customers[one.customer].add(one)
    return Aggregates(customers=dict(customers), products=dict(products))
