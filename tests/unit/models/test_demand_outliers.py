"""One day far above all others does not make a forecast."""

from datetime import date

import numpy as np
import pytest

from storecrew.models.demand import DemandHistory, simple_forecasts
from storecrew.models.demand.baseline import forecast
from storecrew.models.demand.outliers import without_outliers

FIRST = date(2026, 1, 1)
USUAL = np.random.default_rng(7).poisson(4, (20, 84)).astype(float)


def daily(units: np.ndarray) -> float:
    history = DemandHistory(first=FIRST, series=[str(n) for n in range(len(units))], units=units)
    return float(simple_forecasts(history).mean[0].mean())


def baseline(units: np.ndarray) -> float:
    return forecast({str(n): row.astype(int).tolist() for n, row in enumerate(units)})["0"].daily


@pytest.mark.parametrize("model", [daily, baseline])
@pytest.mark.parametrize("day", [0, 40, 83])
def test_a_single_huge_day_moves_a_forecast_little(model, day):
    odd = USUAL.copy()
    odd[0, day] = 80_000
    assert model(odd) < 3 * model(USUAL)


@pytest.mark.parametrize("model", [daily, baseline])
def test_a_single_huge_sale_of_a_new_product_is_no_demand_of_every_day(model):
    odd = USUAL.copy()
    odd[0] = 0
    odd[0, 80] = 80_000
    assert model(odd) < 20


def test_what_is_no_outlier_stays_as_it_is():
    for units in (USUAL, USUAL * 1000, np.zeros((3, 9)), np.ones((1, 1)), np.eye(30) * 15):
        assert (without_outliers(units) == units).all()
