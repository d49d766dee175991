"""The history in bulk, from which the models learn."""

from datetime import date

import pytest
from ledger_shop import Shop, lines

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.inventory import AdjustStock, Shipment, StockoutPeriod
from storecrew.domain.shop.orders import CancelOrder, OrderStatus, PlaceOrder

FIRST = date(2026, 3, 2)
"""The day on which the clock of the test's shop begins."""


async def test_lines_that_were_sold_by_columns_oldest_first(shop: Shop):
    await shop.stocked(A=50, B=50)
    first = await shop.placed(A=2, B=1)
    gone = await shop.placed(A=9)
    await shop.done(CancelOrder(order_id=gone, reason="mistake"))
    shop.clock.advance(days=1)
    order = PlaceOrder(lines=lines(B=3), customer="anna")
    second = int((await shop.done(order)).detail["order_id"])
    shop.clock.advance(days=1)
    await shop.placed(A=7)

    sold = await shop.store.sold_lines(FIRST, date(2026, 3, 3))

    day = FIRST.toordinal()
    rows = list(
        zip(sold.orders, sold.customers, sold.skus, sold.days, sold.quantities, strict=True)
    )
    assert rows == [
        (first, None, "A", day, 2),
        (first, None, "B", day, 1),
        (second, "anna", "B", day + 1, 3),
    ]
    assert list(sold.prices) == [10.0, 10.0, 10.0]
    with pytest.raises(InvalidInput, match="before"):
        await shop.store.sold_lines(FIRST, date(2026, 3, 1))


async def test_shipments_per_warehouse_and_day(shop: Shop):
    await shop.stocked(A=50)
    await shop.order_at(OrderStatus.DELIVERED, A=2)
    await shop.order_at(OrderStatus.DELIVERED, A=3)
    shop.clock.advance(days=1)
    await shop.order_at(OrderStatus.DELIVERED, A=4)

    shipped = await shop.store.shipments(FIRST, FIRST)

    assert shipped == [Shipment(sku="A", warehouse="main", day=FIRST, quantity=5)]


async def test_a_shelf_is_empty_on_whole_days_without_a_unit_anywhere(shop: Shop):
    await shop.stocked(A=5, B=5, C=0)
    await shop.stocked("north", B=1)
    shop.clock.advance(days=1)
    await shop.done(AdjustStock(sku="A", change=-5, reason="lost"))
    await shop.done(AdjustStock(sku="B", change=-5, reason="lost"))
    shop.clock.advance(days=4)
    await shop.stocked(A=1)

    empty = await shop.store.stockout_periods(FIRST, date(2026, 3, 8))

    assert empty == [
        StockoutPeriod(sku="A", first=date(2026, 3, 4), last=date(2026, 3, 6)),
        StockoutPeriod(sku="C", first=date(2026, 3, 3), last=date(2026, 3, 8)),
    ]
    assert await shop.store.stockout_periods(date(2026, 3, 7), date(2026, 3, 7)) == [
        StockoutPeriod(sku="C", first=date(2026, 3, 7), last=date(2026, 3, 7))
    ]
