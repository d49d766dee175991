"""The minimal agent's test: what it proposes, and when it proposes nothing."""

from decimal import Decimal

from scarcity_pricing import scarcity_pricing

from storecrew import FakeStore, Money, Product, StockRanLow, run_agent

MUG = Product(sku="mug", name="Mug", price=Money.of("12.00", "EUR"))


def low(units: int) -> StockRanLow:
    return StockRanLow(
        sku="mug", warehouse="main", position=units, reorder_point=9, daily_demand=2.0
    )


async def test_what_is_about_to_sell_out_becomes_dearer() -> None:
    (proposal,) = await run_agent(scarcity_pricing, low(4), FakeStore(product_list=[MUG]))
    assert proposal.action.price.amount == Decimal("12.60")
    assert proposal.reason == "2.0 days of cover are left."


async def test_what_lasts_three_days_keeps_its_price() -> None:
    assert await run_agent(scarcity_pricing, low(6), FakeStore(product_list=[MUG])) == []
