"""Oversight counts what waits, names the bottleneck and says what would help."""

from datetime import timedelta

import pytest
from sample_values import order, product, view

from storecrew.agents.oversight import OversightSettings, oversight, survey
from storecrew.domain.control.events import ClockTicked, ExternalEventReceived, RunRequested
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import OrderStatus, OrderTransition
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

STATES = {"approvals": OrderStatus.RECEIVED, "payment": OrderStatus.AWAITING_PAYMENT}
STATES["delivery"] = OrderStatus.AWAITING_DELIVERY


def stock_of(*available: int) -> FakeStore:
    return view(
        product_list=[product(f"P{n}", f"Item {n}") for n in range(len(available))],
        levels=[
            StockLevel(sku=f"P{n}", warehouse="main", on_hand=units, reserved=0)
            for n, units in enumerate(available)
        ],
    )


def test_insight_thresholds_are_those_of_the_contract() -> None:
    assert OversightSettings() == OversightSettings(
        max_pending_approvals=2, max_awaiting_payment=3, max_in_delivery=2, low_stock_units=5
    )


@pytest.mark.parametrize(("what", "limit"), [("approvals", 2), ("payment", 3), ("delivery", 2)])
async def test_r114_oversight_names_the_bottleneck(what: str, limit: int) -> None:
    store = view()
    store.order_list = [order(n, STATES[what]) for n in range(limit)]
    assert (await survey(store, NOON)).insights == ()
    store.order_list.append(order(99, STATES[what]))
    seen = await survey(store, NOON)
    assert [(i.what, i.count, i.threshold) for i in seen.insights] == [(what, limit + 1, limit)]
    assert seen.status == "attention"
    (advice,) = seen.recommendations
    assert advice.evidence == {"count": limit + 1, "threshold": limit, "longest_wait_hours": 3.0}


async def test_r114_insight_thresholds_for_stock_are_below_five_units() -> None:
    seen = await survey(stock_of(5, 4, 80, 0), NOON)
    assert seen.metrics["low_stock"] == [
        {"sku": "P3", "available": 0},
        {"sku": "P1", "available": 4},
    ]
    assert [i.what for i in seen.insights] == ["stock"]
    assert (await survey(stock_of(5, 4), NOON, OversightSettings(low_stock_units=4))).insights == ()


async def test_products_with_stock_and_no_price_are_named() -> None:
    store = stock_of(50, 70, 60, 80)
    prices = {"P0": "0", "P1": "0", "P2": "9"}
    store.product_list = [product(sku, price=price) for sku, price in prices.items()]
    store.product_list.append(product("P3", price="0"))
    store.levels[3] = StockLevel(sku="P3", warehouse="main", on_hand=80, reserved=80)
    seen = await survey(store, NOON)
    assert [(i.what, i.count, i.threshold) for i in seen.insights] == [
        ("stock", 1, 5), ("prices", 2, 0)
    ]  # fmt: skip
    advice = seen.recommendations[-1]
    assert advice.title == "Set the prices that are missing"
    assert advice.evidence == {
        "count": 2,
        "threshold": 0,
        "products": [{"sku": "P1", "units": 70}, {"sku": "P0", "units": 50}],
    }


async def test_services_without_stock_are_never_low() -> None:
    store = stock_of(0)
    store.product_list = [product("P0", "Fitting", stocked=False)]
    assert (await survey(store, NOON)).metrics["low_stock_count"] == 0


async def test_r114_counts_and_averages_are_those_of_the_orders() -> None:
    store = view()
    store.order_list = [
        order(1, OrderStatus.DELIVERED, paid=True),
        order(2, OrderStatus.AWAITING_PAYMENT, paid=True),
        order(3, OrderStatus.CANCELLED),
    ]
    store.order_move_list = [
        OrderTransition(order_id=1, previous=None, status=OrderStatus.RECEIVED, at=NOON, actor="a"),
        OrderTransition(
            order_id=1,
            previous=OrderStatus.RECEIVED,
            status=OrderStatus.APPROVED,
            at=NOON + timedelta(hours=2),
            actor="a",
        ),
    ]
    seen = await survey(store, NOON)
    assert seen.metrics["total_orders"] == 3
    assert seen.metrics["orders"]["delivered"] == 1
    assert seen.metrics["average_order_value"] == "100.00 EUR"
    assert seen.metrics["average_hours_to_approval"] == 2.0
    assert seen.metrics["average_hours_to_delivery"] is None
    assert [r.title for r in seen.recommendations] == ["Send paid orders"]


async def test_an_empty_shop_is_idle_and_breaks_nothing() -> None:
    seen = await survey(FakeStore(), NOON)
    assert (seen.status, seen.insights, seen.recommendations) == ("idle", (), ())


async def test_bottlenecks_are_reported_once_a_day_or_when_something_happens() -> None:
    store = stock_of(1)
    tick = ClockTicked(agent="oversight", due=NOON)
    assert await run_agent(oversight, [tick], store) == []
    (event,) = await run_agent(oversight, [tick], store, now=NOON.replace(hour=8))
    assert isinstance(event, BottleneckDetected)
    assert (event.what, event.count, event.threshold) == ("stock", 1, 5)
    for cause in (
        RunRequested(agent="oversight", by="me"),
        ExternalEventReceived(event_type="odd"),
    ):
        assert len(await run_agent(oversight, [cause], store)) == 1
    assert (
        await run_agent(
            oversight,
            [tick, ExternalEventReceived(event_type="x")],
            store,
            settings={"low_stock_units": 1},
        )
        == []
    )
