"""Customers are told through the whole plane: events in, messages in the ledger, each once."""

from datetime import timedelta

import pytest

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
from support.in_memory_plane import settle


@pytest.fixture
async def told(in_memory_plane):
    """The plane at noon with one customer, and what she was told so far."""
    in_memory_plane.later(hours=6)
    await in_memory_plane.stock()
    anna = Customer(id="anna", name="Anna", email="anna@c.example")
    await in_memory_plane.store.put_customers([anna])

    async def topics():
        box = SqlMessageQueue(in_memory_plane.store.database, in_memory_plane.clock)
        return [m.topic for m in reversed((await box.messages()).items)]

    return topics


async def an_order(in_memory_plane, key="order") -> int:
    action = PlaceOrder(lines=(Line(sku="mug", quantity=1),), customer="anna")
    return (await in_memory_plane.store.apply(action, key=key)).detail["order_id"]


async def quiet(in_memory_plane, plane):
    in_memory_plane.later(minutes=2)  # changes are gathered for a minute
    await settle(plane)


async def test_r119_one_message_per_transition_of_an_order_whoever_asks_again(
    in_memory_plane, told
):
    plane = await in_memory_plane.boot(customer_communications)
    number = await an_order(in_memory_plane)
    steps = [
        ApproveOrder(order_id=number),
        CapturePayment(order_id=number, reference="r"),
        FulfilOrder(order_id=number),
        CompleteDelivery(order_id=number),
    ]
    await quiet(in_memory_plane, plane)
    for n, step in enumerate(steps):
        assert (await in_memory_plane.store.apply(step, key=f"step/{n}")).applied
        await quiet(in_memory_plane, plane)
        plane = await in_memory_plane.boot()  # a restart tells nobody again
        await quiet(in_memory_plane, plane)

    assert await told() == [
        f"order:{number}:{news}" for news in ("placed", "approved", "paid", "shipped", "delivered")
    ]
    assert await in_memory_plane.verify() == []


async def test_r134_shipping_delay_sends_one_message_though_it_is_posted_twice(
    in_memory_plane, told
):
    plane = await in_memory_plane.boot(customer_communications)
    number = await an_order(in_memory_plane)
    await quiet(in_memory_plane, plane)
    late = ShippingDelayed(
        order_id=number, expected_at=in_memory_plane.clock.now() + timedelta(days=4)
    )
    for _ in range(2):
        await plane.publish([in_memory_plane.news(late)])
        await quiet(in_memory_plane, plane)
    await plane.publish([in_memory_plane.news(late), in_memory_plane.news(late)])
    await quiet(in_memory_plane, plane)

    assert len([t for t in await told() if ":late:" in t]) == 1


async def test_at_night_nothing_is_proposed_and_in_the_morning_how_things_stand(
    in_memory_plane, told
):
    in_memory_plane.later(hours=10)  # ten in the evening
    plane = await in_memory_plane.boot(customer_communications)
    number = await an_order(in_memory_plane)
    await quiet(in_memory_plane, plane)
    await in_memory_plane.store.apply(ApproveOrder(order_id=number), key="approve")
    late = ShippingDelayed(order_id=number)
    await plane.publish([in_memory_plane.news(late)])
    await quiet(in_memory_plane, plane)
    assert await told() == []
    assert await in_memory_plane.stories() == ()

    in_memory_plane.later(hours=10)
    plane = await in_memory_plane.boot()
    await settle(plane)
    await quiet(in_memory_plane, plane)

    assert sorted(await told()) == [f"order:{number}:approved", f"order:{number}:late"]
    assert {run.status for run in await in_memory_plane.runs()} == {RunStatus.DONE}
    assert all(story.outcome.applied for story in await in_memory_plane.stories())


async def test_who_waits_for_a_product_is_told_once_that_it_is_back(in_memory_plane, told):
    empty = UpsertProduct(sku="jug", name="Jug", price=Money.of(5, "EUR"))
    await in_memory_plane.store.apply(empty, key="jug")
    assert (
        await in_memory_plane.store.apply(
            SubscribeBackInStock(customer="anna", sku="jug"), key="wish"
        )
    ).applied
    plane = await in_memory_plane.boot(customer_communications)
    for _ in range(2):
        await plane.publish([in_memory_plane.news(BackInStock(sku="jug"))])
        await quiet(in_memory_plane, plane)

    assert await told() == ["back:jug:2026-03-02"]
    assert list(await in_memory_plane.store.back_in_stock_subscribers("jug")) == []
    box = SqlMessageQueue(in_memory_plane.store.database, in_memory_plane.clock)
    assert (await box.messages(state=DeliveryState.WAITING)).total == 1
