"""Customers are told through the whole plane: events in, messages in the ledger, each once."""

from datetime import timedelta

import pytest
from house import settle

from storecrew.agents.communications import customer_communications
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.customers import BackInStock, Customer, SubscribeBackInStock
from storecrew.domain.shop.messages import DeliveryState
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    PlaceOrder,
    ShippingDelayed,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.stores.sql.message_queue import SqlMessageQueue


@pytest.fixture
async def told(house):
    """The plane at noon with one customer, and what she was told so far."""
    house.later(hours=6)
    await house.stock()
    anna = Customer(id="anna", name="Anna", email="anna@c.example")
    await house.store.put_customers([anna])

    async def topics():
        box = SqlMessageQueue(house.store.database, house.clock)
        return [m.topic for m in reversed((await box.messages()).items)]

    return topics


async def an_order(house, key="order") -> int:
    action = PlaceOrder(lines=(Line(sku="mug", quantity=1),), customer="anna")
    return (await house.store.apply(action, key=key)).detail["order_id"]


async def quiet(house, plane):
    house.later(minutes=2)  # changes are gathered for a minute
    await settle(plane)


async def test_r119_one_message_per_transition_of_an_order_whoever_asks_again(house, told):
    plane = await house.boot(customer_communications)
    number = await an_order(house)
    steps = [
        ApproveOrder(order_id=number),
        CapturePayment(order_id=number, reference="r"),
        FulfilOrder(order_id=number),
        CompleteDelivery(order_id=number),
    ]
    await quiet(house, plane)
    for n, step in enumerate(steps):
        assert (await house.store.apply(step, key=f"step/{n}")).applied
        await quiet(house, plane)
        plane = await house.boot()  # a restart tells nobody again
        await quiet(house, plane)

    assert await told() == [
        f"order:{number}:{news}" for news in ("placed", "approved", "paid", "shipped", "delivered")
    ]
    assert await house.verify() == []


async def test_r134_shipping_delay_sends_one_message_though_it_is_posted_twice(house, told):
    plane = await house.boot(customer_communications)
    number = await an_order(house)
    await quiet(house, plane)
    late = ShippingDelayed(order_id=number, expected_at=house.clock.now() + timedelta(days=4))
    for _ in range(2):
        await plane.publish([house.news(late)])
        await quiet(house, plane)
    await plane.publish([house.news(late), house.news(late)])
    await quiet(house, plane)

    assert len([t for t in await told() if ":late:" in t]) == 1


async def test_at_night_nothing_is_proposed_and_in_the_morning_how_things_stand(house, told):
    house.later(hours=10)  # ten in the evening
    plane = await house.boot(customer_communications)
    number = await an_order(house)
    await quiet(house, plane)
    await house.store.apply(ApproveOrder(order_id=number), key="approve")
    late = ShippingDelayed(order_id=number)
    await plane.publish([house.news(late)])
    await quiet(house, plane)
    assert await told() == []
    assert await house.stories() == ()

    house.later(hours=10)
    plane = await house.boot()
    await settle(plane)
    await quiet(house, plane)

    assert sorted(await told()) == [f"order:{number}:approved", f"order:{number}:late"]
    assert {run.status for run in await house.runs()} == {RunStatus.DONE}
    assert all(story.outcome.applied for story in await house.stories())


async def test_who_waits_for_a_product_is_told_once_that_it_is_back(house, told):
    empty = UpsertProduct(sku="jug", name="Jug", price=Money.of(5, "EUR"))
    await house.store.apply(empty, key="jug")
    assert (
        await house.store.apply(SubscribeBackInStock(customer="anna", sku="jug"), key="wish")
    ).applied
    plane = await house.boot(customer_communications)
    for _ in range(2):
        await plane.publish([house.news(BackInStock(sku="jug"))])
        await quiet(house, plane)

    assert await told() == ["back:jug:2026-03-02"]
    assert list(await house.store.back_in_stock_subscribers("jug")) == []
    box = SqlMessageQueue(house.store.database, house.clock)
    assert (await box.messages(state=DeliveryState.WAITING)).total == 1
