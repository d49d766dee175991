"""Trade hour by hour, and what came back of an order."""

from datetime import timedelta

from ledger_shop import Shop, euro, lines

from storecrew.domain import actions as a
from storecrew.domain.commerce import Line
from storecrew.domain.orders import Status


async def delivered(shop: Shop, text: dict[str, int]) -> int:
    """Bring an order to its customer."""
    placed = await shop.done(a.PlaceOrder(lines=lines(**text)))
    number = placed.detail["order_id"]
    await shop.done(a.ApproveOrder(order_id=number))
    await shop.done(a.CapturePayment(order_id=number, reference=f"r{number}"))
    await shop.done(a.FulfilOrder(order_id=number))
    await shop.done(a.CompleteDelivery(order_id=number))
    return number


async def test_hours_of_trade_add_up_and_leave_out_what_was_called_off(shop: Shop):
    await shop.stocked(A=50)
    start = shop.clock.now()
    first = await delivered(shop, {"A": 2})
    await shop.done(a.PlaceOrder(lines=lines(A=1)))
    gone = (await shop.done(a.PlaceOrder(lines=lines(A=5)))).detail["order_id"]
    await shop.done(a.CancelOrder(order_id=gone))
    price = (await shop.store.order(first)).total.amount / 2
    await shop.done(a.AcceptReturn(order_id=first, lines=(Line(sku="A", quantity=1),)))

    [hour] = await shop.store.trade_hours(start)

    assert hour.hour == start.replace(minute=0, second=0, microsecond=0)
    assert (hour.orders, hour.value) == (2, euro(str(3 * price)))
    assert hour.refunds == euro(str(price))
    assert await shop.store.trade_hours(start + timedelta(hours=2)) == []


async def test_an_order_shows_what_came_back(shop: Shop):
    await shop.stocked(A=9, B=9)
    number = await delivered(shop, {"A": 2, "B": 1})
    assert (await shop.store.order(number)).returned == ()
    await shop.done(a.AcceptReturn(order_id=number, lines=(Line(sku="A", quantity=1),)))
    await shop.done(a.AcceptReturn(order_id=number, lines=(Line(sku="A", quantity=1),)))

    [order] = await shop.store.orders_by_id([number])

    assert (order.status, order.returned) == (Status.RETURNED, (Line(sku="A", quantity=2),))
    await shop.done(a.AcceptReturn(order_id=number))
    everything = (Line(sku="A", quantity=2), Line(sku="B", quantity=1))
    assert (await shop.store.order(number)).returned == everything
