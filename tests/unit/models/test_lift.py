"""Lift: the intervals are the published ones, hold the truth as often as they say, and are fair."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.lift import NormalBelief, lift, mean_difference, rate_difference, relative


def test_newcombes_own_example():
    found = rate_difference(56, 70, 48, 80, level=0.95)
    assert (found.low, found.mean, found.high) == pytest.approx((0.0524, 0.2, 0.3339), abs=1e-4)
    none = rate_difference(0, 10, 0, 20, level=0.95)
    assert (none.low, none.high) == pytest.approx((-0.1611, 0.2775), abs=1e-4)


def test_welchs_interval_is_scipys():
    from scipy import stats

    chance = np.random.default_rng(1)
    one, two = chance.gamma(2, 3, 40), chance.gamma(2, 4, 15)
    found = mean_difference(one.tolist(), two.tolist(), level=0.9)
    peer = stats.ttest_ind(one, two, equal_var=False).confidence_interval(0.9)
    assert (found.low, found.high) == pytest.approx((peer.low, peer.high))


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    chance = np.random.default_rng(2)
    held = []
    for _ in range(400):
        ours = np.where(chance.random(400) < 0.10, chance.gamma(2, 20, 400), 0.0)
        others = np.where(chance.random(80) < 0.06, chance.gamma(2, 20, 80), 0.0)
        found = lift(ours, others)
        held.append(found.rate_lift.low <= 0.04 <= found.rate_lift.high)
    assert 0.86 <= np.mean(held) <= 0.95


def test_what_a_campaign_brought():
    found = lift([30.0] * 20 + [0.0] * 80, [30.0] * 2 + [0.0] * 18)
    assert (found.rate, found.rate_holdout) == (0.2, 0.1)
    assert found.rate_lift.mean == pytest.approx(0.1)
    assert found.value_lift.mean == pytest.approx(3.0)
    assert found.sold == pytest.approx(300)
    assert not found.loses
    share, error = relative(found)
    assert share == pytest.approx(1.0)
    assert error > 0


def test_harm_is_seen():
    assert lift([0.0] * 400, [20.0] * 30 + [0.0] * 70).loses
    assert not lift([0.0] * 10, [20.0] + [0.0] * 9).loses


def test_what_nobody_bought_has_no_share():
    assert math.isnan(relative(lift([1.0, 0.0], [0.0, 0.0]))[0])


def test_a_belief_moves_towards_what_was_seen_by_how_sure_it_is():
    prior = NormalBelief(mean=0.15, sd=0.15)
    after = prior.with_seen(-0.3, 0.05)
    assert after.mean == pytest.approx((0.15 / 0.0225 - 0.3 / 0.0025) / (1 / 0.0225 + 1 / 0.0025))
    assert after.sd < 0.05
    assert prior.with_seen(math.nan, math.nan) == prior
    assert prior.bound(0.5) == pytest.approx(0.15)


@given(
    st.integers(0, 50), st.integers(1, 50), st.integers(0, 50), st.integers(1, 50),
    st.floats(0.5, 0.99),
)  # fmt: skip
def test_a_difference_lies_in_its_interval(a, n, b, m, level):
    found = rate_difference(min(a, n), n, min(b, m), m, level=level)
    assert -1 <= found.low <= found.mean <= found.high <= 1
    turned = rate_difference(min(b, m), m, min(a, n), n, level=level)
    assert turned.low == pytest.approx(-found.high)


@pytest.mark.parametrize(
    ("ours", "others"), [([], [1.0]), ([1.0], []), ([math.nan], [1.0]), ([-1.0], [1.0])]
)
def test_groups_that_are_none_are_refused(ours, others):
    with pytest.raises(InvalidInput):
        lift(ours, others)


def test_of_one_customer_nothing_is_known():
    found = mean_difference([1.0], [0.0, 2.0])
    assert (found.low, found.high) == (-math.inf, math.inf)
    assert mean_difference([1.0, 1.0], [1.0, 1.0]).high == 0
    with pytest.raises(InvalidInput):
        rate_difference(3, 2, 0, 1)
    with pytest.raises(InvalidInput):
        rate_difference(1, 2, 0, 1, level=1)
    with pytest.raises(InvalidInput):
        mean_difference([], [1.0])
