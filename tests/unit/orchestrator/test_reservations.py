"""One customer's unpaid orders cannot hold all of the stock, however they are split."""

from storecrew.agents.mail_interface import mail_interface
from storecrew.agents.order_management import order_management
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import ApproveOrder, OrderStatus
from storecrew.policy import PolicySettings
from support.in_memory_plane import settle


async def shop(plane, units=900):
    plane.policy = PolicySettings()
    await plane.stock(units=units)
    await plane.store.put_customers(
        [Customer(id=name, name=name, email=f"{name}@c.example") for name in ("eve", "anna")]
    )
    return await plane.boot(mail_interface)


async def placed(plane):
    return [(o.customer, sum(x.quantity for x in o.lines)) for o in await plane.store.open_orders()]


async def waiting(plane):
    found = (await plane.journal.approvals(page=1, per_page=99)).items
    return [approval.question.rule for approval in found]


def ordered(plane, customer, units):
    return plane.news(MailReceived(mail=f"mug:{units}", customer=customer))


async def test_an_order_of_all_that_there_is_waits_for_a_person(in_memory_plane):
    plane = await shop(in_memory_plane)
    await plane.publish([ordered(in_memory_plane, "eve", 900)])
    await settle(plane)
    assert await placed(in_memory_plane) == []
    assert await waiting(in_memory_plane) == ["reservations"]


async def test_many_small_orders_of_one_customer_count_together(in_memory_plane):
    plane = await shop(in_memory_plane)
    await plane.publish([ordered(in_memory_plane, "eve", 100)])
    await settle(plane)
    for _ in range(5):
        await plane.publish([ordered(in_memory_plane, "eve", 100) for _ in range(2)])
        await settle(plane)
    held = sum(units for customer, units in await placed(in_memory_plane) if customer == "eve")
    assert held <= 450

    await plane.publish([ordered(in_memory_plane, "anna", 100)])
    await settle(plane)
    assert ("anna", 100) in await placed(in_memory_plane)


async def test_an_order_that_nobody_pays_gives_its_units_back_alone(in_memory_plane):
    in_memory_plane.policy = PolicySettings()
    await in_memory_plane.stock()
    number = await in_memory_plane.order(quantity=10)
    await in_memory_plane.store.apply(ApproveOrder(order_id=number), key="approve")
    plane = await in_memory_plane.boot(order_management)
    await settle(plane)
    for _ in range(170):
        in_memory_plane.later(hours=1)
        await settle(plane)

    assert (await in_memory_plane.store.order(number)).status is OrderStatus.CANCELLED
    (level,) = await in_memory_plane.store.stock(["mug"])
    assert level.available == 10
    assert not await in_memory_plane.verify()
