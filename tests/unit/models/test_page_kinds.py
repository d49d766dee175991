"""Kinds of pages that were misread: the right price, or a doubt that keeps agents away from it."""

import json
import time
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from storecrew.models.extraction import Availability, Condition, ProductPage, product_page
from storecrew.models.extraction.money import is_of_several, shown_currency, shown_price
from support.shared_cases import shared_case

HANG = 5.0
BUTTON = '<button type="submit">Add to cart</button>'


def read(content: str | bytes, host: str = "shop.example.com") -> ProductPage | None:
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    return product_page(raw, f"https://{host}/p", "utf-8")


def found(content: str | bytes, host: str = "shop.example.com") -> ProductPage:
    page = read(content, host)
    assert page is not None
    return page


def case(name: str, host: str = "shop.example.com") -> ProductPage:
    return found(shared_case(f"pages/{name}.html").read_bytes(), host)


def page(price: str, markup: object = None, title: str = "Oak bowl", more: str = "") -> str:
    script = "" if markup is None else f'<script type="application/ld+json">{markup}</script>'
    return (
        f"<html><head><title>{title}</title>{script}</head><body><main><h1>{title}</h1>"
        f'<p class="price">{price}</p>{more}{BUTTON}</main></body></html>'
    )


def product(offer: object, **more: object) -> str:
    item = {"@context": "https://schema.org", "@type": "Product", "name": "Oak bowl"}
    return json.dumps(item | {"offers": offer} | more)


def offer(price: object = "24.90", currency: str = "EUR", **more: object) -> dict[str, object]:
    return {"@type": "Offer", "price": price, "priceCurrency": currency, **more}


# --- the inputs that failed -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "price", "currency"),
    [
        ("22-sold-out-149", "149.00", "EUR"),
        ("23-raised-cents", "29.99", "EUR"),
        ("24-clp", "149990", "CLP"),
        ("25-delivery-first", "24.90", "EUR"),
        ("26-chf", "1299", "CHF"),
        ("26-yen-halfwidth", "1980", "JPY"),
        ("27-escaped", "24.90", "EUR"),
    ],
)
def test_a_page_that_was_misread_gives_its_price_without_a_doubt(
    name: str, price: str, currency: str
) -> None:
    read_page = case(name)
    assert (read_page.price, read_page.currency) == (Decimal(price), currency)
    assert read_page.doubts == ()


def test_a_page_that_is_sold_out_says_so() -> None:
    assert case("22-sold-out-149").availability is Availability.OUT_OF_STOCK


def test_a_net_price_and_a_price_of_two_are_doubted() -> None:
    assert "a price without taxes" in case("25-net-price").doubts
    assert case("23-two-for").price is None
    assert case("23-two-for").doubts == ("its price is of several pieces",)


def test_a_name_holds_nothing_that_a_terminal_obeys() -> None:
    assert str(case("35-escape-in-name").name).isprintable()


# --- text is normalised before it is read ---------------------------------------------------------

WRITTEN = {
    "CHF 1’299.–": ("1299", "CHF"),
    "CHF 1'299.50": ("1299.50", "CHF"),
    "Fr. 15.-": ("15", "CHF"),
    "SFr. 1 299.–": ("1299", "CHF"),
    "１，９８０円": ("1980", "JPY"),
    "￥1,980": ("1980", None),
    "1 299,00 €": ("1299.00", "EUR"),
    "1\u00a0299,00\u00a0€": ("1299.00", "EUR"),
    "1\u202f299,00 €": ("1299.00", "EUR"),
    "15,- €": ("15", "EUR"),
    "€ 1.299,–": ("1299", "EUR"),
    "12 euros": ("12", "EUR"),
    "١٢٫٥٠ AED": ("12.50", "AED"),
    "₹ १,२९९": ("1299", "INR"),
    "129 元": ("129", "CNY"),
    "12.900 원": ("12900", "KRW"),
    "1 290 руб.": ("1290", "RUB"),
    "Rs. 1,299": ("1299", "INR"),
    "250 TL": ("250", "TRY"),
    "kr 1 299,00": ("1299.00", None),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_a_price_is_read_however_it_is_written(text: str) -> None:
    amount, currency = WRITTEN[text]
    assert shown_price(text) == Decimal(amount)
    assert shown_currency(text, "shop.example.com") == currency


@pytest.mark.parametrize(
    "text",
    ["2 for £5", "3 für 10 €", "2x 9,99 €", "4 pcs $20", "£4.99/kg", "4,99 € / 100 g",
     "€5 per month",      "9,99 € pro Monat", "3 pour 10 €", "5 € je m²"],
)  # fmt: skip
def test_a_price_of_several_pieces_is_none_of_one(text: str) -> None:
    assert is_of_several(text)
    assert shown_price(text) is None


@pytest.mark.parametrize("text", ["£5", "29,99 €", "from £5", "CHF 1’299.–", "kr 299", "$ 2.50"])
def test_an_ordinary_price_is_of_one_piece(text: str) -> None:
    assert not is_of_several(text)


# --- markup that is flattened, or says other than people see --------------------------------------


@pytest.mark.parametrize(
    "inner",
    [
        "€ 29<sup>99</sup>",
        "€ 29,<sup>99</sup>",
        "€ 29<sup> 99 </sup>",
        '€ <span>29</span><span class="cents">99</span>',
        '€<b>29<span class="decimal">.</span></b><span class="fraction">99</span>',
        "29<small>99</small> €",
        '<span class="a">29</span><sup class="b">99</sup> €',
    ],
)
def test_raised_cents_are_cents(inner: str) -> None:
    assert found(page(inner)).price == Decimal("29.99")


AGREES = [offer(), offer("24,90 €"), offer(24.9), [offer(), offer("29.90")], offer(1299, "JPY")]
DIFFERS = {
    "net": offer("20.92"),
    "net, said so": {**offer("20.92"), "valueAddedTaxIncluded": False},
    "cents as units": offer("2490"),
    "another product": offer("99.00"),
    "old": offer("34.90"),
    "thousands": offer("24.900"),
    "from two on": {**offer(), "eligibleQuantity": {"minValue": 2}},
}


def test_markup_that_agrees_with_what_people_see_is_sure() -> None:
    page_read = found(page("24,90 €", product(offer())))
    assert page_read.doubts == ()
    assert page_read.confidence >= 0.9


@pytest.mark.parametrize("name", DIFFERS)
def test_markup_that_says_other_than_people_see_is_doubted(name: str) -> None:
    page_read = found(page("24,90 €", product(DIFFERS[name])))
    assert page_read.doubts, page_read
    assert page_read.confidence < 0.8


@pytest.mark.parametrize(
    "specification",
    [
        {"@type": "DeliveryChargeSpecification", "price": "9.90"},
        {"@type": "https://schema.org/PaymentChargeSpecification", "price": "1.50"},
        {"@type": "UnitPriceSpecification", "price": "99.80", "referenceQuantity": {"value": 1}},
        {"@type": "UnitPriceSpecification", "price": "34.90", "priceType": "https://schema.org/ListPrice"},
        {"@type": "UnitPriceSpecification", "price": "19.90", "validForMemberTier": {}},
        {"@type": "UnitPriceSpecification", "price": "2.90", "billingDuration": 12},
        {"@type": "UnitPriceSpecification", "price": "22.00", "eligibleQuantity": {"minValue": 10}},
    ],
)  # fmt: skip
def test_a_specification_of_something_else_is_not_the_price(specification: object) -> None:
    own = {"@type": "UnitPriceSpecification", "price": "24.90", "priceCurrency": "EUR"}
    page_read = found(
        page("24,90 €", product({"@type": "Offer", "priceSpecification": [specification, own]}))
    )
    assert (page_read.price, page_read.doubts) == (Decimal("24.90"), ())


@pytest.mark.parametrize(
    ("price", "currency", "amount"),
    [("149.990", "CLP", "149990"), ("1.234.500", "KRW", "1234500"), ("1.980", "JPY", "1980"),
     ("12.500", "KWD", "12.500"), ("149.99", "EUR", "149.99"), ("0.125", "EUR", "0.125")],
)  # fmt: skip
def test_a_point_is_read_as_the_currency_has_it(price: str, currency: str, amount: str) -> None:
    page_read = found(f"<html><body>{BUTTON}<h1>x</h1><script type='application/ld+json'>"
                      f"{product(offer(price, currency))}</script></body></html>")  # fmt: skip
    assert (page_read.price, page_read.doubts) == (Decimal(amount), ())


def test_three_decimals_in_a_currency_of_two_are_doubted() -> None:
    page_read = found(page("", product(offer("1.299", "EUR"))))
    assert any("three decimals" in doubt for doubt in page_read.doubts)


# --- damaged markup -------------------------------------------------------------------------------

GOOD = product(offer())
DAMAGED = {
    "escaped": GOOD.replace('"', "&quot;"),
    "escaped twice": GOOD.replace('"', "&amp;quot;"),
    "trailing comma": GOOD[:-1] + ",}",
    "comment": "<!-- " + GOOD + " -->",
    "cdata": "//<![CDATA[\n" + GOOD + "\n//]]>",
    "semicolon": GOOD + ";",
    "line ends in text": GOOD.replace("Oak bowl", "Oak\nbowl"),
    "quoted": json.dumps(GOOD),
    "byte order mark": "\ufeff" + GOOD,
    "controls": GOOD.replace("Oak bowl", "Oak\x07 bowl"),
}


@pytest.mark.parametrize("damage", DAMAGED)
def test_damaged_markup_is_mended(damage: str) -> None:
    assert found(page("", DAMAGED[damage])).price == Decimal("24.90")


@pytest.mark.parametrize("broken", ["{", GOOD[: len(GOOD) // 2], "var x = 1", "{'a': undefined}"])
def test_markup_beyond_mending_is_a_reason(broken: str) -> None:
    page_read = found(page("", broken))
    assert page_read.price is None
    assert page_read.doubts == ("a JSON-LD script is damaged",)


# --- what was observed reaches the page -----------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "availability"),
    [("OutOfStock", Availability.OUT_OF_STOCK), ("//schema.org/SoldOut", Availability.OUT_OF_STOCK),
     ("Discontinued", Availability.DISCONTINUED), ("InStock", Availability.IN_STOCK)],
)  # fmt: skip
def test_markup_says_whether_it_can_be_had(said: str, availability: Availability) -> None:
    assert found(page("24,90 €", product(offer(availability=said)))).availability is availability


@pytest.mark.parametrize("words", ["Sold out", "Ausverkauft", "Épuisé", "Currently unavailable"])
def test_words_that_nothing_is_left_count_more_than_a_button(words: str) -> None:
    more = f'<p class="stock">{words}</p>'
    assert found(page("24,90 €", more=more)).availability is Availability.OUT_OF_STOCK
    aside = f'<div class="related"><p class="stock">{words}</p></div>'
    assert found(page("24,90 €", more=aside)).availability is Availability.IN_STOCK


@pytest.mark.parametrize(
    ("markup", "title", "condition"),
    [
        (product(offer(itemCondition="//schema.org/UsedCondition")), "Oak bowl", Condition.USED),
        (product(offer(), itemCondition="RefurbishedCondition"), "Oak bowl", Condition.REFURBISHED),
        (product(offer(itemCondition="NewCondition")), "Oak bowl", Condition.NEW),
        (product(offer()), "Oak bowl, gebraucht", Condition.USED),
        (None, "Oak bowl (refurbished)", Condition.USED),
        (product(offer()), "Oak bowl", None),
    ],
)  # fmt: skip
def test_a_page_says_whether_goods_are_new(
    markup: str | None, title: str, condition: Condition | None
) -> None:
    assert found(page("24,90 €", markup, title)).condition is condition


# --- any page gives an answer ---------------------------------------------------------------------

SAMPLES = [page("24,90 €", product(offer())), page("€ 29<sup>99</sup>"), page("2 for £5"), *(
    page("1’299.–", text) for text in DAMAGED.values())]  # fmt: skip


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a page with pieces cut out, doubled, and put in."""
    raw = draw(st.sampled_from(SAMPLES)).encode()
    for _ in range(draw(st.integers(1, 6))):
        at, to = sorted(draw(st.tuples(*[st.integers(0, len(raw))] * 2)))
        middle = draw(
            st.sampled_from([b"", raw[at:to] * 2, b"<", b"&", b"\x00", b"\xff\xfe", b"}{"])
        )
        raw = raw[:at] + middle + raw[to:]
    return raw


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_any_mutated_page_gives_an_answer(content: bytes) -> None:
    page_read = read(content)
    if page_read is not None:
        assert page_read.price is None or page_read.price > 0
        assert str(page_read.name or "").isprintable()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    | st.sampled_from(["24.90", "EUR", "OutOfStock", "Product", "Offer", "UsedCondition"]),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(
        st.sampled_from(["@type", "@id", "@value", "name", "offers", "price", "priceCurrency",
                         "priceSpecification", "eligibleQuantity", "minValue", "availability",
                         "itemCondition", "valueAddedTaxIncluded", "hasVariant", "gtin", "image"]),
        inner, max_size=6),
    max_leaves=20,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(["offers", "name", "sku", "itemCondition", "image"]), JSON))
def test_any_markup_of_a_product_gives_an_answer(item: dict[str, object]) -> None:
    read(page("24,90 €", json.dumps({"@type": "Product", **item})))


@given(st.text(max_size=60))
def test_any_text_that_should_be_a_price_gives_an_answer(text: str) -> None:
    amount = shown_price(text)
    assert amount is None or amount > 0
    shown_currency(text, "shop.example.com")


@pytest.mark.parametrize(
    "content",
    [
        "<p class=price>" * 50_000,
        "<p class=price>1 €</p>" * 50_000,
        "<div itemscope itemprop=offers>" * 20_000,
        "<p class=price>" + "1" * 500_000,
        "<script type=application/ld+json>" + "[" * 500_000,
        "<script type=application/ld+json>" + "&quot;" * 200_000,
        "<sup>1" * 50_000,
    ],
    ids=range(7),
)
def test_no_page_takes_long_whatever_its_shape(content: str) -> None:
    begun = time.monotonic()
    read(content)
    assert time.monotonic() - begun < HANG
