"""Pages of other shops and news feeds, as an agent may read them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class FeedItem:
    """One entry of a feed."""

    title: str
    link: str
    """Empty where it is no http(s) address."""
    text: str = ""
    """Without markup."""
    published: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ObservedProduct:
    """A product as a page shows it now."""

    url: str
    name: str | None
    price: Decimal | None
    """Above zero, in the major unit of the currency."""
    currency: str | None
    available: bool | None
    """Whether it can be had; None where the page does not say."""
    condition: str | None = None
    """`new`, `used`, `refurbished` or `damaged`; None where the page does not say."""
    gtin: str | None = None
    sku: str | None = None
    confidence: float = 0.0
    """From 0 to 1, how much speaks for the price."""
    doubts: tuple[str, ...] = ()
    """What speaks against the price, e.g. two sources that disagree."""
    odd: str = ""
    """Why the page cannot be compared with the visit before; empty where it can, or was none."""


class WebReader(Protocol):
    """Pages of others, read politely: guarded, cached, a host at a time."""

    async def feed(self, url: str) -> Sequence[FeedItem]:
        """Return the entries of a feed now and in the weeks before, each once.

        Raises `InvalidInput` for an address that may not be read or holds no feed, and `Retryable`
        errors for what may pass.
        """
        ...

    async def product(self, url: str) -> ObservedProduct | None:
        """Return the product that a page shows, None where it shows none. Raises as `feed`."""
        ...


class NoWebReader:
    """Implements `WebReader` where nothing outside is to be read: simulations, tests, plans."""

    async def feed(self, url: str) -> Sequence[FeedItem]:
        """Return nothing."""
        return ()

    async def product(self, url: str) -> ObservedProduct | None:
        """Return None."""
        return None
