"""The margin floor: the lowest price that leaves its margin."""

import math
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import floor_price

costs = st.integers(0, 10**8).map(lambda minor: Money.from_minor(minor, "EUR"))
margins = st.decimals(0, Decimal("0.95"), places=4)


@given(costs, costs, margins)
def test_a_higher_cost_never_means_a_lower_floor(one, other, margin):
    low, high = sorted((one, other))
    assert low <= floor_price(low, margin) <= floor_price(high, margin)


@given(costs, margins, margins)
def test_a_higher_margin_never_means_a_lower_floor(cost, one, other):
    low, high = sorted((one, other))
    assert floor_price(cost, low) <= floor_price(cost, high)


@given(costs, margins)
def test_the_floor_rounded_up_leaves_the_margin_and_a_minor_unit_less_does_not(cost, margin):
    lowest = floor_price(cost, margin).rounded_up()
    assert lowest == lowest.rounded()
    assert lowest.amount * (1 - margin) >= cost.amount
    assert (lowest.amount - Decimal("0.01")) * (1 - margin) < cost.amount


def test_a_margin_is_read_as_it_is_written():
    assert floor_price(Money.of(9, "EUR"), 0.1) == Money.of(10, "EUR")
    assert floor_price(Money.of(9, "JPY"), Decimal("0.2")).rounded_up() == Money.of(12, "JPY")


@pytest.mark.parametrize("margin", [1, -0.1, math.nan, Decimal("1.5")])
def test_a_margin_that_is_no_share_is_refused(margin):
    with pytest.raises(InvalidInput):
        floor_price(Money.of(1, "EUR"), margin)
