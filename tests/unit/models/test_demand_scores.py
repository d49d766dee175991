"""The measures are those of the books, and never divide by nothing."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models import metrics

HISTORY = np.array([[0.0, 0.0, 2.0, 0.0, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0]])


def test_pinball_costs_more_on_the_side_of_its_level() -> None:
    assert metrics.pinball(np.array([10.0]), np.array([8.0]), 0.9) == pytest.approx(1.8)
    assert metrics.pinball(np.array([8.0]), np.array([10.0]), 0.9) == pytest.approx(0.2)
    with pytest.raises(InvalidInput):
        metrics.pinball(np.zeros(1), np.zeros(1), 1.0)


def test_steps_are_counted_from_the_first_sale() -> None:
    assert metrics.absolute_step(HISTORY).tolist() == [3.0, 0.0]
    assert metrics.squared_step(HISTORY).tolist() == [10.0, 0.0]
    assert np.isnan(metrics.absolute_step(np.zeros((1, 9)))).all()
    assert np.isnan(metrics.absolute_step(np.ones((1, 1)))).all()


def test_scaled_measures_are_those_over_the_step() -> None:
    actual, forecast = np.array([[3.0, 5.0]]), np.array([[4.0, 4.0]])
    assert metrics.scaled_pinball(actual, forecast, 0.5, HISTORY[:1]) == pytest.approx(1 / 6)
    assert metrics.rmsse(actual, forecast, HISTORY[:1]) == pytest.approx(np.sqrt(0.1))


def test_a_series_that_never_moved_has_no_scaled_measure() -> None:
    still = HISTORY[1:]
    assert np.isnan(metrics.scaled_pinball(np.ones((1, 2)), np.zeros((1, 2)), 0.5, still)).all()
    assert np.isnan(metrics.rmsse(np.ones((1, 2)), np.zeros((1, 2)), still)).all()


def test_totals_are_over_everything() -> None:
    actual, forecast = np.array([[1.0, 3.0]]), np.array([[2.0, 1.0]])
    assert metrics.wape(actual, forecast) == 0.75
    assert metrics.bias(actual, forecast) == -0.25
    assert metrics.coverage(actual, forecast) == 0.5
    assert np.isnan(metrics.wape(np.zeros(2), np.ones(2)))
    assert np.isnan(metrics.coverage(np.zeros(0), np.zeros(0)))


def test_series_without_a_value_weigh_nothing() -> None:
    assert metrics.weighted(np.array([1.0, np.nan, 3.0]), np.array([1.0, 5.0, 1.0])) == 2.0
    assert np.isnan(metrics.weighted(np.array([np.nan]), np.array([1.0])))


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.floats(0.01, 0.99))
def test_no_loss_is_negative(actual: float, forecast: float, level: float) -> None:
    assert metrics.pinball(np.array([actual]), np.array([forecast]), level) >= 0
