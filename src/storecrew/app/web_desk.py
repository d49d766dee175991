"""The door to pages of others: read politely, guarded, and understood."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports import Clock
from storecrew.domain.web import NewsItem, ProductSeen
from storecrew.web.errors import PageRefused, RobotsForbid
from storecrew.web.settings import FetchSettings

if TYPE_CHECKING:
    from storecrew.models.extraction import ProductPage
    from storecrew.web.fetcher import Fetcher, Page


@dataclass(kw_only=True)
class WebDesk:
    """Implements `domain.web.Pages`; keeps pages in a folder. One per process."""

    settings: FetchSettings
    clock: Clock
    folder: Path
    _fetcher: "Fetcher | None" = field(default=None, init=False)

    async def page(self, url: str) -> "ProductPage | None":
        """Return all that a page says of its product, None where it shows none.

        Raises `InvalidInput` for an address that may not be read or holds no page, and what may
        pass with time: `Unresolved`, `PageUnreachable`, `ComeBackLater`.
        """
        # parsers of pages take half a second to import, which only who reads pages need pay
        from storecrew.models.extraction import product_page

        page = await self._fetch(url)
        return await asyncio.to_thread(product_page, page.content, page.url, page.charset)

    async def product(self, url: str) -> ProductSeen | None:
        """Return the product that a page shows, compared with the visit before."""
        from storecrew.app.visits import Visits  # brings the parsers of pages

        found = await self.page(url)
        visits = Visits(self.folder / "visits")
        odd = await asyncio.to_thread(visits.judge, url, found)
        return _seen(found, odd) if found is not None else _gone(url, odd)

    async def feed(self, url: str) -> Sequence[NewsItem]:
        """Return the entries of a feed, and those of the weeks before that were read then."""
        from storecrew.app.newsstand import Newsstand
        from storecrew.models.extraction import feed

        page = await self._fetch(url)
        read = await asyncio.to_thread(feed, page.content, page.url)
        items = [
            NewsItem(title=each.title, link=each.link, text=each.text, published=each.published)
            for each in read.entries
        ]
        stand = Newsstand(self.folder / "feeds")
        return await asyncio.to_thread(stand.add, url, items, self.clock.now())

    async def close(self) -> None:
        """Release every connection."""
        if self._fetcher is not None:
            await self._fetcher.close()
            self._fetcher = None

    async def _fetch(self, url: str) -> "Page":
        try:
            return await self._web().fetch(url)
        except (RobotsForbid, PageRefused) as error:
            raise InvalidInput("url", str(error)) from error

    def _web(self) -> "Fetcher":
        from storecrew.web.fetcher import Fetcher  # brings httpx

        if self._fetcher is None:
            self._fetcher = Fetcher(self.settings, self.clock, folder=self.folder)
        return self._fetcher


def _gone(url: str, odd: str) -> ProductSeen | None:
    """Return what is told of a page that shows no product: nothing, unless it once did."""
    if not odd:
        return None
    return ProductSeen(url=url, name=None, price=None, currency=None, available=None, odd=odd)


def _seen(page: "ProductPage", odd: str) -> ProductSeen:
    out = page.availability in ("out_of_stock", "discontinued")
    return ProductSeen(
        url=page.url,
        name=page.name,
        price=page.price,
        currency=page.currency,
        available=None if page.availability is None else not out,
        gtin=page.gtin,
        sku=page.sku,
        confidence=page.confidence,
        doubts=page.doubts,
        odd=odd,
    )
