"""Trade hour by hour, and what came back of an order."""

from datetime import timedelta

from ledger_shop import Shop, euro, lines

from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.returns import AcceptReturn


async def delivered(shop: Shop, text: dict[str, int]) -> int:
    """Bring an order to its customer."""
    placed = await shop.done(PlaceOrder(lines=lines(**text)))
    number = placed.detail["order_id"]
    await shop.done(ApproveOrder(order_id=number))
    await shop.done(CapturePayment(order_id=number, reference=f"r{number}"))
    await shop.done(FulfilOrder(order_id=number))
    await shop.done(CompleteDelivery(order_id=number))
    return number


async def test_hours_of_trade_add_up_and_leave_out_what_was_called_off(shop: Shop):
    await shop.stocked(A=50)
    start = shop.clock.now()
    first = await delivered(shop, {"A": 2})
    await shop.done(PlaceOrder(lines=lines(A=1)))
    gone = (await shop.done(PlaceOrder(lines=lines(A=5)))).detail["order_id"]
    await shop.done(CancelOrder(order_id=gone))
    price = (await shop.store.order(first)).total.amount / 2
    await shop.done(AcceptReturn(order_id=first, lines=(Line(sku="A", quantity=1),)))

    [hour] = await shop.store.hourly_sales(start)

    assert hour.hour == start.replace(minute=0, second=0, microsecond=0)
    assert (hour.orders, hour.value) == (2, euro(str(3 * price)))
    assert hour.refunds == euro(str(price))
    assert await shop.store.hourly_sales(start + timedelta(hours=2)) == []


async def test_an_order_shows_what_came_back(shop: Shop):
    await shop.stocked(A=9, B=9)
    number = await delivered(shop, {"A": 2, "B": 1})
    assert (await shop.store.order(number)).returned == ()
    await shop.done(AcceptReturn(order_id=number, lines=(Line(sku="A", quantity=1),)))
    await shop.done(AcceptReturn(order_id=number, lines=(Line(sku="A", quantity=1),)))

    [order] = await shop.store.orders_by_id([number])

    assert (order.status, order.returned) == (OrderStatus.RETURNED, (Line(sku="A", quantity=2),))
    await shop.done(AcceptReturn(order_id=number))
    everything = (Line(sku="A", quantity=2), Line(sku="B", quantity=1))
    assert (await shop.store.order(number)).returned == everything
