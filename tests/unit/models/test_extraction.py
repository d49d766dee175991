"""Product pages: whatever way a price is told, it is read; whatever is thrown, nothing breaks."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.extraction import Availability, Source, compare, product_page
from storecrew.models.extraction.layout import Kind
from storecrew.models.extraction.money import plain_price, shown_currency, shown_price
from storecrew.models.extraction.schema_org import gtin

URL = "https://shop.example/p/mug"
OFFER = {
    "@type": "Offer",
    "price": "12.50",
    "priceCurrency": "EUR",
    "availability": "https://schema.org/InStock",
}
MUG = {
    "@context": "https://schema.org",
    "@type": "Product",
    "name": "Mug, blue",
    "sku": "M-1",
    "gtin13": "4006381333931",
    "brand": {"@type": "Brand", "name": "Acme"},
    "image": ["/mug.jpg"],
    "offers": OFFER,
}


def html(*parts: str, title: str = "Mug, blue") -> bytes:
    return f"<html><head><title>{title}</title></head><body>{''.join(parts)}</body></html>".encode()


def linked(*items) -> str:
    return "".join(
        f'<script type="application/ld+json">{each if isinstance(each, str) else json.dumps(each)}'
        "</script>"
        for each in items
    )


def read(*parts: str, url: str = URL):
    return product_page(html(*parts), url)


MICRODATA = """<div itemscope itemtype="http://schema.org/Product"><h1 itemprop=name>Mug, blue</h1>
<div itemprop="offers" itemscope itemtype="http://schema.org/Offer">
<span itemprop="price" content="12.50">12,50 €</span><meta itemprop="priceCurrency" content="EUR">
<link itemprop="availability" href="http://schema.org/OutOfStock"></div></div>"""
OPENGRAPH = """<meta property="og:type" content="product"><meta property="og:title" content="Mug">
<meta property="product:price:amount" content="12.50">
<meta property="product:price:currency" content="EUR">
<meta property="product:availability" content="in stock">"""
PLAIN = """<h1>Mug, blue</h1><div class="box"><del class="price">19,99 €</del>
<span class="price price-current">12,50&nbsp;€</span><button>In den Warenkorb</button></div>
<div class="related-products"><span class="price">3,00 €</span></div>"""


def test_json_ld_is_read():
    page = read(linked(MUG))
    assert page is not None
    assert (page.name, page.price, page.currency) == ("Mug, blue", Decimal("12.50"), "EUR")
    assert page.availability is Availability.IN_STOCK
    assert (page.sku, page.gtin, page.brand) == ("M-1", "4006381333931", "Acme")
    assert page.image == "https://shop.example/mug.jpg"
    assert (page.source, page.layout, page.doubts) == (Source.JSON_LD, "json-ld:offers.price", ())


@pytest.mark.parametrize(
    ("markup", "source", "stock"),
    [
        (MICRODATA, Source.MICRODATA, Availability.OUT_OF_STOCK),
        (OPENGRAPH, Source.OPENGRAPH, Availability.IN_STOCK),
        (PLAIN, Source.HEURISTIC, Availability.IN_STOCK),
    ],
)
def test_other_ways_to_tell_a_price_are_read(markup, source, stock):
    page = read(markup)
    assert page is not None
    assert (page.price, page.currency, page.source) == (Decimal("12.50"), "EUR", source)
    assert page.availability is stock


@pytest.mark.parametrize(
    "offers",
    [
        [OFFER, {**OFFER, "price": 99}],
        {"@type": "AggregateOffer", "lowPrice": 12.5, "highPrice": 20, "priceCurrency": "eur"},
        {"@type": "AggregateOffer", "offers": [OFFER]},
        {"@type": "Offer", "priceSpecification": [
            {"price": 19.99, "priceCurrency": "EUR", "priceType": "https://schema.org/ListPrice"},
            {"price": "12,50 €", "priceCurrency": "EUR"}]},
        {"@type": "Offer", "price": "EUR 12.50"},
        {"@id": "#offer"},
        [{**OFFER, "price": 1, "availability": "SoldOut"}, OFFER],
        [{**OFFER, "price": 1, "url": "https://shop.example/p/cup"},
         {**OFFER, "url": "https://www.shop.example/p/mug/"}],
    ],
)  # fmt: skip
def test_offers_come_in_many_forms(offers):
    graph = {"@graph": [{**MUG, "offers": offers}, {"@id": "#offer", **OFFER}]}
    page = read(linked(graph))
    assert page is not None
    assert (page.price, page.currency) == (Decimal("12.50"), "EUR")


def test_variants_of_a_group_are_its_offers():
    variants = [{"@type": "Product", "offers": {**OFFER, "price": p}} for p in (15, 12.5)]
    page = read(linked({"@type": "ProductGroup", "name": "Mug, blue", "hasVariant": variants}))
    assert page is not None
    assert page.price == Decimal("12.5")
    assert "several offers" in page.doubts


def test_related_products_are_not_the_pages_own():
    other = {"@type": "Product", "name": "Cup", "offers": {**OFFER, "price": 1}}
    listing = {"@type": "ItemList", "itemListElement": [other]}
    page = read(linked(listing, {**MUG, "isRelatedTo": other}, other))
    assert page is not None
    assert page.price == Decimal("12.50")


def test_sources_that_agree_are_believed_more_than_those_that_do_not():
    alone, agreed = read(linked(MUG)), read(linked(MUG), OPENGRAPH, MICRODATA)
    torn = read(linked({**MUG, "offers": {**OFFER, "price": 1}}), OPENGRAPH)
    assert alone is not None
    assert agreed is not None
    assert torn is not None
    assert torn.confidence < alone.confidence < agreed.confidence < 1
    assert torn.doubts == ("opengraph says 12.50",)


@pytest.mark.parametrize(
    "damaged",
    [
        "{", "null", "[]", "[" * 100_000, '{"@type": "Product", "name": "Mug"', "\x00\x01", "//",
        '{"@type": ["Product", null, 3], "offers": [[["x"]]], "name": {"@value": ["Mug"]}}',
        '{"@type": "Product", "offers": {"price": {"a": 1}, "url": "http://["}}',
    ],
)  # fmt: skip
def test_damaged_json_ld_spoils_nothing_else(damaged):
    page = read(linked(damaged, MUG))
    assert page is not None
    assert page.price == Decimal("12.50")


@pytest.mark.parametrize("price", ["0", "0.00", "-5", "free", "NaN", "1e400", "", None, True, []])
def test_a_price_that_is_none_is_not_told(price):
    page = read(linked({**MUG, "offers": {**OFFER, "price": price}}))
    assert page is not None
    assert (page.price, page.confidence) == (None, 0.0)


@pytest.mark.parametrize(
    "page",
    [
        html("<p>Hello</p>"), b"", b"   ", b"\x00" * 100, b"%PDF-1.4 ...", b"\xff\xfe\x00\xd8",
        html('<meta property="og:title" content="News"><h1>News</h1>'),
        html(linked({"@type": "NewsArticle"}), '<span class="price">12 €</span>'),
    ],
)  # fmt: skip
def test_a_page_without_a_product_has_none(page):
    assert product_page(page, URL) is None


@pytest.mark.parametrize(
    ("encoding", "charset", "meta"),
    [
        ("utf-8", None, ""), ("utf-8", "utf-8", ""), ("utf-8-sig", None, ""),
        ("cp1252", None, ""), ("iso-8859-15", None, '<meta charset="iso-8859-15">'),
        ("utf-16", None, ""), ("cp1252", "windows-1252", '<meta charset="utf-8">'),
        ("utf-8", "no-such-charset", ""), ("utf-8", "größe", ""),
    ],
)  # fmt: skip
def test_encodings_are_found_out(encoding, charset, meta):
    text = f"<html><head>{meta}<title>Käse</title></head><body>{PLAIN}</body></html>"
    page = product_page(text.replace("Mug, blue", "Käse").encode(encoding), URL, charset)
    assert page is not None
    assert (page.name, page.price, page.currency) == ("Käse", Decimal("12.50"), "EUR")


def test_a_page_of_50_mb_is_refused_before_it_is_parsed():
    with pytest.raises(InvalidInput, match="content: 50000000 bytes"):
        product_page(b"<" * 50_000_000, URL)


SCOPE = '<div itemscope itemtype="http://schema.org/Product">'
BOMBS = {
    "nested tags": "<div>" * 300_000,
    "nested items": SCOPE * 200 + '<p itemprop="price">12</p>' * 4000,
    "many items": (SCOPE + "</div>") * 20_000,
    "nested properties": '<div itemprop="name">' * 240 + "x" * 400_000,
    "references": f'<div itemscope itemref="{"a " * 50_000}"><p id="a" itemprop="b">c</p>',
    "many prices": '<span class="price">1 €</span>' * 60_000,
    "one attribute": f'<div class="{"price " * 300_000}">1 €</div>',
    "a long number": f'<span class="price">{"1" * 300_000} €</span>',
    "many scripts": linked({"a": [[]]}) * 5000,
    "a wide script": linked({"@graph": [{"@type": "Thing", "a": {}}] * 60_000}),
    "meta": '<meta property="og:title" content="x">' * 50_000,
    "open brackets": "<" * 500_000,
    "entities": "&amp" * 300_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_read_to_their_end(name):
    found = product_page(html(BOMBS[name]), URL)
    assert found is None or len(found.name or "") <= 500


@given(st.binary(max_size=300))
def test_any_bytes_give_a_page_or_none(content):
    page = product_page(b"<html><body>" + content + html(MICRODATA), URL)
    assert page is None or page.price is None or page.price > 0


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1.234,56 €", "1234.56"), ("$1,299.00", "1299.00"), ("CHF 1'299.50", "1299.50"),
        ("1 299,00 kr", "1299.00"), ("R$ 1.234,50", "1234.50"), ("-5 €", None), ("gratis", None),
        ("0,00 €", None), ("9" * 90, None),
    ],
)  # fmt: skip
def test_prices_are_read_as_people_write_them(text, amount):
    assert shown_price(text) == (None if amount is None else Decimal(amount))


@pytest.mark.parametrize(
    ("said", "amount"),
    [("12.345", "12.345"), (12.5, "12.5"), (1299, "1299"), ("1.299,00 €", "1299.00"), (1e-9, None),
     (float("nan"), None), (float("inf"), None), (False, None), ({}, None)],
)  # fmt: skip
def test_prices_are_read_as_machines_write_them(said, amount):
    found = plain_price(said)
    assert found == (None if amount is None else Decimal(amount)) or (said == 1e-9 and found)


@pytest.mark.parametrize(
    ("text", "host", "code"),
    [("12 €", "", "EUR"), ("$12", "x.com", "USD"), ("$12", "x.ca", "CAD"), ("US$12", "x.ca", "USD"),
     ("12 kr", "x.se", "SEK"), ("12 kr", "x.com", None), ("USD 1", "x.ca", "USD"), ("AB", "", None),
     ("¥12", "x.jp", "JPY")],
)  # fmt: skip
def test_a_sign_of_several_currencies_needs_the_shops_domain(text, host, code):
    assert shown_currency(text, host) == code


@pytest.mark.parametrize("code", ["4006381333931", "40063813 33931", "73513537", "036000291452"])
def test_a_gtin_has_a_check_digit(code):
    assert gtin(code) == code.replace(" ", "")
    assert gtin(code[:-1] + str((int(code[-1]) + 1) % 10)) is None


@pytest.mark.parametrize(
    "code", ["", "0" * 13, "12", "abc", None, [], "４００６３８１３３３９３１"]
)
def test_what_is_no_gtin_is_none(code):
    assert gtin(code) is None


def priced(price="12.50", **changes):
    page = read(linked({**MUG, "offers": {**OFFER, "price": price}, **changes}))
    assert page is not None
    return page


def test_a_new_price_in_the_old_place_is_a_price():
    verdict = compare(priced(), priced("11.90"))
    assert (verdict.kind, verdict.believable) == (Kind.MOVED, True)
    assert compare(priced(), priced()).kind is Kind.SAME


def test_a_page_that_was_rebuilt_is_an_anomaly_and_no_price():
    for after in (
        read(PLAIN),  # found elsewhere
        read(OPENGRAPH),
        read("<h1>Are you a robot?</h1>"),
        priced("0"),
        priced("1250"),  # the point was lost
        priced(offers={**OFFER, "priceCurrency": "USD"}),
    ):
        verdict = compare(priced(), after)
        assert verdict.kind is Kind.ANOMALY
        assert verdict.reason
        assert not verdict.believable


def test_sold_out_is_news_of_its_own():
    gone = priced(offers={**OFFER, "availability": "OutOfStock"})
    assert compare(priced(), gone).kind is Kind.STOCK


def test_another_class_of_the_price_is_another_layout():
    before, same = read(PLAIN), read(PLAIN.replace("12,50", "11,50"))
    after = read(PLAIN.replace("box", "panel"))
    assert before is not None
    assert compare(before, same).kind is Kind.MOVED
    assert compare(before, after).kind is Kind.ANOMALY


def test_another_product_in_the_place_of_one_is_no_price_of_it():
    verdict = compare(priced(), priced(name="Cup", sku="C-9", gtin13=None))
    assert (verdict.kind, verdict.believable) == (Kind.REPLACED, False)
