"""Facts from outside that come twice, late, in the wrong order, not at all, or make no sense."""

import pytest

from storecrew.app.crew import CREW
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import AlreadyDecided
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import RecordCompetitorPrice, SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.orders import CancelOrder, DeliveryConfirmed, OrderStatus
from storecrew.domain.shop.payments import CapturePayment
from storecrew.sdk import Proposal, agent
from support.in_memory_plane import settle


async def pay(in_memory_plane, order, key="pay"):
    paid = CapturePayment(order_id=order, reference=f"r{order}")
    return await in_memory_plane.store.apply(paid, key=key, actor="person:customer")


async def status(in_memory_plane, order):
    return (await in_memory_plane.store.order(order)).status


async def booted(in_memory_plane):
    await in_memory_plane.stock()
    return await in_memory_plane.boot(*CREW, wait_for_batches=False)


async def test_a_delivery_told_ten_times_and_a_day_later_delivers_once(in_memory_plane):
    plane = await booted(in_memory_plane)
    order = await in_memory_plane.order()
    await settle(plane)
    await pay(in_memory_plane, order)
    await settle(plane)
    hook = in_memory_plane.news(DeliveryConfirmed(order_id=order), id="hook", source="carrier")

    receipts = [(await plane.publish([hook]))[0] for _ in range(10)]
    await settle(plane)
    in_memory_plane.later(hours=25)
    receipts += await plane.publish([hook])
    await settle(plane)

    assert [r.duplicate for r in receipts] == [False] + [True] * 10
    assert await status(in_memory_plane, order) is OrderStatus.DELIVERED
    done = [s.filed.proposal.action for s in await in_memory_plane.stories()]
    assert [type(a).__name__ for a in done].count("CompleteDelivery") == 1
    assert not await in_memory_plane.verify()


async def test_a_payment_that_comes_before_the_approval_is_refused_and_kept_for_later(
    in_memory_plane,
):
    plane = await booted(in_memory_plane)
    order = await in_memory_plane.order()

    early = await pay(in_memory_plane, order)
    await settle(plane)
    late = await pay(in_memory_plane, order, key="pay again")
    await settle(plane)

    assert (early.applied, late.applied) == (False, True)
    assert await status(in_memory_plane, order) is OrderStatus.AWAITING_DELIVERY
    assert not await in_memory_plane.verify()


async def test_a_delivery_told_before_the_payment_was_heard_of_ends_delivered(in_memory_plane):
    plane = await booted(in_memory_plane)
    order = await in_memory_plane.order()
    await settle(plane)
    await pay(in_memory_plane, order)  # in the shop's books, and not relayed yet
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert await status(in_memory_plane, order) is OrderStatus.DELIVERED
    assert not await in_memory_plane.verify()


async def test_an_order_cancelled_before_its_payment_arrives_is_not_fulfilled(in_memory_plane):
    plane = await booted(in_memory_plane)
    order = await in_memory_plane.order()
    await settle(plane)
    await in_memory_plane.store.apply(
        CancelOrder(order_id=order), key="off", actor="person:customer"
    )
    await settle(plane)

    assert not (await pay(in_memory_plane, order)).applied
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert await status(in_memory_plane, order) is OrderStatus.CANCELLED
    assert [level.available for level in await in_memory_plane.store.stock(["mug"])] == [10]
    assert not await in_memory_plane.verify()


async def test_what_happened_while_nobody_listened_is_found_in_the_outbox(in_memory_plane):
    plane = await booted(in_memory_plane)
    order = await in_memory_plane.order()
    await settle(plane)
    del plane  # the process is gone; customers are not
    await pay(in_memory_plane, order)
    second = await in_memory_plane.order(key="second")

    await settle(await in_memory_plane.boot(wait_for_batches=False))

    assert await status(in_memory_plane, order) is OrderStatus.AWAITING_DELIVERY
    assert await status(in_memory_plane, second) is OrderStatus.AWAITING_PAYMENT
    assert not await in_memory_plane.verify()


ABSURD = [("0", "EUR"), ("-5", "EUR"), ("1000", "EUR"), ("0.01", "EUR"), ("9", "USD")]


@pytest.mark.parametrize(("amount", "currency"), ABSURD)
async def test_an_absurd_price_of_a_rival_moves_nothing_and_is_told(
    in_memory_plane, amount, currency
):
    plane = await booted(in_memory_plane)
    for n in range(10):
        seen = RecordCompetitorPrice(sku="mug", competitor="them", price=Money.of(amount, currency))
        await in_memory_plane.store.apply(seen, key=f"seen/{n}", actor="shop")
        in_memory_plane.later(days=1)
        await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    told = (await in_memory_plane.journal.events(page=1, per_page=500)).items
    assert "ObservationRejected" in {type(event.event).__name__ for event in told}
    assert not await in_memory_plane.verify()


async def test_a_yes_to_what_was_asked_again_meanwhile_is_refused(in_memory_plane):
    prices = iter(("15", "16"))

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def scarcity(event, ctx):
        """Ask for more each time."""
        price = Money.of(next(prices), "EUR")
        yield Proposal(action=SetPrice(sku=event.sku, price=price), reason="")

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(scarcity)
    asked = []
    for _ in range(2):
        low = StockRanLow(
            sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0
        )
        await plane.publish([in_memory_plane.news(low)])
        await settle(plane)
        [one] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
        asked.append(one.filed.id)

    with pytest.raises(AlreadyDecided, match="superseded"):
        await plane.decide(asked[0], ApprovalStatus.APPROVED, by="owner")
    await plane.decide(asked[1], ApprovalStatus.APPROVED, by="owner")
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(16, "EUR")
    assert not await in_memory_plane.verify()


async def test_two_planes_over_one_journal_begin_and_do_everything_once(in_memory_plane):
    in_memory_plane.later(hours=3)  # at night what is meant for customers waits
    first = await booted(in_memory_plane)
    second = await in_memory_plane.boot(wait_for_batches=False)
    order = await in_memory_plane.order()
    for _ in range(6):
        await first.sweep()
        await second.sweep()
        in_memory_plane.later(minutes=1)
    await pay(in_memory_plane, order)
    for _ in range(6):
        await second.sweep()
        await first.sweep()
        in_memory_plane.later(minutes=1)

    assert await status(in_memory_plane, order) is OrderStatus.AWAITING_DELIVERY
    runs = await in_memory_plane.runs()
    assert {run.status for run in runs} == {RunStatus.DONE}
    begun = first.started_runs + second.started_runs
    assert len(begun) == len(set(begun)) == len(runs)
    assert not await in_memory_plane.verify()
