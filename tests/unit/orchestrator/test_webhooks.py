"""Facts from outside that come twice, late, in the wrong order, not at all, or make no sense."""

import pytest
from house import settle

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


async def pay(house, order, key="pay"):
    paid = CapturePayment(order_id=order, reference=f"r{order}")
    return await house.store.apply(paid, key=key, actor="person:customer")


async def status(house, order):
    return (await house.store.order(order)).status


async def booted(house):
    await house.stock()
    return await house.boot(*CREW, wait_for_batches=False)


async def test_a_delivery_told_ten_times_and_a_day_later_delivers_once(house):
    plane = await booted(house)
    order = await house.order()
    await settle(plane)
    await pay(house, order)
    await settle(plane)
    hook = house.news(DeliveryConfirmed(order_id=order), id="hook", source="carrier")

    receipts = [(await plane.publish([hook]))[0] for _ in range(10)]
    await settle(plane)
    house.later(hours=25)
    receipts += await plane.publish([hook])
    await settle(plane)

    assert [r.duplicate for r in receipts] == [False] + [True] * 10
    assert await status(house, order) is OrderStatus.DELIVERED
    done = [s.filed.proposal.action for s in await house.stories()]
    assert [type(a).__name__ for a in done].count("CompleteDelivery") == 1
    assert not await house.verify()


async def test_a_payment_that_comes_before_the_approval_is_refused_and_kept_for_later(house):
    plane = await booted(house)
    order = await house.order()

    early = await pay(house, order)
    await settle(plane)
    late = await pay(house, order, key="pay again")
    await settle(plane)

    assert (early.applied, late.applied) == (False, True)
    assert await status(house, order) is OrderStatus.AWAITING_DELIVERY
    assert not await house.verify()


async def test_a_delivery_told_before_the_payment_was_heard_of_ends_delivered(house):
    plane = await booted(house)
    order = await house.order()
    await settle(plane)
    await pay(house, order)  # in the shop's books, and not relayed yet
    await plane.publish([house.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert await status(house, order) is OrderStatus.DELIVERED
    assert not await house.verify()


async def test_an_order_cancelled_before_its_payment_arrives_is_not_fulfilled(house):
    plane = await booted(house)
    order = await house.order()
    await settle(plane)
    await house.store.apply(CancelOrder(order_id=order), key="off", actor="person:customer")
    await settle(plane)

    assert not (await pay(house, order)).applied
    await plane.publish([house.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert await status(house, order) is OrderStatus.CANCELLED
    assert [level.available for level in await house.store.stock(["mug"])] == [10]
    assert not await house.verify()


async def test_what_happened_while_nobody_listened_is_found_in_the_outbox(house):
    plane = await booted(house)
    order = await house.order()
    await settle(plane)
    del plane  # the process is gone; customers are not
    await pay(house, order)
    second = await house.order(key="second")

    await settle(await house.boot(wait_for_batches=False))

    assert await status(house, order) is OrderStatus.AWAITING_DELIVERY
    assert await status(house, second) is OrderStatus.AWAITING_PAYMENT
    assert not await house.verify()


ABSURD = [("0", "EUR"), ("-5", "EUR"), ("1000", "EUR"), ("0.01", "EUR"), ("9", "USD")]


@pytest.mark.parametrize(("amount", "currency"), ABSURD)
async def test_an_absurd_price_of_a_rival_moves_nothing_and_is_told(house, amount, currency):
    plane = await booted(house)
    for n in range(10):
        seen = RecordCompetitorPrice(sku="mug", competitor="them", price=Money.of(amount, currency))
        await house.store.apply(seen, key=f"seen/{n}", actor="shop")
        house.later(days=1)
        await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    told = (await house.journal.events(page=1, per_page=500)).items
    assert "ObservationRejected" in {type(event.event).__name__ for event in told}
    assert not await house.verify()


async def test_a_yes_to_what_was_asked_again_meanwhile_is_refused(house):
    prices = iter(("15", "16"))

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def scarcity(event, ctx):
        """Ask for more each time."""
        price = Money.of(next(prices), "EUR")
        yield Proposal(action=SetPrice(sku=event.sku, price=price), reason="")

    await house.stock()
    plane = await house.boot(scarcity)
    asked = []
    for _ in range(2):
        low = StockRanLow(
            sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0
        )
        await plane.publish([house.news(low)])
        await settle(plane)
        [one] = (await house.journal.approvals(page=1, per_page=9)).items
        asked.append(one.filed.id)

    with pytest.raises(AlreadyDecided, match="superseded"):
        await plane.decide(asked[0], ApprovalStatus.APPROVED, by="owner")
    await plane.decide(asked[1], ApprovalStatus.APPROVED, by="owner")
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(16, "EUR")
    assert not await house.verify()


async def test_two_planes_over_one_journal_begin_and_do_everything_once(house):
    house.later(hours=3)  # at night what is meant for customers waits
    first = await booted(house)
    second = await house.boot(wait_for_batches=False)
    order = await house.order()
    for _ in range(6):
        await first.sweep()
        await second.sweep()
        house.later(minutes=1)
    await pay(house, order)
    for _ in range(6):
        await second.sweep()
        await first.sweep()
        house.later(minutes=1)

    assert await status(house, order) is OrderStatus.AWAITING_DELIVERY
    runs = await house.runs()
    assert {run.status for run in runs} == {RunStatus.DONE}
    begun = first.started_runs + second.started_runs
    assert len(begun) == len(set(begun)) == len(runs)
    assert not await house.verify()
