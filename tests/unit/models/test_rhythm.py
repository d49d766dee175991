"""Hourly numbers of a shop: faults are seen within hours, a quiet shop stays quiet."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.seasonal_baseline import ALERT, SeasonalBaseline
from storecrew.models.serialization import pack, unpack

CLOCK = np.array([*[0.1] * 7, 1, 1.5, 2, 2.2, 2.2, 2, 2, 2, 2.2, 2.5, 3, 3.4, 3.4, 3, 2, 1, 0.5])
SHAPE = np.outer([1, 0.9, 0.9, 1, 1.1, 1.3, 0.7], CLOCK / CLOCK.sum()).ravel()
HOURS = 24 * 70


def orders(seed: int, *, a_day: float = 300.0, fault: float = 1.0, since: int = 24 * 56):
    rates = np.tile(SHAPE * a_day, HOURS // SHAPE.size + 1)[:HOURS].copy()
    rates[since:] *= fault
    return np.random.default_rng(seed).poisson(rates).astype(float)


def alerts(values) -> list[int]:
    rhythm = SeasonalBaseline()
    return [n for n, x in enumerate(values.tolist()) if rhythm.score(x, n) >= ALERT]


def test_a_quiet_shop_stays_quiet_through_night_and_weekend():
    assert sum(len(alerts(orders(seed))) for seed in range(8)) <= 2


@pytest.mark.parametrize(
    ("a_day", "fault", "within"),
    [(300, 0.5, 24), (300, 0.0, 14), (300, 2.0, 24), (30, 0.3, 60), (30, 3.0, 36), (3, 6.0, 60)],
)
def test_r139_anomaly_detects_injected_fault(a_day, fault, within):
    delays = []
    for seed in range(5):
        found = [n for n in alerts(orders(seed, a_day=a_day, fault=fault)) if n >= 24 * 56]
        delays.append(found[0] - 24 * 56 if found else math.inf)
    assert np.median(delays) <= within


def test_slow_requests_are_seen_though_they_are_no_counts():
    chance = np.random.default_rng(1)
    millis = chance.lognormal(math.log(120), 0.2, HOURS)
    millis[24 * 56 :] *= 1.8
    found = [n for n in alerts(millis) if n >= 24 * 56]
    assert found
    assert found[0] < 24 * 56 + 12


def test_a_busier_month_is_no_anomaly():
    slow = orders(2) * 0 + np.random.default_rng(2).poisson(
        np.tile(SHAPE * 300, 10)[:HOURS] * np.linspace(1, 1.8, HOURS)
    )
    assert len(alerts(slow)) <= 1


def test_one_fault_is_told_once_a_day_at_most():
    found = alerts(orders(3, fault=0.1))
    assert all(later - former >= 24 for former, later in pairwise(found))


def test_no_score_rests_on_what_comes_later():
    values = orders(4)
    changed = np.concatenate([values[:900], values[900:] * 9])
    one, other = SeasonalBaseline(), SeasonalBaseline()
    assert [one.score(x, n) for n, x in enumerate(values[:900].tolist())] == [
        other.score(x, n) for n, x in enumerate(changed[:900].tolist())
    ]


@pytest.mark.parametrize("scale", [1e-3, 1e6])
def test_the_unit_does_not_matter(scale):
    assert alerts(orders(5, fault=0.2) * scale) == alerts(orders(5, fault=0.2))


@pytest.mark.parametrize("at", [0, 10, 400, 1400])
def test_a_restart_changes_no_score(at):
    values = orders(6, fault=0.5).tolist()
    whole, first = SeasonalBaseline(between=500), SeasonalBaseline(between=500)
    expected = [whole.score(x, n) for n, x in enumerate(values)]
    before = [first.score(x, n) for n, x in enumerate(values[:at])]
    second = SeasonalBaseline.restore(unpack(pack(first.state())))
    assert before + [second.score(x, n) for n, x in enumerate(values) if n >= at] == expected


@pytest.mark.parametrize("name", ["numbers", "hours", "days"])
def test_a_state_that_is_none_is_refused(name):
    good = SeasonalBaseline().state()
    for wrong in (
        None,
        np.zeros(3),
        np.full(good[name].shape, math.nan),
        -np.ones_like(good[name]),
    ):
        with pytest.raises(InvalidInput, match=name):
            SeasonalBaseline.restore(
                {k: v for k, v in {**good, name: wrong}.items() if v is not None}
            )


@pytest.mark.parametrize("value", [math.nan, math.inf, -1.0, 1e101])
def test_what_is_no_number_is_refused_and_forgotten(value):
    one, other = SeasonalBaseline(), SeasonalBaseline()
    for n, x in enumerate(orders(7)[:600].tolist()):
        if n == 500:
            with pytest.raises(InvalidInput):
                one.score(value, n)
        assert one.score(x, n) == other.score(x, n)
    with pytest.raises(InvalidInput):
        SeasonalBaseline(between=1)


@given(st.lists(st.floats(0, 1e100), min_size=30, max_size=60))
def test_any_numbers_give_finite_scores(values):
    rhythm = SeasonalBaseline()
    for n in range(400):
        assert math.isfinite(rhythm.score(values[n % len(values)], n))
        assert math.isfinite(rhythm.expected(n))


def test_a_metric_that_is_always_zero_or_the_same_says_nothing():
    assert alerts(np.zeros(HOURS)) == []
    assert alerts(np.full(HOURS, 7.0)) == []
