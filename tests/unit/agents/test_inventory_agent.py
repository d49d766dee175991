"""Stock lies where it is needed, money goes where it earns most, a late supplier is answered."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sample_values import amount, eur, product, view

from storecrew.agents.forecasting import inventory_forecasting
from storecrew.agents.inventory import inventory
from storecrew.domain.control.agents import Budget
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.shop.inventory import Shipment, StockLevel, StockRanLow, TransferStock
from storecrew.domain.shop.promotions import Discount, DiscountCreated
from storecrew.domain.shop.purchasing import (
    CreatePurchaseOrder,
    PurchaseOrder,
    PurchaseOrderDelayed,
    Supplier,
)
from storecrew.models.basic import BasicModels
from storecrew.models.demand import GammaDemand
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="inventory", due=NOON)


def level(on_hand: int, warehouse: str = "main", sku: str = "P1", reserved: int = 0) -> StockLevel:
    return StockLevel(sku=sku, warehouse=warehouse, on_hand=on_hand, reserved=reserved)


def shipped(**units: int) -> list[Shipment]:
    day = NOON.date() - timedelta(days=3)
    return [Shipment(sku="P1", warehouse=w, day=day, quantity=n) for w, n in units.items()]


def purchase(
    due: float = 7, warehouse: str = "main", sku: str = "P1", number: int = 1
) -> PurchaseOrder:
    return PurchaseOrder(
        id=number,
        sku=sku,
        supplier="S1",
        warehouse=warehouse,
        quantity=40,
        unit_cost=eur(60),
        status="open",
        ordered_at=NOON - timedelta(days=7),
        due_at=NOON + timedelta(days=due),
    )


def low(sku: str = "P1", position: int = 4) -> StockRanLow:
    return StockRanLow(
        sku=sku, warehouse="main", position=position, reorder_point=20, daily_demand=2.0
    )


def delayed(days: float, number: int = 1, sku: str = "P1") -> PurchaseOrderDelayed:
    return PurchaseOrderDelayed(
        sku=sku, purchase_id=number, previous=NOON, due_at=NOON + timedelta(days=days)
    )


def actions(found: list[Proposal | Event]) -> list[object]:
    return [each.action for each in found if isinstance(each, Proposal)]


def uneven(**more: object) -> FakeStore:
    """Return a shop whose two warehouses sell alike, one of them nearly empty."""
    given: dict[str, object] = {
        "levels": [level(3), level(90, "north")],
        "shipped": shipped(main=50, north=50),
    }
    return view(**(given | more))


async def test_r131_stock_is_moved_from_where_it_is_spare_to_where_it_runs_short() -> None:
    (proposal,) = await run_agent(inventory, TICK, uneven())
    assert isinstance(proposal, Proposal)
    move = proposal.action
    assert isinstance(move, TransferStock)
    assert (move.source, move.target) == ("north", "main")
    needed = proposal.evidence["needed_at_service"]
    assert isinstance(needed, float)
    assert 3 + move.quantity == pytest.approx(needed, abs=1)
    assert 90 - move.quantity >= needed - 1
    table = proposal.evidence["warehouses"]
    assert isinstance(table, list)
    assert {row["warehouse"]: row["moved"] for row in table} == {
        "main": move.quantity,
        "north": -move.quantity,
    }
    assert sum(row["share_of_demand"] for row in table) == 1
    assert "3 left in main" in proposal.reason


async def test_after_the_move_nothing_more_is_moved() -> None:
    (proposal,) = await run_agent(inventory, TICK, uneven())
    assert isinstance(proposal, Proposal)
    assert isinstance(proposal.action, TransferStock)
    there = proposal.action.quantity
    after = uneven(levels=[level(3 + there), level(90 - there, "north")])
    assert await run_agent(inventory, TICK, after) == []


async def test_nothing_is_moved_where_both_have_enough_or_both_too_little_or_nobody_knows() -> None:
    for levels in ([level(60), level(90, "north")], [level(3), level(4, "north")]):
        assert await run_agent(inventory, TICK, uneven(levels=levels)) == []
    assert await run_agent(inventory, TICK, uneven(shipped=[])) == []
    assert await run_agent(inventory, TICK, view()) == []
    assert await run_agent(inventory, TICK, FakeStore()) == []


async def test_reserved_units_are_not_moved() -> None:
    store = uneven(levels=[level(0), level(90, "north", reserved=90)])
    assert await run_agent(inventory, TICK, store) == []


async def test_a_late_supplier_is_answered_by_transfers_first() -> None:
    store = uneven(purchase_list=[purchase()])
    found = await run_agent(inventory, [delayed(21)], store)
    (move,) = actions(found)
    assert isinstance(move, TransferStock)
    (proposal,) = found
    assert isinstance(proposal, Proposal)
    assert "purchase 1 is late" in proposal.reason
    assert proposal.evidence["days_until_new_goods"] == 21


async def test_what_transfers_leave_missing_is_bought_where_it_comes_sooner() -> None:
    store = uneven(levels=[level(3), level(8, "north")], purchase_list=[purchase()])
    found = await run_agent(inventory, [delayed(30)], store)
    (extra,) = [each for each in actions(found) if isinstance(each, CreatePurchaseOrder)]
    assert extra.warehouse == "north"
    (proposal,) = [
        p for p in found if isinstance(p, Proposal) and isinstance(p.action, CreatePurchaseOrder)
    ]
    assert proposal.effect is not None
    assert eur(0) < proposal.effect.expected <= proposal.effect.high
    assert proposal.evidence["cost_of_waiting"] == str(proposal.effect.expected)
    assert "lead time of a late supplier" in proposal.assumptions


@pytest.mark.parametrize("days", [3, 6.9])
async def test_nothing_is_bought_that_would_come_after_the_late_delivery(days: float) -> None:
    store = uneven(levels=[level(0), level(0, "north")], purchase_list=[purchase()])
    assert await run_agent(inventory, [delayed(days)], store) == []


async def test_r132_a_late_purchase_is_replaced_once_and_only_where_none_is_open() -> None:
    two = [purchase(), purchase(warehouse="north", number=2)]
    store = uneven(levels=[level(0), level(0, "north")], purchase_list=two)
    assert await run_agent(inventory, [delayed(30)], store) == []
    one_place = view(levels=[level(0)], purchase_list=[purchase()])
    assert await run_agent(inventory, [delayed(30)], one_place) == []


async def test_an_overdue_purchase_counts_as_late_and_an_unknown_one_is_passed_over() -> None:
    store = uneven(levels=[level(0), level(90, "north")], purchase_list=[purchase(due=-2)])
    assert actions(await run_agent(inventory, TICK, store)) != []
    assert await run_agent(inventory, [delayed(9, number=77)], uneven(purchase_list=[])) == []


def three(**more: object) -> FakeStore:
    sales = view().sales["P1"]
    given: dict[str, object] = {
        "product_list": [
            product("A", price="100", cost=eur(60)),
            product("B", price="65", cost=eur(60)),
            product("C", price="90", cost=eur(60), pack_size=6),
        ],
        "levels": [level(4, sku=sku) for sku in "ABC"],
        "sales": dict.fromkeys("ABC", sales),
    }
    return view(**(given | more))


async def test_a_budget_goes_where_it_earns_most_and_says_what_is_left() -> None:
    events = [low(sku) for sku in "ABC"]
    free = await run_agent(inventory, events, three())
    whole = {a.sku: a.quantity for a in actions(free) if isinstance(a, CreatePurchaseOrder)}
    limited = replace(inventory, budget=Budget(money=eur(1500)))
    found = await run_agent(limited, events, three())
    bought = {a.sku: a.quantity for a in actions(found) if isinstance(a, CreatePurchaseOrder)}
    assert sum(60 * n for n in bought.values()) <= 1500 < sum(60 * n for n in whole.values())
    assert bought.get("B", 0) == 0  # five of margin a unit against forty
    assert bought["A"] > 0
    assert bought.get("C", 0) % 6 == 0
    less = [p for p in found if isinstance(p, Proposal) and "reaches no further" in p.reason]
    assert less
    assert less[0].evidence["budget_left"] == "1,500.00 EUR"
    assert less[0].evidence["budget"] == "1,500.00 EUR"


async def test_what_was_bought_today_is_gone_from_the_budget() -> None:
    early = PurchaseOrder(
        id=9,
        sku="X",
        supplier="S1",
        warehouse="main",
        quantity=20,
        unit_cost=eur(60),
        status="received",
        ordered_at=NOON - timedelta(hours=3),
        due_at=NOON,
    )
    limited = replace(inventory, budget=Budget(money=eur(1500)))
    events = [low(sku) for sku in "ABC"]
    found = await run_agent(limited, events, three(purchase_list=[early]))
    spent = sum(60 * a.quantity for a in actions(found) if isinstance(a, CreatePurchaseOrder))
    assert 0 < spent <= 300
    assert all(p.evidence["budget_left"] == "300.00 EUR" for p in found if isinstance(p, Proposal))


async def test_a_purchase_tells_what_waiting_costs() -> None:
    (proposal,) = await run_agent(inventory, [low()], view(levels=[level(4)]))
    assert isinstance(proposal, Proposal)
    assert proposal.effect is not None
    assert amount(proposal.evidence["cost_of_waiting"]) == proposal.effect.expected.amount
    assert proposal.evidence["cost_of_waiting_days"] == 14
    assert proposal.evidence["days_of_cover_p90"] < proposal.evidence["days_of_cover_p50"]  # type: ignore[operator]


class Learned(BasicModels):
    """Serves one forecast."""

    def forecast_of(self, sku: str, day: object, warehouse: str | None = None) -> GammaDemand:
        return GammaDemand(daily=5.0, variance=9.0, days=100, basis="learned forecast")

    def accuracy_of(self, sku: str) -> dict[str, float | str]:
        return {"wape": 0.31, "basis": "earlier forecasts compared with sales", "days": 40.0}


async def test_a_learned_forecast_is_used_and_its_record_shown() -> None:
    plain = await run_agent(inventory, [low()], view(levels=[level(4)]))
    found = await run_agent(inventory, [low()], view(levels=[level(4)]), models=Learned())
    (proposal,) = found
    assert isinstance(proposal, Proposal)
    assert proposal.evidence["forecast"] == "learned forecast"
    assert proposal.evidence["forecast_error"] == 0.31
    assert actions(found)[0].quantity > actions(plain)[0].quantity  # type: ignore[attr-defined]
    (event,) = await run_agent(inventory_forecasting, TICK, view(), models=Learned())
    assert isinstance(event, StockRanLow)
    assert (event.daily_demand, event.error, event.basis) == (5.0, 0.31, "learned forecast")
    assert event.low is not None
    assert event.high is not None
    assert event.low < 35 < event.high


PROMOTION = Discount(
    code="SPRING",
    percent=Decimal(25),
    skus=("P1",),
    starts_at=NOON + timedelta(days=2),
    ends_at=NOON + timedelta(days=9),
)


async def test_a_promotion_is_bought_for_before_it_begins() -> None:
    store = view(levels=[level(27)])
    news = DiscountCreated(
        code="SPRING",
        skus=("P1",),
        percent=Decimal(25),
        starts_at=PROMOTION.starts_at,
        ends_at=PROMOTION.ends_at,
    )
    assert await run_agent(inventory_forecasting, TICK, store) == []
    (event,) = await run_agent(inventory_forecasting, news, store)
    assert isinstance(event, StockRanLow)
    assert "a promotion that sells 1.88 times as much" in event.basis  # 0.75 to the power of -2.2
    store.discount_list.append(PROMOTION)
    assert await run_agent(inventory_forecasting, TICK, store) == [event]
    (purchase_,) = await run_agent(inventory, [event], store)
    assert isinstance(purchase_, Proposal)
    assert "promotion" in str(purchase_.evidence["forecast"])


async def test_a_code_for_one_customer_and_one_that_is_over_change_nothing() -> None:
    own = Discount(**{**vars(PROMOTION), "customers": ("C1",)})
    store = view(levels=[level(27)], discount_list=[own])
    assert await run_agent(inventory_forecasting, TICK, store) == []
    other = DiscountCreated(
        code="X", skus=("nothing",), percent=Decimal(25), starts_at=NOON, ends_at=NOON
    )
    assert await run_agent(inventory_forecasting, other, store) == []


async def test_lead_time_spread_and_bad_suppliers_do_not_stop_the_rest() -> None:
    odd = Supplier(id="S1", name="Parts & Co", lead_time_days=7, lead_time_sd=2)
    found = await run_agent(inventory, [low(), low("gone")], view(supplier_list=[odd]))
    assert [a.sku for a in actions(found)] == ["P1"]  # type: ignore[attr-defined]
