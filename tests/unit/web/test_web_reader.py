"""Pages of others as the product asks for them: one product, or a clear word why not."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from web_site import Answer, Site

from storecrew.domain.errors import InvalidInput, Retryable
from storecrew.web.reader import LiveWebReader
from storecrew.web.settings import FetchSettings

MUG = b"""<html><head><title>Blue mug</title><script type="application/ld+json">
{"@context": "https://schema.org", "@type": "Product", "name": "Blue mug",
 "offers": {"@type": "Offer", "price": "12.90", "priceCurrency": "EUR",
            "availability": "https://schema.org/InStock"}}
</script></head><body>Blue mug, 12.90 EUR</body></html>"""


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


async def test_r122_a_rivals_page_is_read_politely_and_understood(tmp_path):
    settings = FetchSettings(request_interval=0.0, timeout=5.0, allow_private=True)
    reader = LiveWebReader(settings=settings, clock=Noon(), folder=tmp_path / "web")
    async with Site().serving() as site:
        site.pages["/mug"] = Answer(MUG)
        site.pages["/about"] = Answer(b"<p>About us</p>")
        site.pages["/down"] = Answer(b"", status="503 Busy")
        site.pages["/robots.txt"] = Answer(
            b"User-agent: *\nDisallow: /secret", headers=("Content-Type: text/plain",)
        )
        found = await reader.product(site.url("/mug"))
        nothing = await reader.product(site.url("/about"))
        with pytest.raises(InvalidInput, match=r"robots\.txt forbids"):
            await reader.product(site.url("/secret"))
        with pytest.raises(InvalidInput, match="404"):
            await reader.product(site.url("/gone"))
        with pytest.raises(Retryable, match=r"503|left alone"):
            await reader.product(site.url("/down"))
        await reader.close()

    assert found is not None
    assert (found.name, found.price, found.currency) == ("Blue mug", Decimal("12.90"), "EUR")
    assert nothing is None
    assert site.paths[0] == "/robots.txt"


async def test_nothing_inside_is_read_unless_the_owner_says_so(tmp_path):
    reader = LiveWebReader(settings=FetchSettings(), clock=Noon(), folder=tmp_path / "web")
    with pytest.raises(InvalidInput, match="public address"):
        await reader.product("http://127.0.0.1:9/mug")
    await reader.close()


async def test_what_cannot_be_read_is_counted_by_reason(tmp_path):
    class Skipped:
        def __init__(self):
            self.found = []

        async def record(self, source, reason, sample, now):
            self.found.append((source, reason, sample.rpartition("/")[2]))

    settings = FetchSettings(request_interval=0.0, timeout=5.0, allow_private=True)
    skipped = Skipped()
    reader = LiveWebReader(settings=settings, clock=Noon(), folder=tmp_path, skipped=skipped)
    async with Site().serving() as site:
        site.pages["/robots.txt"] = Answer(b"User-agent: *\nDisallow: /secret")
        site.pages["/empty"] = Answer(b"<p>hello</p>")
        site.pages["/feed"] = Answer(b"no feed")
        assert await reader.product(site.url("/empty")) is None
        for path in ("/gone", "/secret"):
            with pytest.raises(InvalidInput):
                await reader.product(site.url(path))
        with pytest.raises(InvalidInput):
            await reader.feed(site.url("/feed"))
        await reader.close()

    assert skipped.found == [
        ("page", "it shows no product", "empty"),
        ("page", "status 404", "gone"),
        ("page", "robots.txt forbids it", "secret"),
        ("page", "is no feed: neither RSS nor Atom", "feed"),
    ]
