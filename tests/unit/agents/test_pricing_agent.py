"""Prices move a little at a time, for a reason, and never below cost plus margin."""

import dataclasses
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, strategies as st
from pydantic import ValidationError
from sample_values import amount, eur, product, view

from storecrew.agents.pricing import pricing_optimizer
from storecrew.agents.pricing.settings import PricingSettings
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    CompetitorPrice,
    CompetitorPriceObserved,
    CostChanged,
    ObservationRejected,
    PriceChange,
    Product,
    SetPrice,
    floor_price,
)
from storecrew.domain.shop.inventory import StockLevel
from storecrew.sdk.settings import parse_settings
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="pricing_optimizer", due=NOON)
PLENTY = [StockLevel(sku="P1", warehouse="main", on_hand=500, reserved=0)]


def shop(price: str = "100", cost: str = "68", **more: object) -> FakeStore:
    return view(
        **({"product_list": [product(price=price, cost=eur(cost))], "levels": PLENTY} | more)
    )


def prices(found: list[Proposal | Event]) -> list[SetPrice]:
    return [p.action for p in found if isinstance(p, Proposal) and isinstance(p.action, SetPrice)]


async def test_a_price_below_the_best_one_rises_by_a_step() -> None:
    found = await run_agent(pricing_optimizer, TICK, shop())
    (move,) = prices(found)
    assert move == SetPrice(sku="P1", price=eur("105.00"), expected_price=eur(100))
    (proposal,) = found
    assert isinstance(proposal, Proposal)
    assert proposal.effect is not None
    assert proposal.effect.low <= proposal.effect.expected <= proposal.effect.high
    assert amount(proposal.evidence["floor"]) == Decimal("75.56")


async def test_a_price_above_the_best_one_falls_by_a_step() -> None:
    (move,) = prices(await run_agent(pricing_optimizer, TICK, shop(price="200", cost="60")))
    assert move.price == eur(190)


async def test_nothing_is_proposed_where_the_gain_is_not_worth_it() -> None:
    assert await run_agent(pricing_optimizer, TICK, shop(price="100", cost="50")) == []


async def test_a_price_that_moved_lately_is_left_alone() -> None:
    for days in (0.5, 6):
        moved = PriceChange(
            sku="P1", previous=eur(99), price=eur(100), at=NOON - timedelta(days=days)
        )
        assert await run_agent(pricing_optimizer, TICK, shop(changes=[moved])) == []


async def test_a_price_does_not_drift_without_end() -> None:
    changes = [
        PriceChange(
            sku="P1",
            previous=eur(80 + 4 * n),
            price=eur(84 + 4 * n),
            at=NOON - timedelta(days=70 - 10 * n),
        )
        for n in range(5)
    ]
    assert await run_agent(pricing_optimizer, TICK, shop(changes=changes)) == []


async def test_what_is_about_to_sell_out_is_not_cut() -> None:
    scarce = [StockLevel(sku="P1", warehouse="main", on_hand=3, reserved=0)]
    assert await run_agent(pricing_optimizer, TICK, shop("200", levels=scarce)) == []


async def test_products_without_cost_sales_or_common_currency_are_left_alone() -> None:
    assert await run_agent(pricing_optimizer, TICK, shop(sales={})) == []
    for bad in (None, Money.of(60, "USD"), eur(0)):
        store = shop(product_list=[product(cost=bad)])
        assert await run_agent(pricing_optimizer, TICK, store) == []
    assert await run_agent(pricing_optimizer, TICK, FakeStore()) == []


async def test_a_price_under_the_floor_is_lifted_to_it() -> None:
    news = CostChanged(sku="P1", previous=eur(60), cost=eur(95))
    (move,) = prices(await run_agent(pricing_optimizer, [news], shop(cost="95", sales={})))
    assert move.price == eur("105.56")


async def test_rivals_hold_a_rise_back() -> None:
    rival = CompetitorPrice(sku="P1", competitor="R1", price=eur(88), seen_at=NOON)
    (held,) = prices(await run_agent(pricing_optimizer, TICK, shop(competitor_price_list=[rival])))
    (free,) = prices(await run_agent(pricing_optimizer, TICK, shop()))
    assert held.price <= eur("101.20") < free.price


async def test_a_price_far_above_rivals_falls_a_step_and_not_to_theirs() -> None:
    rival = CompetitorPrice(sku="P1", competitor="R1", price=eur(75), seen_at=NOON)
    (move,) = prices(
        await run_agent(pricing_optimizer, TICK, shop(competitor_price_list=[rival], cost="50"))
    )
    assert move.price == eur(95)


async def test_assumed_costs_are_named() -> None:
    store = shop(product_list=[product(cost=eur(68), assumed=("cost", "supplier"))])
    (proposal,) = await run_agent(pricing_optimizer, TICK, store)
    assert isinstance(proposal, Proposal)
    assert proposal.assumptions == ("cost",)


ABSURD = [eur(0), eur("0.00"), eur(-5), eur(10000), eur(20), Money.of(95, "USD")]


@pytest.mark.parametrize("seen", ABSURD, ids=str)
async def test_price_floor_absurd_rival_prices_are_reported_and_move_nothing(seen: Money) -> None:
    store = shop(
        cost="50",
        competitor_price_list=[
            CompetitorPrice(sku="P1", competitor="R1", price=seen, seen_at=NOON)
        ],
    )
    news = CompetitorPriceObserved(sku="P1", competitor="R1", price=seen)
    (alert,) = await run_agent(pricing_optimizer, [news], store)
    assert isinstance(alert, ObservationRejected)
    assert alert.sku == "P1"
    assert await run_agent(pricing_optimizer, TICK, store) == []


@pytest.mark.parametrize("seen", [*ABSURD, eur(34), eur(299)], ids=str)
async def test_r122_price_floor_holds_for_ten_rounds_of_a_rivals_price(seen: Money) -> None:
    path = await ten_rounds(shop(), seen)
    assert all(price >= floor_price(eur(60), 0.10) for price in path)
    assert all(eur(75) <= price <= eur(125) for price in path)
    assert (path == await ten_rounds(shop(), None)) is (seen in ABSURD)


async def test_r122_price_floor_stops_a_price_that_would_fall_further() -> None:
    floor = floor_price(eur(60), 0.45).rounded_up()
    bound = await ten_rounds(shop("130", "60"), eur(70), margin_floor=0.45)
    free = await ten_rounds(shop("130", "60"), eur(70), margin_floor=0.10)
    assert (bound[-1], min(bound)) == (floor, floor)
    assert free[-1] < floor


async def ten_rounds(store: FakeStore, seen: Money | None, **settings: float) -> list[Money]:
    """Return the price after each of ten runs over a week apart, the rival's seen in each."""
    now, path = NOON, [store.product_list[0].price]
    for _ in range(10):
        now += timedelta(days=8)
        events: list[Event] = [TICK]
        if seen is not None:
            listed = CompetitorPrice(sku="P1", competitor="R1", price=seen, seen_at=now)
            store.competitor_price_list = [listed]
            events.append(CompetitorPriceObserved(sku="P1", competitor="R1", price=seen))
        found = await run_agent(pricing_optimizer, events, store, now=now, settings=settings)
        for move in prices(found):
            _do(store, move, now)
        path.append(store.product_list[0].price)
    return path


def _do(store: FakeStore, move: SetPrice, now: object) -> None:
    before = store.product_list[0]
    assert move.expected_price == before.price
    assert abs(move.price.amount / before.price.amount - 1) <= Decimal("0.05")
    store.product_list = [dataclasses.replace(before, price=move.price)]
    store.changes.append(
        PriceChange(sku="P1", previous=before.price, price=move.price, at=now)  # type: ignore[arg-type]
    )


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0, 0.9))
def test_price_floor_leaves_its_margin_and_grows_with_the_cost(
    one: int, other: int, margin: float
) -> None:
    low, high = sorted((Money.from_minor(one, "EUR"), Money.from_minor(other, "EUR")))
    floor = floor_price(low, margin).rounded_up()
    assert floor <= floor_price(high, margin).rounded_up()
    assert floor.amount * (1 - Decimal(str(margin))) >= low.amount
    assert floor == floor.rounded()


@given(price=st.integers(1, 10**6), cost=st.integers(1, 10**6), rival=st.integers(-100, 10**8))
async def test_price_floor_holds_whatever_price_cost_and_rival(
    price: int, cost: int, rival: int
) -> None:
    item = Product(
        sku="P1",
        name="X",
        price=Money.from_minor(price, "EUR"),
        cost=Money.from_minor(cost, "EUR"),
    )
    seen = Money.from_minor(rival, "EUR")
    store = shop(
        product_list=[item],
        competitor_price_list=[CompetitorPrice(sku="P1", competitor="R", price=seen, seen_at=NOON)],
    )
    assert item.cost is not None
    for move in prices(await run_agent(pricing_optimizer, TICK, store)):
        assert move.price >= floor_price(item.cost, 0.10)


@pytest.mark.parametrize("wrong", [{"margin_floor": 1}, {"step": -0.1}, {"max_drift": 2}])
def test_limits_that_would_let_prices_swing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        PricingSettings(**wrong)


async def test_settings_of_the_agent_set_its_limits() -> None:
    found = await run_agent(pricing_optimizer, TICK, shop(), settings={"step": 0.02})
    assert prices(found)[0].price == eur(102)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("step", True), ("step", "wide"), ("step", None), ("step", "nan"), ("min_hold_days", "inf"),
        ("min_gain", -1), ("explore", "perhaps"), ("explore", 2), ("explore", None), ("other", 1),
    ],
)  # fmt: skip
def test_a_setting_that_is_none_is_refused_by_name(name: str, value: object) -> None:
    with pytest.raises(InvalidSettings, match=rf"^agents\.pricing_optimizer\.{name}: "):
        parse_settings(PricingSettings, "pricing_optimizer", {name: value})


def test_settings_of_the_agent_may_be_numbers_in_quotes() -> None:
    assert parse_settings(PricingSettings, "x", {"step": "0.02"}).step == 0.02


def curve_of(proposal: Proposal) -> list[dict[str, float]]:
    points = proposal.evidence["curve"]
    assert isinstance(points, list)
    return points


async def only(store: FakeStore, **more: object) -> Proposal:
    (found,) = await run_agent(pricing_optimizer, TICK, store, **more)  # type: ignore[arg-type]
    assert isinstance(found, Proposal)
    return found


@given(price=st.integers(100, 10**5), share=st.floats(0.2, 0.95), rival=st.integers(50, 10**5))
async def test_the_curve_in_the_evidence_agrees_with_the_effect(
    price: int, share: float, rival: int
) -> None:
    ours, cost = Money.from_minor(price, "EUR"), Money.from_minor(int(price * share), "EUR")
    seen = CompetitorPrice(
        sku="P1", competitor="R1", price=Money.from_minor(rival, "EUR"), seen_at=NOON
    )
    item = Product(sku="P1", name="X", price=ours, cost=cost)
    for found in await run_agent(
        pricing_optimizer, TICK, shop(product_list=[item], competitor_price_list=[seen])
    ):
        if not isinstance(found, Proposal) or found.effect is None:
            continue
        points = curve_of(found)
        assert 2 <= len(points) <= 9
        assert [p["price"] for p in points] == sorted({p["price"] for p in points})
        at = {p["price"]: p for p in points}
        now, then = at[float(ours.amount)], at[float(amount(found.evidence["proposed"]))]
        for name, said in (("low", "low"), ("profit", "expected"), ("high", "high")):
            gain = 30 * (then[name] - now["profit"])
            assert gain == pytest.approx(float(getattr(found.effect, said).amount), abs=0.02)
        assert all(p["low"] <= p["profit"] <= p["high"] for p in points)


async def test_the_curve_spans_the_bounds_of_the_move() -> None:
    points = curve_of(await only(shop()))
    assert len(points) == 7
    assert (points[0]["price"], points[-1]["price"]) == (95, 105)
    assert points[0]["units"] > points[-1]["units"]


UNSURE = {"price": "100", "cost": "60"}
"""Near its best price, as far as is known: it would only move to learn."""


async def test_no_price_is_moved_to_learn_unless_the_owner_says_so() -> None:
    assert PricingSettings().explore is False
    for settings in ({}, {"explore": False}):
        assert await run_agent(pricing_optimizer, TICK, shop(**UNSURE), settings=settings) == []
    with_explore = await only(shop(**UNSURE), settings={"explore": True})
    assert prices([with_explore])


async def test_a_price_that_is_moved_to_learn_says_so_and_what_it_costs_and_teaches() -> None:
    found = await only(shop(**UNSURE), settings={"explore": True})
    assert found.evidence["moved_to_learn"] is True
    assert "to learn how demand answers" in found.reason
    assert str(found.evidence["learning_costs"]) in found.reason
    assert found.effect is not None
    assert amount(found.evidence["learning_costs"]) == max(0, -found.effect.expected.amount)
    then, now = found.evidence["elasticity_error_then"], found.evidence["elasticity_error"]
    assert isinstance(then, float)
    assert isinstance(now, float)
    assert 0.5 * now < then < now
    assert "moved_to_learn" not in (await only(shop())).evidence


async def test_all_of_a_day_the_same_price_is_moved_to_learn() -> None:
    async def on(hours: float) -> list[SetPrice]:
        now = NOON + timedelta(hours=hours)
        found = await run_agent(
            pricing_optimizer, TICK, shop(**UNSURE), settings={"explore": True}, now=now
        )
        return prices(found)

    assert await on(-11) == await on(0) == await on(11)
    assert len({each.price for n in range(12) for each in await on(24 * n)}) == 2


async def test_what_is_about_to_sell_out_is_not_cut_to_learn() -> None:
    scarce = [StockLevel(sku="P1", warehouse="main", on_hand=3, reserved=0)]
    ways = set()
    for day in range(12):
        now = NOON + timedelta(days=day)
        for move in prices(
            await run_agent(
                pricing_optimizer,
                TICK,
                shop(**UNSURE, levels=scarce),
                settings={"explore": True},
                now=now,
            )
        ):
            ways.add(move.price > eur(100))
    assert ways == {True}


@given(
    price=st.integers(1, 10**6),
    share=st.floats(0.01, 1.2),
    step=st.floats(0, 0.3),
    rival=st.integers(-100, 10**7),
    day=st.integers(0, 400),
)
async def test_price_floor_and_step_hold_for_prices_that_are_moved_to_learn(
    price: int, share: float, step: float, rival: int, day: int
) -> None:
    item = Product(
        sku="P1",
        name="X",
        price=Money.from_minor(price, "EUR"),
        cost=Money.from_minor(max(1, int(price * share)), "EUR"),
    )
    seen = CompetitorPrice(
        sku="P1", competitor="R", price=Money.from_minor(rival, "EUR"), seen_at=NOON
    )
    found = await run_agent(
        pricing_optimizer,
        TICK,
        shop(product_list=[item], competitor_price_list=[seen]),
        settings={"explore": True, "step": step},
        now=NOON + timedelta(days=day),
    )
    assert item.cost is not None
    floor = floor_price(item.cost, 0.10)
    for move in prices(found):
        assert move.price >= floor
        if item.price >= floor:
            assert abs(float(move.price.amount / item.price.amount) - 1) <= step + 1e-9
