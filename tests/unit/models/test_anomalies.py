"""Anomalies: what is usual stays quiet, what is not is seen, nothing is foreseen."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.anomalies import ALERT, Detector
from storecrew.models.serialization import pack, unpack


def noise(count: int, *, seed: int = 1, level: float = 100.0, spread: float = 5.0) -> list[float]:
    chance = random.Random(seed)
    return [chance.gauss(level, spread) for _ in range(count)]


def scores(values) -> list[float]:
    detector = Detector()
    return [detector.score(value) for value in values]


def alerts(values) -> list[int]:
    return [n for n, score in enumerate(scores(values)) if score >= ALERT]


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_quiet(seed):
    assert len(alerts(noise(5000, seed=seed))) <= 2


def test_a_week_that_repeats_itself_is_quiet():
    days = [100 + 50 * math.sin(n / 144 * math.tau) + x for n, x in enumerate(noise(4000))]
    assert len(alerts(days)) <= 2


@pytest.mark.parametrize("size", [60.0, -60.0])
def test_a_spike_is_seen_at_once(size):
    values = noise(1000)
    values[700] += size
    assert 700 in alerts(values)


def test_a_shift_is_seen_soon_and_told_once():
    values = noise(1000) + noise(1000, seed=2, level=130.0)
    found = [n for n in alerts(values) if n >= 1000]
    assert 1 <= len(found) <= 3
    assert found[0] < 1012


def test_what_stood_still_and_moves_is_seen():
    assert 500 in alerts([7.0] * 500 + [9.0] + [7.0] * 10)


def test_a_series_that_never_moves_says_nothing():
    assert scores([3.0] * 500) == [0.0] * 500


def test_nothing_is_said_before_there_is_something_to_compare_with():
    values = noise(100)
    values[50] = 1e6
    assert scores(values) == [0.0] * 100


def test_no_score_rests_on_what_comes_later():
    values = noise(600)
    changed = values[:400] + [x * 10 for x in values[400:]]
    assert scores(values)[:400] == scores(changed)[:400]


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_does_not_matter(scale):
    values = noise(400)
    values[300] = 200.0
    assert scores([x * scale for x in values]) == pytest.approx(scores(values), abs=1e-3)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e200])
def test_what_is_no_number_is_refused_and_forgotten(value):
    values = noise(300)
    detector = Detector()
    first = [detector.score(x) for x in values[:200]]
    with pytest.raises(InvalidInput, match="value"):
        detector.score(value)
    assert first + [detector.score(x) for x in values[200:]] == scores(values)


@given(st.lists(st.floats(-1e100, 1e100), max_size=150))
def test_any_numbers_give_finite_scores_of_zero_or_more(values):
    assert all(math.isfinite(score) and score >= 0 for score in scores(values))


@pytest.mark.parametrize("at", [0, 1, 50, 150, 700])
def test_a_restart_changes_no_score(at):
    values = noise(900)
    values[600] = 300.0
    first = Detector()
    before = [first.score(x) for x in values[:at]]
    second = Detector.restore(unpack(pack(first.state())))
    assert before + [second.score(x) for x in values[at:]] == scores(values)


@pytest.mark.parametrize("name", ["seen", "numbers", "views", "counts", "ring", "sums"])
def test_a_state_that_is_none_is_refused(name):
    detector = Detector()
    for value in noise(300):
        detector.score(value)
    good = detector.state()
    for wrong in (None, np.zeros(7), np.full_like(good[name], math.nan, dtype=float)):
        with pytest.raises(InvalidInput, match=name):
            Detector.restore({k: v for k, v in {**good, name: wrong}.items() if v is not None})
