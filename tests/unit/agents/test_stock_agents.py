"""What runs low is seen, and bought once, in whole packs."""

from datetime import timedelta

from sample_values import amount, eur, product, view

from storecrew.agents.forecasting import inventory_forecasting
from storecrew.agents.inventory import inventory
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.shop.inventory import StockLevel, StockRanLow
from storecrew.domain.shop.purchasing import CreatePurchaseOrder, PurchaseOrder
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="inventory_forecasting", due=NOON)


def level(on_hand: int, sku: str = "P1", warehouse: str = "main") -> StockLevel:
    return StockLevel(sku=sku, warehouse=warehouse, on_hand=on_hand, reserved=0)


def purchase(sku: str = "P1") -> PurchaseOrder:
    return PurchaseOrder(
        id=1,
        sku=sku,
        supplier="S1",
        warehouse="main",
        quantity=10,
        unit_cost=eur(60),
        status="open",
        ordered_at=NOON,
        due_at=NOON + timedelta(days=7),
    )


async def low(store: FakeStore) -> list[StockRanLow]:
    found = await run_agent(inventory_forecasting, TICK, store)
    assert all(isinstance(each, StockRanLow) for each in found)
    return found  # type: ignore[return-value]


async def bought(store: FakeStore, **more: object) -> list[Proposal]:
    found = await run_agent(inventory, await low(store), store, **more)  # type: ignore[arg-type]
    assert all(isinstance(each, Proposal) for each in found)
    return found  # type: ignore[return-value]


async def test_a_product_below_its_reorder_point_runs_low() -> None:
    (event,) = await low(view())
    assert event.position == 10 <= event.reorder_point
    assert 1.8 < event.daily_demand < 2.2


async def test_nothing_runs_low_with_enough_stock_or_a_purchase_open_or_no_sales() -> None:
    assert await low(view(levels=[level(200)])) == []
    assert await low(view(purchase_list=[purchase()])) == []
    assert await low(view(sales={})) == []
    assert await low(view(product_list=[product(stocked=False)])) == []
    assert await low(FakeStore()) == []


async def test_r132_reorder_once_up_to_the_level_in_whole_packs() -> None:
    store = view(product_list=[product(pack_size=12)])
    (proposal,) = await bought(store)
    action, evidence = proposal.action, proposal.evidence
    assert isinstance(action, CreatePurchaseOrder)
    assert action.quantity % 12 == 0
    target = evidence["order_up_to"]
    assert isinstance(target, int)
    assert target <= 10 + action.quantity < target + 12
    assert amount(evidence["cost"]) == 60 * action.quantity
    store.purchase_list.append(purchase())
    event = StockRanLow(sku="P1", warehouse="main", position=1, reorder_point=9, daily_demand=1.0)
    assert await run_agent(inventory, [event], store) == []


async def test_a_purchase_says_what_it_rests_on_and_what_it_brings() -> None:
    (proposal,) = await bought(view(levels=[level(0)]))
    assert proposal.evidence["days_of_cover_p50"] == 0
    assert proposal.evidence["lead_time_days"] == 7
    assert proposal.assumptions == ()
    effect = proposal.effect
    assert effect is not None
    assert eur(0) <= effect.low <= effect.expected <= effect.high
    assert effect.expected > eur(100)


async def test_assumed_numbers_are_named() -> None:
    assumed = product(assumed=("cost", "stock"), supplier=None)
    (proposal,) = await bought(view(product_list=[assumed]))
    assert proposal.assumptions == ("cost", "stock level", "supplier")
    (unknown,) = await bought(view(product_list=[product(cost=None)]))
    assert unknown.assumptions == ("cost",)
    assert unknown.effect is None
    assert unknown.evidence["cost"] is None


async def test_what_loses_most_by_waiting_for_its_cost_is_bought_first() -> None:
    sales = view().sales["P1"]
    store = view(
        product_list=[
            product("A", cost=eur(90)),
            product("B", cost=eur(50)),
            product("C", cost=None),
            product("D", cost=eur(50)),
        ],
        levels=[level(2, "A"), level(2, "B"), level(2, "C"), level(14, "D")],
        sales=dict.fromkeys("ABCD", sales),
    )
    events = [
        StockRanLow(sku=sku, warehouse="main", position=0, reorder_point=30, daily_demand=2.0)
        for sku in "ABCD"
    ]
    found = [p.action.subject for p in await run_agent(inventory, events, store)]  # type: ignore[union-attr]
    assert found[-1] == "product:C"  # whose cost is unknown
    assert found.index("product:B") < found.index(
        "product:A"
    )  # the same stock, five times the margin
    gone = StockRanLow(sku="X", warehouse="main", position=0, reorder_point=9, daily_demand=1.0)
    assert await run_agent(inventory, [gone], store) == []


async def test_what_brings_less_than_it_costs_to_handle_is_left() -> None:
    (proposal,) = await bought(view(levels=[level(0)]))
    assert proposal.effect is not None
    worth = proposal.effect.expected.amount
    dear, fair = [
        await bought(view(levels=[level(0)]), settings={"handling_cost": str(cost)})
        for cost in (worth + 1, worth)
    ]
    assert (dear, len(fair)) == ([], 1)
    unknown = view(product_list=[product(cost=None)], levels=[level(0)])
    assert len(await bought(unknown, settings={"handling_cost": "1000000"})) == 1


async def test_the_delivery_goes_where_most_of_the_product_is() -> None:
    store = view(levels=[level(1), level(3, warehouse="north")])
    (proposal,) = await bought(store)
    assert proposal.action.warehouse == "north"  # type: ignore[attr-defined]


async def test_higher_service_buys_more() -> None:
    event = (await low(view()))[0]
    careful, bold = [
        (await run_agent(inventory, [event], view(), settings={"service": s}))[0]
        for s in (0.99, 0.9)
    ]
    assert careful.action.quantity > bold.action.quantity  # type: ignore[union-attr]
