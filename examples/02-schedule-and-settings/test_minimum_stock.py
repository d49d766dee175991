"""What the agent buys under the default and under another minimum."""

from minimum_stock import minimum_stock

from storecrew import CreatePurchaseOrder, FakeStore, RunRequested, StockLevel, run_agent

SHELF = [
    StockLevel(sku="mug", warehouse="main", on_hand=12, reserved=5),
    StockLevel(sku="pot", warehouse="main", on_hand=30, reserved=0),
]


async def test_what_is_missing_to_the_minimum_is_bought() -> None:
    asked = RunRequested(agent="minimum_stock", by="owner")
    (found,) = await run_agent(minimum_stock, asked, FakeStore(levels=SHELF))
    assert found.action == CreatePurchaseOrder(sku="mug", quantity=3, warehouse="main")


async def test_the_minimum_is_a_setting() -> None:
    asked = RunRequested(agent="minimum_stock", by="owner")
    found = await run_agent(minimum_stock, asked, FakeStore(levels=SHELF), settings={"minimum": 40})
    assert [each.action.quantity for each in found] == [33, 10]
