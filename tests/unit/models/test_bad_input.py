"""Bad input, kind by kind: a clear answer or an error that names the field; never a NaN.

What is peculiar to one model is tested beside it; here is what the others leave open.
"""

import math
from contextlib import suppress
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.ports.models import Elasticity, PriceHistory, PriceQuery, ReplenishmentQuery
from storecrew.domain.shop.catalog import PriceChange
from storecrew.models import basic_models
from storecrew.models.anomalies import Detector
from storecrew.models.causes import Breakdown, causes
from storecrew.models.demand import DemandHistory
from storecrew.models.elasticity import USUAL
from storecrew.models.extraction import article, feed, product_page
from storecrew.models.inventory.budget import allocate
from storecrew.models.inventory.levels import order_up_to
from storecrew.models.inventory.transfers import plan_transfers
from storecrew.models.keywords import keywords
from storecrew.models.price_days import daily_prices, price_histories
from storecrew.models.pricing import best_prices, curve, explore_prices
from storecrew.models.recommendation import Purchases, train
from storecrew.models.trends import rises

MODELS = basic_models()
NONE = [math.nan, math.inf, -math.inf]
ABSURD = [*NONE, 1e300]


def refused(ask):
    """Return the field that is named where the question is refused."""
    with pytest.raises(InvalidInput) as error:
        ask()
    return error.value.field


# --- units and stock


@pytest.mark.parametrize("bad", [*ABSURD, 10**400, None, "three", [1, 2]], ids=lambda x: str(x)[:9])
def test_units_that_are_no_number_are_refused(bad):
    assert refused(lambda: MODELS.forecast_many({"good": [1, 2, 3], "bad": [1, bad, 3]})) == "units"


def test_negative_units_count_as_no_sale():
    assert MODELS.demand([2, -5, 2] * 10) == MODELS.demand([2, 0, 2] * 10)


@pytest.mark.parametrize("units", [[[1, 2], [3, 4]], 7])
def test_units_that_are_no_series_are_refused(units):
    assert refused(lambda: MODELS.demand(units)) == "units"


@pytest.mark.parametrize("q", [0, 1, 1.5, -1, *NONE])
def test_a_chance_that_is_none_is_refused(q):
    for sold in ([3] * 30, [0] * 30):
        assert refused(lambda sold=sold: MODELS.demand(sold).quantile(q, 7)) == "q"


@pytest.mark.parametrize("days", [math.nan, math.inf, 1e300])
def test_a_span_that_is_none_is_refused(days):
    assert refused(lambda: MODELS.demand([3] * 30).quantile(0.9, days)) == "days"


@pytest.mark.parametrize("field", ["lead_days", "lead_sd", "review_days", "cycle_days"])
@pytest.mark.parametrize("bad", [-1.0, *NONE])
def test_days_of_a_purchase_that_are_none_are_refused_by_name(field, bad):
    terms = {"lead_days": 3.0} | {field: bad}
    assert (
        refused(
            lambda: MODELS.replenishment_policy(
                MODELS.demand([1] * 30), ReplenishmentQuery(**terms)
            )
        )
        == field
    )


@pytest.mark.parametrize("field", ["days", "lead_sd"])
@pytest.mark.parametrize("bad", [-1.0, *ABSURD])
def test_days_of_a_level_that_are_none_are_refused_by_name(field, bad):
    asked = {"days": 7.0, "services": (0.9,)} | {field: bad}
    assert refused(lambda: order_up_to(np.ones((2, 60)), **asked)) == field


@pytest.mark.parametrize("bad", [1e12, 1e300, math.inf])
def test_absurdly_many_units_are_no_level(bad):
    assert refused(lambda: order_up_to(np.full((2, 60), bad), days=7, services=(0.9,))) == "units"


def test_negative_stock_is_short_of_what_is_needed_and_gives_nothing_away():
    (move,) = plan_transfers([9, -7], [0, 3])
    assert (move.source, move.target, move.quantity) == (0, 1, 3)
    assert plan_transfers([-7, 0], [0, 3]) == []


# --- prices


def question(**given):
    usual = {
        "price": 10.0, "cost": 5.0, "daily": 3.0, "elasticity": Elasticity(mean=-2.4, error=0.3),
        "lowest": 8.0, "highest": 12.0,
    }  # fmt: skip
    return PriceQuery(**usual | given)


ASK = [best_prices, lambda asked: explore_prices(asked, seed=0), lambda asked: curve(asked[0])]


@pytest.mark.parametrize("field", ["price", "cost", "daily", "lowest", "highest"])
@pytest.mark.parametrize("bad", [-1.0, *ABSURD])
def test_a_price_question_that_is_none_is_refused_by_name(field, bad):
    for ask in ASK:
        assert refused(lambda ask=ask: ask([question(**{field: bad})])) == field


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("price", {"price": 0.0}), ("price", {"price": "ten"}), ("cost", {"cost": None}),
        ("lowest", {"lowest": 13.0}),
        ("elasticity", {"elasticity": Elasticity(mean=1e300, error=1)}),
        ("error", {"elasticity": Elasticity(mean=-2, error=-1)}),
        ("error", {"elasticity": Elasticity(mean=-2, error=math.inf)}),
    ],
)  # fmt: skip
def test_a_price_question_that_contradicts_itself_is_refused_by_name(field, wrong):
    for ask in ASK:
        assert refused(lambda ask=ask: ask([question(), question(**wrong)][::-1])) == field


@given(
    st.floats(1e-9, 8e14), st.floats(0, 9e14), st.floats(0, 9e14), st.floats(-9e14, 9e14),
    st.floats(0, 9e14),
)  # fmt: skip
def test_prices_however_large_have_finite_answers(price, cost, daily, mean, error):
    asked = question(
        price=price, cost=cost, daily=daily, elasticity=Elasticity(mean=mean, error=error),
        lowest=price / 2, highest=price * 1.1,
    )  # fmt: skip
    for advice in (*best_prices([asked]), *explore_prices([asked], seed=1)):
        numbers = [advice.price, advice.gain, advice.low, advice.high, advice.error_then or 0.0]
        assert np.isfinite(numbers).all()
    for point in curve(asked, points=5, also=[price * 1.2]):
        assert np.isfinite([point.units, point.profit, point.low, point.high]).all()


def test_a_price_or_seed_that_is_none_is_refused():
    for bad in (0.0, -1.0, *ABSURD):
        assert refused(lambda bad=bad: curve(question(), also=[bad])) == "also"
    assert refused(lambda: explore_prices([question()], seed=-1)) == "seed"


@pytest.mark.parametrize("currency", ["", "Taler", "€UR", "eu", "???", "e u r"])
def test_an_unknown_currency_is_refused_of_money_and_open_on_a_page(currency):
    assert refused(lambda: Money.of(1, currency)) == "currency"
    assert page(currency=currency).currency in (None, "EUR")
    assert page(currency="Taler").currency is None


@pytest.mark.parametrize("field", ["prices", "units", "exposure", "competitors"])
@pytest.mark.parametrize("bad", [0.0, -3.0, 1e12, *ABSURD])
def test_absurd_days_leave_an_elasticity_finite(field, bad):
    days = {"prices": [10.0, 11.0] * 20, "units": [3.0, 2.0] * 20, "exposure": [1.0] * 40,
            "competitors": [9.0] * 40}  # fmt: skip
    days[field] = [*days[field][:-1], bad]
    (found,) = MODELS.elasticities([PriceHistory(**days)])
    assert -8 <= found.mean <= 0
    assert 0 < found.error < 2


def test_a_price_that_is_none_does_not_spoil_the_shops_pulse():
    units = {"good": [1, 2, 3], "bad": [4, 5, 6]}
    sound, spoilt = (
        price_histories(units, {"good": [10.0, 10.0, 11.0], "bad": [5.0, bad, 5.0]})[0].exposure
        for bad in (5.0, math.nan)
    )
    assert sound == spoilt


@pytest.mark.parametrize("prices", [{"unknown": [1.0, 2.0]}, {"good": [1.0]}, {"good": []}])
def test_prices_that_do_not_fit_the_units_are_refused(prices):
    assert refused(lambda: price_histories({"good": [1, 2]}, prices)) == "prices"


# --- little or nothing to learn from


def test_a_product_with_one_sale_is_nothing_special():
    sold = [0.0] * 50 + [1.0] + [0.0] * 20
    mean, error = MODELS.elasticity([10.0] * 40 + [11.0] * 31, sold)
    assert mean == pytest.approx(USUAL, abs=0.2)
    assert error > 0.8
    assert order_up_to(np.array([sold]), days=7, services=(0.9,)).max() <= 1
    assert rises(np.array([sold])).p.min() > 0.01
    assert not any(c.telling for c in causes({"x": Breakdown(names=["a", "b"], values=[sold] * 2)}))


def test_all_zeros_say_nothing():
    zeros = np.zeros((3, 60))
    assert MODELS.elasticity([10.0, 11.0] * 30, [0.0] * 60)[0] == USUAL
    assert order_up_to(zeros, days=7, services=(0.5, 0.99)).max() == 0
    assert rises(zeros).p.min() == 1
    assert not any(c.telling for c in causes({"x": Breakdown(names="abc", values=zeros)}))
    detector = Detector()
    assert max(detector.score(0.0) for _ in range(300)) < 1


def test_a_shop_with_no_history_has_answers_of_nothing():
    assert MODELS.forecast_many({}) == {}
    assert MODELS.demand([]).quantile(0.9, 7) == 0
    assert price_histories({}, {}) == []
    assert MODELS.best_prices([]) == []
    assert rises(np.zeros((0, 60))).p.size == 0
    assert causes({}) == []
    assert keywords([], []) == []
    assert order_up_to(np.zeros((0, 60)), days=7, services=(0.9,)).shape == (1, 0)
    assert plan_transfers([], []) == []
    assert allocate([], 100.0) == []
    assert DemandHistory.from_rows([], end=date(2026, 1, 1)).units.shape == (0, 0)


def test_duplicated_days_count_once_or_add_up():
    def at(hour, price):
        when = datetime(2026, 3, 2, hour, tzinfo=UTC)
        return PriceChange(sku="A", previous=None, price=Money.of(price, "EUR"), at=when)

    assert daily_prices([at(8, 9), at(8, 9), at(17, 11)], date(2026, 3, 1), 3) == [0, 11, 11]
    once = lines(items=4, count=40)
    twice = once.only(np.arange(40).repeat(2))
    assert train(twice).complete(["s1"], 3) == train(once).complete(["s1"], 3)


# --- a hundred thousand items


def lines(*, items, count):
    chance = np.random.default_rng(5)
    return Purchases(
        items=[f"s{n}" for n in range(items)],
        customer=chance.integers(0, 300, count),
        basket=np.arange(count) // 3,
        item=chance.integers(0, items, count),
        day=np.arange(count) // 30,
    )


def test_a_hundred_thousand_items_are_answered():
    assert len(best_prices([question()] * 100_000)) == 100_000
    assert len(explore_prices([question()] * 100_000, seed=1)) == 100_000
    units = np.random.default_rng(1).poisson(1.0, (100_000, 56)).astype(float)
    assert np.isfinite(order_up_to(units, days=7, services=(0.9,))).all()


def test_a_large_catalogue_with_few_sales_is_learned():
    sold = lines(items=100_000, count=1500)
    learned = train(sold)
    first = sold.items[int(sold.item[0])]
    partners = {sold.items[n] for n in sold.item[:3].tolist()} - {first}
    assert partners <= {each.sku for each in learned.complete([first], 3)}


# --- pages


def html(currency="EUR", head=""):
    return (
        f"<html><head>{head}<title>Käse</title></head><body><h1>Käse</h1>"
        '<div itemscope itemtype="http://schema.org/Product"><p itemprop="name">Käse</p>'
        '<div itemprop="offers" itemscope itemtype="http://schema.org/Offer">'
        f'<p itemprop="price">12.50</p><meta itemprop="priceCurrency" content="{currency}">'
        "</div></div></body></html>"
    )


def page(content=None, charset=None, **given):
    found = product_page(
        html(**given).encode() if content is None else content, "https://a.example/k", charset
    )
    assert found is not None
    return found


CODECS = ["hex", "zlib", "bz2", "rot13", "base64", "idna", "punycode", "undefined", "mbcs"]


@pytest.mark.parametrize("charset", [*CODECS, "\x00", "x" * 10_000, "utf-8\r\nX: y"])
def test_an_encoding_that_is_none_of_text_is_passed_over(charset):
    for found in (page(charset=charset), page(head=f'<meta charset="{charset}">')):
        assert (found.name, found.price) == ("Käse", Decimal("12.50"))
    assert article(html().encode(), "https://a.example/k", charset) is not None


@pytest.mark.parametrize(
    "content",
    [
        html().encode("cp1252"), html().encode("utf-16")[:-3], html().encode("utf-32"),
        html().encode() + b"\xed\xa0\x80\xff\xfe\x80",
    ],
    ids=["cp1252", "torn utf-16", "utf-32", "broken utf-8"],
)  # fmt: skip
def test_bytes_in_another_encoding_than_said_still_have_their_price(content):
    assert page(content, "utf-8").price == Decimal("12.50")


@pytest.mark.parametrize("charset", CODECS)
def test_a_feed_in_no_encoding_of_text_is_read_or_refused(charset):
    text = f'<?xml version="1.0" encoding="{charset}"?><rss version="2.0"><channel><title>x</title>'
    with suppress(InvalidInput):
        assert feed((text + "<item><title>Brie</title></item></channel></rss>").encode()).entries


def test_an_address_that_is_none_is_refused():
    for read in (product_page, article):
        assert refused(lambda read=read: read(html().encode(), "http://[::1")) == "url"
