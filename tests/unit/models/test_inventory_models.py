"""Stock levels, their replay, budgets and transfers: feasible whatever the numbers."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from storecrew.domain.errors import InvalidInput
from storecrew.models.inventory import (
    RULES,
    Buy,
    ReplaySettings,
    StockRule,
    allocate,
    choose,
    order_up_to,
    plan_transfers,
    replay,
    stock_at,
)
from storecrew.models.inventory.choice import LEARNED
from storecrew.models.inventory.learned_levels import LearnedLevels, learned_levels

SERVICES = (0.5, 0.8, 0.9, 0.97, 0.99)


def sales(series: int = 40, days: int = 250, seed: int = 0) -> np.ndarray:
    """Overdispersed sales with a bulk order here and there."""
    chance = np.random.default_rng(seed)
    level = chance.lognormal(0.5, 1, series)[:, None]
    units = chance.poisson(chance.gamma(0.5, 2 * level, (series, days)))
    bulk = chance.random((series, days)) < 0.005
    return np.where(bulk, units + np.ceil(50 * level), units).astype(float)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_more_lead_time_or_service_never_means_less_stock(rule: StockRule) -> None:
    units = sales()
    for sd in (0.0, 3.0):
        levels = [
            order_up_to(units, days=k, services=SERVICES, rule=rule, lead_sd=sd)
            for k in (0.5, 1, 3, 7, 14, 28, 60, 90)
        ]
        assert all((b >= a - 1e-9).all() for a, b in pairwise(levels))
        assert all((np.diff(each, axis=0) >= 0).all() for each in levels)


def test_doubt_about_the_lead_time_needs_more_stock() -> None:
    units = sales()
    sure, unsure = (
        order_up_to(units, days=14, services=(0.95,), lead_sd=sd).sum() for sd in (0.0, 5.0)
    )
    assert unsure > 1.03 * sure


@given(
    st.lists(st.lists(st.integers(0, 500), min_size=3, max_size=3), min_size=1, max_size=30),
    st.sampled_from(RULES),
)
def test_levels_are_finite_and_never_negative(days: list[list[int]], rule: StockRule) -> None:
    units = np.array(days, dtype=float).T
    found = order_up_to(units, days=10, services=SERVICES, rule=rule)
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert (found[:, units.sum(1) == 0] == 0).all()


def test_an_expected_rise_needs_more_stock() -> None:
    units = sales()
    calm = order_up_to(units, days=14, services=(0.9,))
    expected = 3 * 14 * units[:, -56:].mean(1)
    assert (order_up_to(units, days=14, services=(0.9,), ahead=expected) > calm).all()
    with pytest.raises(InvalidInput):
        order_up_to(units, days=14, services=(0.9,), ahead=expected[1:])


def test_one_bulk_order_does_not_fill_the_warehouse() -> None:
    units = np.random.default_rng(0).poisson(2.0, (20, 150)).astype(float)
    usual = order_up_to(units, days=14, services=(0.9,))[0, 0]
    units[0, 140] = 2000
    assert order_up_to(units, days=14, services=(0.9,))[0, 0] < 5 * usual


def test_levels_without_a_history_are_zero() -> None:
    assert order_up_to(np.zeros((3, 0)), days=7, services=(0.9,)).tolist() == [[0, 0, 0]]


@pytest.mark.parametrize(
    ("units", "terms"),
    [
        (np.full((2, 5), np.nan), {"days": 7, "services": (0.9,)}),
        (np.full((2, 5), -1.0), {"days": 7, "services": (0.9,)}),
        (np.ones(5), {"days": 7, "services": (0.9,)}),
        (np.ones((2, 5)), {"days": -1, "services": (0.9,)}),
        (np.ones((2, 5)), {"days": 7, "services": (1.0,)}),
        (np.ones((2, 5)), {"days": 7, "services": (0.9,), "lead_sd": -1}),
    ],
)
def test_impossible_questions_are_refused(units: np.ndarray, terms: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        order_up_to(units, **terms)  # type: ignore[arg-type]


def test_a_replay_counts_what_is_sold_and_what_lies() -> None:
    """Ten on hand, four wanted a day: the third day sells two, the order comes on the fourth."""
    units = np.full((1, 6), 4.0)
    made = replay(
        units, np.ones(1), lambda _: np.array([[10.0]]), ReplaySettings(lead=1, review=2), days=6
    )
    # ends of days: 6, 2, 0 (order of 8 on day 2 comes on day 4), 0, 4, 0 of the next day
    assert made.fill[0] == pytest.approx((4 + 4 + 2 + 0 + 4 + 4) / 24)
    assert made.stock[0] == pytest.approx((6 + 2 + 0 + 0 + 4 + 0) / 6)
    with pytest.raises(InvalidInput):
        replay(units, np.ones(1), lambda _: np.ones((1, 1)), ReplaySettings(lead=1), days=7)


def test_unlimited_stock_sells_everything_and_none_sells_nothing() -> None:
    units = sales(5, 60)
    made = replay(
        units,
        np.ones(5),
        lambda _: np.array([[0.0] * 5, [1e6] * 5]),
        ReplaySettings(lead=3),
        days=30,
    )
    assert made.fill.tolist() == [0.0, 1.0]
    assert made.stock[0] == 0
    assert np.isnan(stock_at(made, 1.1))


def test_no_replayed_level_sees_the_day_it_is_for() -> None:
    seen: list[int] = []
    units = sales(5, 60)

    def levels(day: int) -> np.ndarray:
        seen.append(day)
        return order_up_to(units[:, :day], days=10, services=SERVICES)

    first = replay(units, np.ones(5), levels, ReplaySettings(lead=3), days=28)
    assert seen == [32, 39, 46, 53]
    assert np.isfinite(first.stock).all()


def test_a_short_history_keeps_the_usual_rule() -> None:
    assert choose(sales(10, 100), np.ones(10), ReplaySettings(lead=7)) == RULES[0].name
    assert choose(np.zeros((0, 400)), np.ones(0), ReplaySettings(lead=7)) == RULES[0].name
    assert choose(np.zeros((5, 250)), np.ones(5), ReplaySettings(lead=7)) == RULES[0].name


def test_the_chosen_rule_rests_on_the_past_alone_and_is_the_same_each_time() -> None:
    units = sales(30, 230)
    names = {rule.name for rule in RULES}
    chosen = choose(units, np.ones(30), ReplaySettings(lead=7))
    assert chosen in names
    assert chosen == choose(units.copy(), np.ones(30), ReplaySettings(lead=7))


def test_learned_levels_of_a_day_rest_on_earlier_days_alone() -> None:
    units = sales(10, 200)
    later = units.copy()
    later[:, 175:] = 500
    one, other = (
        learned_levels(each, ReplaySettings(lead=3), begin=160, services=np.array(SERVICES))
        for each in (units, later)
    )
    for day in (160, 174, 175):
        assert np.array_equal(one(day), other(day))


def test_learned_levels_follow_a_season_that_came_before() -> None:
    days = np.arange(420)
    season = 1 + 0.9 * np.sin(2 * np.pi * days / 364)
    units = np.random.default_rng(0).poisson(5 * season, (12, 420)).astype(float)
    found = LearnedLevels(units, 14).at(units, SERVICES)
    assert (np.diff(found, axis=0) >= 0).all()
    assert np.isfinite(found).all()
    truth = 5 * (1 + 0.9 * np.sin(2 * np.pi * np.arange(420, 434) / 364)).sum()
    assert found[0].mean() == pytest.approx(truth, rel=0.25)
    with pytest.raises(InvalidInput):
        LearnedLevels(units[:, :50], 14)


def test_with_more_than_a_year_the_learned_quantile_may_win() -> None:
    days = np.arange(540)
    chance = np.random.default_rng(0)
    season = np.exp(1.1 * np.sin(2 * np.pi * (days + 50) / 364))
    level = chance.lognormal(0.5, 0.8, 40)[:, None]
    units = chance.poisson(chance.gamma(1.0, level * season)).astype(float)
    assert choose(units, np.ones(40), ReplaySettings(lead=14)) == LEARNED
    assert choose(units[:, 100:], np.ones(40), ReplaySettings(lead=14)) != LEARNED


buys = st.builds(
    lambda packs, size, cost, value, chance: Buy(
        quantity=packs * size,
        pack_size=size,
        unit_cost=cost,
        unit_value=value,
        chance=sorted(chance, reverse=True),
    ),
    st.integers(0, 30),
    st.integers(1, 12),
    st.floats(0, 100),
    st.floats(-5, 50),
    st.lists(st.floats(0, 1), min_size=2, max_size=4),
)


@settings(max_examples=60)
@given(st.lists(buys, max_size=8), st.floats(0, 5000))
def test_a_budget_is_kept_in_whole_packs(wanted: list[Buy], budget: float) -> None:
    bought = allocate(wanted, budget)
    spent = sum(n * each.unit_cost for n, each in zip(bought, wanted, strict=True))
    assert spent <= budget * (1 + 1e-6) + 1e-6
    for units, each in zip(bought, wanted, strict=True):
        assert 0 <= units <= each.quantity
        assert units % each.pack_size == 0
        assert units == 0 or each.unit_value > 0


def test_the_first_units_of_two_products_come_before_the_last_of_one() -> None:
    buy = Buy(quantity=10, pack_size=1, unit_cost=1, unit_value=1, chance=(1.0, 0.1))
    assert allocate([buy, buy], 10) == [5, 5]
    assert allocate([buy, buy], 1000) == [10, 10]
    assert allocate([], 10) == []


@pytest.mark.parametrize(
    "change",
    [{"quantity": 11}, {"pack_size": 0}, {"unit_cost": -1.0}, {"chance": (0.1, 0.9)}],
)
def test_an_impossible_purchase_is_refused(change: dict[str, object]) -> None:
    right = {"quantity": 10, "pack_size": 2, "unit_cost": 1.0, "unit_value": 1.0}
    with pytest.raises(InvalidInput):
        allocate([Buy(**{**right, "chance": (1.0, 0.5), **change})], 10)  # type: ignore[arg-type]
    with pytest.raises(InvalidInput):
        allocate([], float("nan"))


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.integers(-3, 60), st.floats(0, 60), st.floats(0, 60)), min_size=1, max_size=6
    )
)
def test_r131_transfer_plan_is_feasible(places: list[tuple[int, float, float]]) -> None:
    on_hand, needed, keep = ([place[n] for place in places] for n in range(3))
    plan = plan_transfers(on_hand, needed, keep=keep)
    after = np.array(on_hand)
    for move in plan:
        assert move.quantity > 0
        assert move.source != move.target
        after[move.source] -= move.quantity
        after[move.target] += move.quantity
    sources, targets = {move.source for move in plan}, {move.target for move in plan}
    assert not sources & targets
    for n in sources:
        assert after[n] >= keep[n]
        assert after[n] >= 0
    for n in targets:
        assert on_hand[n] < needed[n]
        assert max(after[n], 0) <= np.ceil(needed[n]) + max(0, -on_hand[n])
    assert sum(after) == sum(on_hand)


def test_a_transfer_takes_the_cheapest_way_and_only_while_it_pays() -> None:
    cost = np.array([[0, 9, 1], [9, 0, 0.2], [1, 0.2, 0]])
    plan = plan_transfers([20, 20, 0], [5, 5, 18], cost=cost, shortage=2.0)
    assert [(m.source, m.target, m.quantity) for m in plan] == [(0, 2, 3), (1, 2, 15)]
    assert plan_transfers([20, 20, 0], [5, 5, 18], cost=10 * cost + 1, shortage=1.0) == []


@pytest.mark.parametrize(
    ("on_hand", "needed", "more"),
    [
        ([1, 2], [1.0], {}),
        ([1], [float("nan")], {}),
        ([1], [-1.0], {}),
        ([10**12], [1.0], {}),
        ([1, 2], [1.0, 2.0], {"cost": np.ones((3, 3))}),
    ],
)
def test_impossible_transfers_are_refused(
    on_hand: list[int], needed: list[float], more: dict[str, np.ndarray]
) -> None:
    with pytest.raises(InvalidInput):
        plan_transfers(on_hand, needed, **more)
