"""The models hold what the agents rely on, whatever the numbers."""

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import Elasticity, PriceHistory, PriceQuery, ReplenishmentQuery
from storecrew.models import basic_models, gamma
from storecrew.models.pricing import markup_price

MODELS = basic_models()
units = st.lists(st.integers(0, 200), max_size=120)
shares = st.sampled_from([0.05, 0.1, 0.5, 0.8, 0.9, 0.95, 0.99])


@pytest.mark.parametrize(
    ("q", "shape", "exact"),
    [(0.5, 1.0, math.log(2)), (0.95, 1.0, -math.log(0.05)), (0.9, 4.0, 1.670193)],
)
def test_gamma_quantiles_are_those_of_the_tables(q: float, shape: float, exact: float) -> None:
    assert gamma.quantile(q, 1.0, shape**-0.5) == pytest.approx(exact, rel=2e-3)


def test_a_narrow_gamma_is_nearly_normal() -> None:
    assert gamma.quantile(0.95, 100, 0.01) == pytest.approx(
        100 + NormalDist().inv_cdf(0.95), rel=1e-3
    )


@given(units, shares, shares, st.floats(0, 60))
def test_quantiles_are_ordered_and_never_negative(
    sold: list[int], one: float, other: float, days: float
) -> None:
    forecast = MODELS.demand(sold)
    low, high = sorted((one, other))
    assert 0 <= forecast.quantile(low, days) <= forecast.quantile(high, days) < math.inf
    assert 0 <= forecast.daily <= max(sold, default=0)


@given(units, shares, st.floats(0, 60), st.floats(0, 60))
def test_a_longer_wait_never_needs_less_stock(
    sold: list[int], service: float, one: float, other: float
) -> None:
    forecast = MODELS.demand(sold)
    short, long = (
        MODELS.replenishment_policy(forecast, ReplenishmentQuery(lead_days=lead, service=service))
        for lead in sorted((one, other))
    )
    assert short.reorder_point <= long.reorder_point
    assert short.order_up_to <= long.order_up_to


def test_nothing_sold_needs_nothing() -> None:
    for sold in ([], [0], [0] * 400):
        forecast = MODELS.demand(sold)
        assert forecast.daily == forecast.quantile(0.99, 30) == 0
        assert (
            MODELS.replenishment_policy(forecast, ReplenishmentQuery(lead_days=7)).quantity(0) == 0
        )


def test_one_sale_yesterday_is_no_bestseller() -> None:
    assert MODELS.demand([0] * 89 + [1]).daily < 0.1


def test_a_young_product_is_judged_from_its_first_sale() -> None:
    history = {"old": [2] * 100, "young": [0] * 80 + [3] * 20}
    assert MODELS.forecast_many(history)["young"].daily == pytest.approx(3, rel=0.01)


def test_a_recent_rise_shows_in_the_level() -> None:
    assert 3 < MODELS.demand([1] * 90 + [4] * 28).daily < 4


@given(st.integers(-50, 50), st.integers(1, 12))
def test_purchases_are_whole_packs_that_reach_the_level(position: int, pack: int) -> None:
    advice = MODELS.replenishment_policy(
        MODELS.demand([3, 0, 5, 2] * 20), ReplenishmentQuery(lead_days=5, pack_size=pack)
    )
    quantity = advice.quantity(position)
    assert quantity % pack == 0
    if position <= advice.reorder_point:
        assert advice.order_up_to <= position + quantity < advice.order_up_to + pack
    else:
        assert quantity == 0


@pytest.mark.parametrize(
    "terms",
    [{"service": 1.0}, {"service": 0.0}, {"pack_size": 0}, {"lead_sd": -1.0}],
)
def test_impossible_terms_of_purchase_are_refused(terms: dict[str, float]) -> None:
    with pytest.raises(InvalidInput):
        MODELS.replenishment_policy(
            MODELS.demand([1]), ReplenishmentQuery(**({"lead_days": 3} | terms))
        )  # type: ignore[arg-type]


def test_without_price_changes_the_usual_elasticity_is_assumed() -> None:
    mean, error = MODELS.elasticity([10.0] * 30, [1.0] * 30)
    assert mean == -2.2
    assert error > 0.8


def test_many_products_together_reveal_the_shops_elasticity() -> None:
    rng = np.random.default_rng(5)
    histories = []
    for number in range(120):
        prices = [10.0] * 40 + [11.0 if number % 2 else 9.0] * 40
        sold = [float(rng.poisson(3 * (p / 10) ** -3.0)) for p in prices]
        histories.append(PriceHistory(prices=prices, units=sold))
    found = MODELS.elasticities(histories)
    assert np.mean([each.mean for each in found]) == pytest.approx(-3, abs=0.4)
    assert all(each.error < 0.75 for each in found)


def test_a_busy_season_is_not_taken_for_an_answer_to_the_price() -> None:
    prices, busy = [10.0] * 30 + [11.0] * 30, [1.0] * 30 + [2.0] * 30
    sold = [4.0 * b * (p / 10) ** -2.2 for p, b in zip(prices, busy, strict=True)]
    plain = MODELS.elasticities([PriceHistory(prices=prices, units=sold)])[0]
    aware = MODELS.elasticities([PriceHistory(prices=prices, units=sold, exposure=busy)])[0]
    assert aware.mean == pytest.approx(-2.2, abs=0.05)
    assert plain.mean > aware.mean


def test_an_empty_shelf_is_not_taken_for_an_answer_to_the_price() -> None:
    prices = [10.0] * 40 + [10.5] * 40
    sold = [3.0] * 20 + [0.0] * 20 + [3.0] * 40
    assert MODELS.elasticity(prices, sold)[0] == pytest.approx(-2.2, abs=0.1)


@pytest.mark.parametrize("bad", [0.0, -3.0, math.nan, math.inf])
def test_days_with_an_impossible_price_teach_nothing(bad: float) -> None:
    assert MODELS.elasticity([10.0, bad, 10.0], [1.0, 500.0, 1.0])[0] == -2.2


def test_series_of_different_length_are_refused() -> None:
    with pytest.raises(InvalidInput):
        MODELS.elasticity([10.0, 10.0], [1.0])


def question(
    price: float = 10,
    cost: float = 5,
    mean: float = -2,
    lowest: float = 1,
    highest: float = 100,
    error: float = 0.5,
) -> PriceQuery:
    return PriceQuery(
        price=price,
        cost=cost,
        daily=1,
        elasticity=Elasticity(mean=mean, error=error),
        lowest=lowest,
        highest=highest,
    )


def test_the_best_price_follows_lerners_rule() -> None:
    assert markup_price(5, -2) == 10
    assert markup_price(5, -0.5) == math.inf
    sure = question(price=8, cost=6, mean=-3, error=0)
    assert MODELS.best_prices([sure])[0].price == pytest.approx(9)


def test_doubt_about_the_elasticity_makes_moves_smaller_and_in_the_end_stops_them() -> None:
    moves = [
        MODELS.best_prices([question(price=8, cost=6, mean=-3, error=error)])[0].price
        for error in (0, 0.5, 1, 3)
    ]
    assert moves == sorted(moves, reverse=True)
    assert moves[-1] == 8


@given(
    st.floats(0.01, 1e4),
    st.floats(0.01, 1e4),
    st.floats(-6, 0),
    st.floats(0.01, 1),
    st.floats(1, 5),
)
def test_the_best_price_stays_within_its_bounds_and_never_loses(
    price: float, cost: float, mean: float, down: float, up: float
) -> None:
    asked = question(price, cost, mean, price * down, price * up)
    advice = MODELS.best_prices([asked])[0]
    assert asked.lowest <= advice.price <= asked.highest
    assert advice.gain >= -1e-6 * max(price, cost)
    assert advice.low <= advice.high


@given(st.floats(1, 100), st.floats(1, 100), st.floats(-6, -1.05))
def test_a_higher_cost_never_means_a_lower_price(one: float, other: float, mean: float) -> None:
    low, high = sorted((one, other))
    cheap, dear = MODELS.best_prices(
        [question(cost=low, mean=mean), question(cost=high, mean=mean)]
    )
    assert cheap.price <= dear.price


def test_an_impossible_price_question_is_refused() -> None:
    for bad in (question(price=0), question(lowest=3, highest=2), question(cost=math.nan)):
        with pytest.raises(InvalidInput):
            MODELS.best_prices([bad])
    assert list(MODELS.best_prices([])) == []
