"""Demand from today on: fresh learning first, sales else, and promotions as more days of both."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.ports.models import Elasticity
from storecrew.domain.shop.promotions import Discount
from storecrew.models.basic import BasicModels
from storecrew.models.demand import GammaDemand
from storecrew.models.promotion_forecast import PromotedDemand, Promotion, outlook, uplift
from storecrew.models.recommendation import count_cooccurrences

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LEARNED = GammaDemand(daily=5.0, variance=9.0, days=100, basis="learned")


class Knowing(BasicModels):
    """Has learned one product's demand and elasticity."""

    def forecast_of(self, sku, day, warehouse=None):
        return LEARNED if sku == "known" else None

    def learned_elasticity(self, sku):
        return Elasticity(mean=-1.0, error=0.1) if sku == "known" else None


def discount(sku="known", percent=20, starts=0.0, ends=7.0, customers=()):
    return Discount(
        code="X",
        percent=Decimal(percent),
        skus=(sku,),
        customers=customers,
        starts_at=NOW + timedelta(days=starts),
        ends_at=NOW + timedelta(days=ends),
    )


UNITS = {"known": [1] * 56, "other": [2] * 56}


def test_what_is_learned_goes_before_sales():
    found = outlook(Knowing(), UNITS, now=NOW)
    assert found["known"] is LEARNED
    assert found["other"].daily == pytest.approx(2, rel=0.1)


def test_a_promotion_is_as_more_days_of_the_usual_demand():
    found = outlook(Knowing(), UNITS, now=NOW, discounts=[discount(starts=2, ends=9)])["known"]
    assert isinstance(found, PromotedDemand)
    more = 0.8**-1.0 - 1
    assert found.quantile(0.9, 14) == pytest.approx(LEARNED.quantile(0.9, 14 + 7 * more))
    assert found.quantile(0.5, 1) == LEARNED.quantile(0.5, 1)  # it begins later
    assert found.daily == pytest.approx(5 * (21 + 7 * more) / 21)
    assert "1.25 times as much" in found.basis


@pytest.mark.parametrize(
    "nothing", [discount(customers=("C1",)), discount(ends=-1), discount(sku="unsold")]
)
def test_codes_of_single_customers_and_those_that_are_over_change_nothing(nothing):
    assert outlook(Knowing(), UNITS, now=NOW, discounts=[nothing])["known"] is LEARNED


def test_of_two_promotions_the_larger_counts():
    found = outlook(Knowing(), UNITS, now=NOW, discounts=[discount(), discount(percent=40)])
    known = found["known"]
    assert isinstance(known, PromotedDemand)
    assert known.promotions[0].uplift == pytest.approx(1 / 0.6)


def test_no_promotion_is_believed_to_sell_without_end():
    assert uplift(BasicModels(), "x", 90) == 4.0
    assert uplift(BasicModels(), "x", 0) == 1.0
    assert uplift(BasicModels(), "x", -5) == 1.0
    assert uplift(Knowing(), "known", 50) == pytest.approx(2.0)


@given(
    st.floats(-5, 30), st.floats(0, 30), st.floats(1, 4), st.floats(0, 60), st.floats(0.01, 0.99)
)
def test_promoted_demand_grows_with_days_and_is_never_less_than_usual(begins, length, up, days, q):
    promotion = Promotion(begins=begins, ends=begins + length, uplift=up)
    found = PromotedDemand(usual=LEARNED, promotions=(promotion,))
    assert found.quantile(q, days) >= LEARNED.quantile(q, days)
    assert found.quantile(q, days + 1) >= found.quantile(q, days)


def test_pairs_are_counted_beyond_chance():
    baskets = [["a", "b", "a"]] * 10 + [["a"]] * 5 + [["c"]] * 20 + [["c", "b"]] * 4 + [[]]
    found = count_cooccurrences(baskets, days=90)
    assert found.orders == 39
    (pair,) = found.proven(10)
    assert (pair.skus, pair.together, pair.days) == (("a", "b"), 10, 90)
    assert pair.lift == pytest.approx(10 * 39 / (15 * 14))
    (partner,) = found.partners("b", 3)
    assert (partner.sku, partner.reason) == ("a", "bought together with b 10 times")
    assert found.partners("c", 3) == []
    assert count_cooccurrences([], days=90).proven(5) == []
