"""Reads products and feeds from web pages, politely and behind an SSRF guard."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from storecrew.domain.errors import InvalidInput, StorecrewError
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import SkippedInputRepository
from storecrew.domain.ports.web import FeedItem, ObservedProduct
from storecrew.web.errors import PageRefused, PageUnreachable, RetryLater, RobotsForbid
from storecrew.web.settings import FetchSettings

if TYPE_CHECKING:
    from storecrew.models.extraction import ProductPage
    from storecrew.web.fetcher import FetchedPage, Fetcher

SOURCE = "page"
"""What pages and feeds are counted under."""


@dataclass(kw_only=True)
class LiveWebReader:
    """Implements `domain.web.Pages`; keeps pages in a folder. One per process."""

    settings: FetchSettings
    clock: Clock
    folder: Path
    skipped: SkippedInputRepository | None = None
    """Where it is counted what could not be read."""
    _fetcher: "Fetcher | None" = field(default=None, init=False)

    async def page(self, url: str) -> "ProductPage | None":
        """Return all that a page says of its product, None where it shows none.

        Raises `InvalidInput` for an address that may not be read or holds no page, and what may
        pass with time: `Unresolved`, `PageUnreachable`, `RetryLater`.
        """
        # parsers of pages take half a second to import, which only who reads pages need pay
        from storecrew.models.extraction import product_page

        page = await self._fetch(url)
        found = await asyncio.to_thread(product_page, page.content, page.url, page.charset)
        if found is None:
            await self._count("it shows no product", url)
        return found

    async def product(self, url: str) -> ObservedProduct | None:
        """Return the product that a page shows, compared with the visit before."""
        from storecrew.web.page_history import PageHistory  # brings the parsers of pages

        found = await self.page(url)
        visits = PageHistory(self.folder / "visits")
        odd = await asyncio.to_thread(visits.judge, url, found)
        return _seen(found, odd) if found is not None else _gone(url, odd)

    async def forget(self, url: str) -> None:
        """Forget what a page showed before: the next look at it is the first."""
        from storecrew.web.page_history import PageHistory

        await asyncio.to_thread(PageHistory(self.folder / "visits").forget, url)

    async def feed(self, url: str) -> Sequence[FeedItem]:
        """Return the entries of a feed, and those of the weeks before that were read then."""
        from storecrew.models.extraction import feed
        from storecrew.web.feed_archive import FeedArchive

        page = await self._fetch(url)
        try:
            read = await asyncio.to_thread(feed, page.content, page.url)
        except InvalidInput as error:
            await self._count(error.problem, url)
            raise
        items = [
            FeedItem(title=each.title, link=each.link, text=each.text, published=each.published)
            for each in read.entries
        ]
        stand = FeedArchive(self.folder / "feeds")
        return await asyncio.to_thread(stand.add, url, items, self.clock.now())

    async def close(self) -> None:
        """Release every connection."""
        if self._fetcher is not None:
            await self._fetcher.close()
            self._fetcher = None

    async def _fetch(self, url: str) -> "FetchedPage":
        try:
            return await self._web().fetch(url)
        except StorecrewError as error:
            await self._count(_reason(error), url)
            if isinstance(error, RobotsForbid | PageRefused):
                raise InvalidInput("url", str(error)) from error
            raise

    async def _count(self, reason: str, url: str) -> None:
        if self.skipped is not None:
            await self.skipped.record(SOURCE, reason, url, self.clock.now())

    def _web(self) -> "Fetcher":
        from storecrew.web.fetcher import Fetcher  # brings httpx

        if self._fetcher is None:
            self._fetcher = Fetcher(self.settings, self.clock, folder=self.folder)
        return self._fetcher


def _reason(error: StorecrewError) -> str:
    """Return why an address could not be read, in words that do not name it."""
    match error:
        case RobotsForbid():
            return "robots.txt forbids it"
        case PageRefused() | PageUnreachable():
            return error.problem
        case RetryLater():
            return "the host wants to be left alone for a while"
        case InvalidInput():
            return "the address may not be read"
        case _:
            return type(error).__name__


def _gone(url: str, odd: str) -> ObservedProduct | None:
    """Return what is told of a page that shows no product: nothing, unless it once did."""
    if not odd:
        return None
    return ObservedProduct(url=url, name=None, price=None, currency=None, available=None, odd=odd)


def _seen(page: "ProductPage", odd: str) -> ObservedProduct:
    out = page.availability in ("out_of_stock", "discontinued")
    return ObservedProduct(
        url=page.url,
        name=page.name,
        price=page.price,
        currency=page.currency,
        available=None if page.availability is None else not out,
        condition=None if page.condition is None else page.condition.value,
        gtin=page.gtin,
        sku=page.sku,
        confidence=page.confidence,
        doubts=page.doubts,
        odd=odd,
    )
