"""A page is compared with the visit before: a rebuilt page is no new price, until it stays so."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from web_site import Answer, Site

from storecrew.models.extraction import ProductPage, product_page
from storecrew.web.page_history import PageHistory
from storecrew.web.reader import LiveWebReader
from storecrew.web.settings import FetchSettings
from support.shared_cases import shared_case

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


def shop_page(name: str, price: str, sku: str = "", condition: str = "New") -> ProductPage:
    markup = json.dumps(
        {
            "@type": "Product",
            "name": name,
            "sku": sku,
            "itemCondition": f"https://schema.org/{condition}Condition",
            "offers": {"@type": "Offer", "price": price, "priceCurrency": "EUR"},
        }
    )
    content = f"<title>{name}</title><script type='application/ld+json'>{markup}</script><p>x</p>"
    page = product_page(content.encode(), "https://rival.example/p", "utf-8")
    assert page is not None
    return page


@pytest.mark.parametrize(
    "other",
    [
        shop_page("Pine stool", "89.00", "S-200"),
        shop_page("Oak lamp", "89.00", "L-200"),
        shop_page("Pine stool", "89.00"),
        shop_page("Oak vase", "190.00"),
        shop_page("Oak lamp", "89.00", "L-100", "Used"),
        shop_page("Oak lamp", "89.00", "L-100", "Refurbished"),
        shop_page("Oak lamp, refurbished", "89.00", "L-100"),
    ],
)
def test_another_product_is_another_one_for_ever_until_a_person_says_so(tmp_path, other):
    history = PageHistory(tmp_path)
    assert history.judge("u", shop_page("Oak lamp", "199.00", "L-100")) == ""
    for _ in range(10):
        assert history.judge("u", other).startswith(("another product", "another condition"))
    assert history.judge("u", shop_page("Oak lamp", "189.00", "L-100")) == ""

    history.forget("u")
    assert history.judge("u", other) == ""
    assert history.judge("u", other) == ""


def test_the_shared_case_of_another_product_is_never_believed(tmp_path):
    first, other = (
        product_page(shared_case(f"pages/{name}.html").read_bytes(), "https://r.example/p", "utf-8")
        for name in ("28-first", "28-other-product")
    )
    history = PageHistory(tmp_path)
    assert history.judge("u", first) == ""
    assert all("another product" in history.judge("u", other) for _ in range(10))


def test_a_name_that_grew_is_the_same_product(tmp_path):
    history = PageHistory(tmp_path)
    assert history.judge("u", shop_page("Oak lamp", "199.00")) == ""
    assert history.judge("u", shop_page("Oak lamp - now in stock", "198.00")) == ""
