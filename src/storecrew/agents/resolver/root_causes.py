"""Why a number left its rhythm: which products moved it, and what happened to them lately."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from storecrew.domain.control.proposals import Scalar
from storecrew.domain.shop.catalog import PriceChange, Product, SetPrice
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import DailySales
from storecrew.models.causes import Breakdown, Cause, causes

WEEKS = 8
"""The same weekday of so many weeks is what a product is held against."""
_SHOWN = 5
_RISE = 1.02
"""A price that rose by more than this may have cost sales."""


@dataclass(frozen=True, kw_only=True)
class RootCause:
    """A product that moved the number, with what happened to it."""

    cause: Cause
    change: PriceChange | None = None
    """Its newest price change of the last days."""
    is_sold_out: bool = False

    @property
    def words(self) -> str:
        """What is known of it, in one line."""
        sentence = (
            f"{self.cause.part}: {self.cause.actual:g} units, {self.cause.expected:.1f} expected"
        )
        if self.change is not None:
            sentence += f", price {self.change.previous} to {self.change.price}"
        return sentence + (", sold out" if self.is_sold_out else "")

    def row(self) -> Mapping[str, Scalar]:
        """Return it as a row of evidence."""
        return {
            "product": self.cause.part,
            "units": round(self.cause.actual, 1),
            "expected": round(self.cause.expected, 1),
            "share_of_change": round(self.cause.share, 3),
            "price_moved": str(self.change.price) if self.change is not None else "no",
            "sold_out": self.is_sold_out,
        }


def days_needed(today: date) -> tuple[date, date]:
    """Return the first and last day of sales that are compared."""
    return today - timedelta(weeks=WEEKS), today


def root_causes(
    sales: DailySales,
    changes: Sequence[PriceChange],
    levels: Sequence[StockLevel],
    *,
    fell: bool,
) -> list[RootCause]:
    """Return the products that stand out, the surest first; none where the whole shop moved.

    `sales` are of `days_needed`. The same weekdays are compared, so that weeks cancel.
    """
    rows = {sku: list(units)[::-7][::-1] for sku, units in sales.units.items()}
    rows = {sku: units for sku, units in rows.items() if any(units)}
    if not rows or len(next(iter(rows.values()))) <= WEEKS // 2:
        return []
    table = Breakdown(names=list(rows), values=list(rows.values()))
    newest = {change.sku: change for change in changes}
    shelf: dict[str, int] = {}
    for level in levels:
        shelf[level.sku] = shelf.get(level.sku, 0) + level.available
    return [
        RootCause(
            cause=cause,
            change=newest.get(cause.part),
            is_sold_out=shelf.get(cause.part, 1) <= 0,
        )
        for cause in causes({"product": table})
        if cause.telling and (cause.contribution < 0) is fell
    ][:_SHOWN]


def price_back(suspect: RootCause, products: Mapping[str, Product]) -> SetPrice | None:
    """Return the price of before, where a rise may have cost the sales."""
    change, product = suspect.change, products.get(suspect.cause.part)
    if change is None or change.previous is None or product is None:
        return None
    rose = float(change.price.amount) > _RISE * float(change.previous.amount)
    if not rose or suspect.cause.contribution >= 0 or product.price != change.price:
        return None
    return SetPrice(sku=product.sku, price=change.previous, expected_price=change.price)
