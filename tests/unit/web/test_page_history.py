"""A page is compared with the visit before: a rebuilt page is no new price, until it stays so."""

from datetime import UTC, datetime
from decimal import Decimal

from web_site import Answer, Site

from storecrew.web.reader import LiveWebReader
from storecrew.web.settings import FetchSettings

PRICED = """<html><head><title>Blue mug</title><script type="application/ld+json">
{{"@context": "https://schema.org", "@type": "Product", "name": "Blue mug",
 "offers": {{"@type": "Offer", "price": "{price}", "priceCurrency": "EUR",
            "availability": "https://schema.org/{stock}"}}}}
</script></head><body>Blue mug</body></html>"""
OTHER = b"""<html><head><title>Blue mug</title>
<meta property="og:type" content="product"><meta property="og:title" content="Blue mug">
<meta property="product:price:amount" content="13.50">
<meta property="product:price:currency" content="EUR"></head><body>Blue mug</body></html>"""


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


def page(price: str, stock: str = "InStock") -> Answer:
    return Answer(PRICED.format(price=price, stock=stock).encode())


async def test_a_rebuilt_page_is_odd_until_it_was_seen_alike_three_times(tmp_path):
    settings = FetchSettings(request_interval=0.0, timeout=5.0, allow_private=True)
    reader = LiveWebReader(settings=settings, clock=Noon(), folder=tmp_path)
    async with Site().serving() as site:

        async def visit(answer: Answer):
            site.pages["/mug"] = answer
            return await reader.product(site.url("/mug"))

        first = await visit(page("12.90"))
        dearer = await visit(page("13.90", "OutOfStock"))
        rebuilt = [await visit(Answer(OTHER)) for _ in range(3)]
        gone = await visit(Answer(b"<p>Please log in</p>"))
        await reader.close()

    assert (first.price, first.odd, first.available) == (Decimal("12.90"), "", True)
    assert (dearer.price, dearer.odd, dearer.available) == (Decimal("13.90"), "", False)
    assert [each.price for each in rebuilt] == [Decimal("13.50")] * 3
    assert all("stands elsewhere" in each.odd for each in rebuilt)
    assert gone.price is None
    assert "no product any more" in gone.odd


async def test_a_layout_that_stays_becomes_the_pages_own(tmp_path):
    settings = FetchSettings(request_interval=0.0, timeout=5.0, allow_private=True)
    async with Site().serving() as site:
        site.pages["/mug"] = page("12.90")
        odd = []
        for day in range(6):
            reader = LiveWebReader(settings=settings, clock=Noon(), folder=tmp_path)
            seen = await reader.product(site.url("/mug"))
            odd.append(bool(seen.odd))
            await reader.close()
            if day == 0:
                site.pages["/mug"] = Answer(OTHER)
    assert odd == [False, True, True, True, False, False]


async def test_a_feed_is_read_through_the_same_door(tmp_path):
    settings = FetchSettings(request_interval=0.0, timeout=5.0, allow_private=True)
    reader = LiveWebReader(settings=settings, clock=Noon(), folder=tmp_path)
    rss = (
        b"<rss version='2.0'><channel><title>News</title><item><title>Snow <b>ahead</b></title>"
        b"<link>https://news.example/1</link><pubDate>02 Mar 2026 10:00:00 GMT</pubDate></item>"
        b"</channel></rss>"
    )
    async with Site().serving() as site:
        site.pages["/feed"] = Answer(rss)
        (item,) = await reader.feed(site.url("/feed"))
        await reader.close()
    assert (item.title, item.link) == ("Snow ahead", "https://news.example/1")
    assert item.published == datetime(2026, 3, 2, 10, tzinfo=UTC)
