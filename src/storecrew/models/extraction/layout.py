"""Two visits to one page: is it a new price, or is the page another one?

A price that is found in another way than before is no news of a price: the page was rebuilt, or
it is an error page, a login, a bot check. It is an anomaly for a person to look at.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from storecrew.models.extraction.page import Condition, ProductPage

_NAME_WORDS = re.compile(r"\w+")
_FAR = 3
"""A price more than this many times the one before, or below that part of it, is no usual move."""
_WORDS = 0.5
"""Share of words that two names of one product exceed: "Oak bowl" is not "Oak vase"."""


class Kind(StrEnum):
    """What became of the page."""

    SAME = "same"
    MOVED = "moved"
    """Another price, found in the same way."""
    STOCK = "stock"
    """The same price, another availability."""
    ANOMALY = "anomaly"
    REPLACED = "replaced"
    """Another product stands there: it never becomes the page's own by being seen often."""


@dataclass(frozen=True, kw_only=True)
class LayoutChange:
    """What a second visit tells."""

    kind: Kind
    reason: str

    @property
    def believable(self) -> bool:
        """Tell whether the price of the second visit may be acted on."""
        return self.kind not in (Kind.ANOMALY, Kind.REPLACED)


def compare(before: ProductPage, after: ProductPage | None) -> LayoutChange:
    """Judge a page by what it was at the visit before; never raises."""
    if after is not None and after.price is not None and (other := _other(before, after)):
        return LayoutChange(kind=Kind.REPLACED, reason=other)
    reason = _odd(before, after)
    if reason is not None or after is None:
        return LayoutChange(kind=Kind.ANOMALY, reason=reason or "")
    if after.price != before.price:
        return LayoutChange(kind=Kind.MOVED, reason=f"from {before.price} to {after.price}")
    if after.availability != before.availability:
        text = f"from {before.availability} to {after.availability}"
        return LayoutChange(kind=Kind.STOCK, reason=text)
    return LayoutChange(kind=Kind.SAME, reason="nothing changed")


def _odd(before: ProductPage, after: ProductPage | None) -> str | None:
    """Return why the second visit cannot be compared with the first, None if it can."""
    if after is None:
        return "the page shows no product any more"
    if before.price is None or after.price is None:
        gone = before.price is not None
        return "the price is gone" if gone else "there was no price to compare with"
    if before.layout != after.layout:
        return f"the price stands elsewhere: {before.layout} before, {after.layout} now"
    if before.currency != after.currency:
        return f"the currency changed from {before.currency} to {after.currency}"
    if not before.price / _FAR <= after.price <= before.price * _FAR:
        return f"a move from {before.price} to {after.price} is too far to be meant"
    return None


def _other(before: ProductPage, after: ProductPage) -> str:
    """Return why the page sells another product than before; empty where it does not."""
    if not _same_product(before, after):
        return f"another product: {before.name!r} before, {after.name!r} now"
    was, now = (page.condition or Condition.NEW for page in (before, after))
    return "" if was is now else f"another condition: {was} before, {now} now"


def _same_product(before: ProductPage, after: ProductPage) -> bool:
    for one, other in ((before.gtin, after.gtin), (before.sku, after.sku)):
        if one and other:
            return one == other
    ours, theirs = (set(_NAME_WORDS.findall((p.name or "").lower())) for p in (before, after))
    if not ours or not theirs:
        return ours == theirs
    return len(ours & theirs) / min(len(ours), len(theirs)) > _WORDS
