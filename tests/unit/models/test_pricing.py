"""Prices: answers are learned, moves keep their bounds, exploring pays or stops."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.models import Elasticity, PriceHistory, PriceQuery
from storecrew.models.elasticity import USUAL, elasticities
from storecrew.models.pricing import best_prices, curve, explore_prices

costs = st.floats(0, 1e6)
margins = st.floats(0, 0.95)


def question(**given) -> PriceQuery:
    usual = {
        "price": 10.0, "cost": 5.0, "daily": 3.0, "elasticity": Elasticity(mean=-2.4, error=0.3),
        "lowest": 8.0, "highest": 12.0,
    }  # fmt: skip
    return PriceQuery(**usual | given)


def market(
    seed: int, *, products: int = 40, days: int = 168, level: float = 8.0, season: float = 0.0
):
    """Products of known elasticity whose prices move at random each week."""
    chance = np.random.default_rng(seed)
    truth = chance.normal(-2.4, 0.4, products)
    week = np.repeat(1 + 0.1 * chance.choice([-1, 1], (products, days // 7)), 7, axis=1)
    wave = 1 + season * np.sin(np.arange(days) / days * 2 * math.pi)
    units = chance.poisson(level * wave * week ** truth[:, None])
    return truth, [
        PriceHistory(prices=(10 * p).tolist(), units=u.tolist())
        for p, u in zip(week, units, strict=True)
    ]


def off(found, truth):
    return np.array([each.mean for each in found]) - truth


@pytest.mark.parametrize("season", [0.0, 0.6])
def test_elasticities_are_learned_through_a_season(season):
    truth, histories = market(1, season=season)
    found = elasticities(histories)
    assert abs(off(found, truth).mean()) < 0.15
    assert np.sqrt((off(found, truth) ** 2).mean()) < 0.4


def test_eight_in_ten_truths_lie_within_the_interval():
    inside = []
    for seed in range(4):
        truth, histories = market(seed)
        found = elasticities(histories)
        inside += [abs(f.mean - t) <= 1.2816 * f.error for f, t in zip(found, truth, strict=True)]
    assert 0.7 <= np.mean(inside) <= 0.97


def test_more_sales_make_an_answer_surer():
    errors = [np.mean([e.error for e in elasticities(market(2, level=x)[1])]) for x in (0.3, 3, 30)]
    assert errors[0] > errors[1] > errors[2]


def test_rivals_moves_are_not_taken_for_our_own():
    chance = np.random.default_rng(3)
    rival = np.repeat(10 * (1 + 0.2 * chance.choice([-1, 1], (30, 24))), 7, axis=1)
    ours = rival * np.repeat(1 + 0.05 * chance.choice([-1, 1], (30, 24)), 7, axis=1)
    units = chance.poisson(20 * (ours / 10) ** -2.4 * (rival / 10) ** 0.9)
    both, alone = (
        elasticities(
            [
                PriceHistory(prices=p, units=u, competitors=r if with_rivals else None)
                for p, u, r in zip(ours.tolist(), units.tolist(), rival.tolist(), strict=True)
            ]
        )
        for with_rivals in (True, False)
    )
    truth = np.full(30, -2.4)
    assert abs(off(both, truth).mean()) < 0.25 < abs(off(alone, truth).mean())


def test_what_never_moved_has_the_usual_answer_and_doubt():
    (found,) = elasticities([PriceHistory(prices=[10.0] * 50, units=[3.0] * 50)])
    assert found.mean == USUAL
    assert found.error > 0.9
    assert elasticities([]) == []


@pytest.mark.parametrize(
    "history",
    [
        PriceHistory(prices=[10.0, 11.0], units=[1.0, 0.0]),
        PriceHistory(prices=[0.0, -5.0, math.nan, 1e300], units=[1.0, 2.0, 3.0, 4.0]),
        PriceHistory(prices=[1e-9, 1e9] * 30, units=[0.0, 1e9] * 30),
        PriceHistory(prices=[10.0, 11.0], units=[math.nan, -1.0]),
        PriceHistory(prices=[10.0, 11.0] * 9, units=[1.0] * 18, competitors=[math.inf, -1.0] * 9),
        PriceHistory(prices=[], units=[]),
    ],
)
def test_odd_histories_give_a_finite_answer(history):
    for found in elasticities([history, market(1, products=1)[1][0]]):
        assert math.isfinite(found.mean)
        assert 0 < found.error < 10


def test_histories_of_unequal_length_are_refused():
    for short in ({"units": [1.0]}, {"exposure": [1.0]}, {"competitors": [1.0]}):
        with pytest.raises(InvalidInput):
            elasticities([PriceHistory(**{"prices": [1.0, 2.0], "units": [1.0, 2.0]} | short)])


@given(
    st.floats(0.01, 1e5), st.floats(0, 1e5), st.floats(0, 1e4), st.floats(-8, 0), st.floats(0, 3),
    st.floats(0.5, 1), st.floats(1, 2), st.integers(0, 2**32),
)  # fmt: skip
def test_no_price_leaves_its_bounds(price, cost, daily, mean, error, low, high, seed):
    asked = question(
        price=price, cost=cost, daily=daily, elasticity=Elasticity(mean=mean, error=error),
        lowest=price * low, highest=price * high,
    )  # fmt: skip
    for advice in (*best_prices([asked]), *explore_prices([asked], seed=seed)):
        assert asked.lowest <= advice.price <= asked.highest
        rounding = 1e-9 * (1 + abs(advice.gain))
        assert advice.low <= advice.gain + rounding
        assert advice.gain <= advice.high + rounding
        assert math.isfinite(advice.high)
    for point in curve(asked):
        assert all(math.isfinite(x) for x in (point.units, point.profit, point.low, point.high))
        assert point.low <= point.high


@given(st.floats(1, 8), st.floats(1, 8))
def test_a_higher_cost_never_means_a_lower_price(one, other):
    low, high = sorted((one, other))
    cheap, dear = best_prices([question(cost=low), question(cost=high)])
    assert cheap.price <= dear.price


def test_exploring_moves_only_what_is_worth_learning():
    unsure, sure, slow = (
        question(elasticity=Elasticity(mean=-2.0, error=error), daily=daily)
        for error, daily in ((0.9, 20), (0.1, 20), (0.5, 0.01))
    )
    found = [explore_prices([unsure, sure, slow], seed=n, reach=0.1) for n in range(20)]
    prices = [{round(each[n].price, 6) for each in found} for n in range(3)]
    assert len(prices[0]) == 2
    assert max(prices[0]) - min(prices[0]) > 1
    assert len(prices[1]) == len(prices[2]) == 1
    assert max(prices[1]) == pytest.approx(10.0, rel=0.03)  # c·e/(1 + e)


def test_exploring_is_the_same_for_the_same_seed():
    asked = [question(elasticity=Elasticity(mean=-2, error=1))] * 20
    assert explore_prices(asked, seed=1) == explore_prices(asked, seed=1)
    assert explore_prices(asked, seed=1) != explore_prices(asked, seed=2)
    assert explore_prices([], seed=1) == []
    with pytest.raises(InvalidInput):
        explore_prices(asked, seed=1, reach=1.0)


def test_the_curve_holds_the_present_price_and_widens_away_from_it():
    points = curve(question(), points=9)
    now = next(point for point in points if point.price == 10)
    assert now.profit == pytest.approx(15.0)
    assert now.low == pytest.approx(now.high)
    widths = [point.high - point.low for point in points]
    assert widths[0] > widths[2] > 0
    assert widths[-1] > widths[-3] > 0
    assert [point.price for point in points] == sorted(point.price for point in points)


@pytest.mark.parametrize(
    "wrong",
    [{"price": 0}, {"price": math.nan}, {"cost": -1}, {"lowest": 13}, {"lowest": -1},
     {"daily": -1}, {"elasticity": Elasticity(mean=math.nan, error=1)},
     {"elasticity": Elasticity(mean=-2, error=-1)}],
)  # fmt: skip
def test_nonsense_is_refused(wrong):
    for ask in (
        best_prices,
        lambda asked: explore_prices(asked, seed=0),
        lambda asked: curve(*asked),
    ):
        with pytest.raises(InvalidInput):
            ask([question(**wrong)])
    with pytest.raises(InvalidInput):
        curve(question(), points=1)
