"""The post box on every database: each letter taken out once, and counts that add up."""

import asyncio
from datetime import timedelta

import pytest
from ledger_shop import Clock, Shop

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.shop.customers import Customer, SetConsent
from storecrew.domain.shop.messages import (
    DeliveryResult,
    DeliveryState,
    MailReport,
    SendMessage,
    SuppressAddress,
)
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.domain.shop.support import OpenTicket, ReplyToTicket
from storecrew.stores.sql.message_queue import SqlMessageQueue

SENT, WAITING, UNKNOWN = DeliveryState.SENT, DeliveryState.WAITING, DeliveryState.UNKNOWN


@pytest.fixture
async def box(shop: Shop) -> SqlMessageQueue:
    people = [
        Customer(id=f"c{n}", name=f"C{n}", email=f"C{n}@example.com", marketing_consent=n != 3)
        for n in range(1, 41)
    ]
    await shop.store.put_customers(people)
    return SqlMessageQueue(shop.store.database, shop.clock)


async def queue(shop: Shop, customer: str, purpose: str = "service", topic: str = "") -> int:
    action = SendMessage(
        customer=customer, purpose=purpose, title="Hello", body="Hello", topic=topic
    )
    return (await shop.done(action)).detail["message_id"]


def result(letter, state: DeliveryState, **more) -> DeliveryResult:
    return DeliveryResult(message_id=letter.message_id, attempt=letter.attempt, state=state, **more)


async def test_letters_are_taken_out_oldest_first_and_each_once(shop: Shop, box: SqlMessageQueue):
    numbers = [await queue(shop, f"c{n}") for n in range(1, 6)]
    first, second, third = [await box.claim(2) for _ in range(3)]

    assert [x.message_id for x in (*first, *second, *third)] == numbers
    assert await box.claim(2) == []
    assert (first[0].address, first[0].name, first[0].attempt) == ("C1@example.com", "C1", 1)
    assert await box.report() == MailReport(queued=5, sending=5)


async def test_what_must_not_go_is_written_down_and_not_taken_out(shop: Shop, box: SqlMessageQueue):
    await queue(shop, "c1", "marketing")
    await queue(shop, "c2", "marketing")
    await shop.done(SetConsent(customer="c1", marketing=False))
    await shop.done(SuppressAddress(address="c2@example.com", reason="complained"))
    await queue(shop, "c1")

    assert [x.purpose for x in await box.claim(10)] == ["service"]
    assert await box.report() == MailReport(queued=3, sending=1, suppressed=2)


async def test_marketing_that_is_held_back_is_found_again(shop: Shop, box: SqlMessageQueue):
    await queue(shop, "c1", "marketing")
    service = await queue(shop, "c2")
    held = await box.claim(10, marketing=False)
    later = await box.claim(10)

    assert [x.message_id for x in held] == [service]
    assert [x.purpose for x in later] == ["marketing"]


async def test_a_letter_that_waits_again_is_due_when_it_was_said(shop: Shop, box: SqlMessageQueue):
    await queue(shop, "c1")
    (letter,) = await box.claim(10)
    due = shop.clock.now() + timedelta(minutes=5)
    await box.record([result(letter, WAITING, detail="451 later", due_at=due)])
    assert await box.claim(10) == []
    shop.clock.advance(minutes=5)
    (again,) = await box.claim(10)

    assert again.attempt == 2
    await box.record([result(again, WAITING, tried=False)])
    (third,) = await box.claim(10)
    assert third.attempt == 2


async def test_what_was_under_way_is_unknown_until_somebody_knows_better(
    shop: Shop, box: SqlMessageQueue
):
    await queue(shop, "c1")
    await queue(shop, "c2")
    one, two = await box.claim(10)
    shop.clock.advance(minutes=1)
    assert await box.recover(shop.clock.now()) == 2
    assert await box.recover(shop.clock.now()) == 0
    await box.record([result(one, SENT), result(two, SENT)])

    assert await box.report() == MailReport(queued=2, sent=2)
    assert await box.claim(10) == []


async def test_a_campaign_is_counted_by_itself(shop: Shop, box: SqlMessageQueue):
    everybody = tuple(f"c{n}" for n in range(1, 41))
    campaign = StartCampaign(
        name="spring", segment="all", title="Hello", body="Hello", recipients=everybody,
        ends_at=shop.clock.now() + timedelta(days=9),
    )  # fmt: skip
    await shop.done(campaign)
    await queue(shop, "c1")
    letters = await box.claim(20)
    await box.record([result(letter, SENT) for letter in letters])

    assert {letter.campaign for letter in letters} == {"spring"}
    assert await box.report("spring") == MailReport(queued=39, waiting=19, sent=20)
    assert await box.report() == MailReport(queued=40, waiting=20, sent=20)
    assert await box.report("no such") == MailReport(queued=0)


async def test_a_person_may_have_it_tried_again(shop: Shop, box: SqlMessageQueue):
    number = await queue(shop, "c1")
    with pytest.raises(InvalidInput):
        await box.retry(number, by="person:owner")
    (letter,) = await box.claim(1)
    await box.record([result(letter, UNKNOWN)])
    await box.retry(number, by="person:owner")

    assert "person:owner" in (await box.message(number)).detail
    assert [x.attempt for x in await box.claim(1)] == [2]
    for missing in (0, -1, 2**70):
        with pytest.raises(NotFound):
            await box.message(missing)
        assert await box.bounced(missing, "x") is None


async def test_pages_and_addresses(shop: Shop, box: SqlMessageQueue):
    for n in range(1, 6):
        await queue(shop, f"c{n}")
    await box.claim(2)
    page = await box.messages(state=WAITING, page=2, per_page=2)

    assert page.total == 3
    assert [x.customer for x in page.items] == ["c3"]
    assert await box.find_customer_by_email("c9@EXAMPLE.com") == "c9"
    assert await box.find_customer_by_email("x@example.com") is None


async def test_topics_are_told_per_customer(shop: Shop, box: SqlMessageQueue):
    await queue(shop, "c1", topic="order:1:placed")
    await queue(shop, "c2", topic="order:2:placed")
    topics = ["order:1:placed", "order:2:placed", "order:3:placed"]

    assert await shop.store.sent_topics(["c1", "c2", "c3"], topics) == {
        "c1": ["order:1:placed"],
        "c2": ["order:2:placed"],
    }
    assert await shop.store.sent_topics([], topics) == {}
    assert await shop.store.sent_topics(["c1"], []) == {}


async def test_an_answer_names_the_newest_mail_of_its_ticket(shop: Shop, box: SqlMessageQueue):
    for id in ("<1@c.example>", "<2@c.example>"):
        asked = OpenTicket(ticket_id="T", text=f"Where? {id}", customer="c1", reference=id)
        await shop.done(asked)
    await shop.done(ReplyToTicket(ticket_id="T", text="Soon."))

    assert [letter.answers for letter in await box.claim(5)] == ["<2@c.example>"]


@pytest.mark.parametrize("wrong", ["1@c.example", "<a b@c>", "<a@c>\r\nBcc: x@y", f"<{'a' * 301}>"])
async def test_what_is_no_message_id_is_not_referred_to(shop: Shop, box: SqlMessageQueue, wrong):
    asked = OpenTicket(ticket_id="T", text="Where?", customer="c1", reference=wrong)
    outcome = await shop.store.apply(asked, key="asked")

    assert (outcome.applied, outcome.code) == (False, "invalid")


async def test_two_who_take_out_at_once_never_get_the_same_letter(shared_location, clock: Clock):
    first, second = await shared_location.open(clock), await shared_location.open(clock)
    shop = Shop(first, clock)
    await first.put_customers([Customer(id="c1", name="C", email="c@example.com")])
    for n in range(60):
        await queue(shop, "c1", topic=f"t:{n}")
    boxes = [SqlMessageQueue(store.database, clock) for store in (first, second)]

    async def take(box: SqlMessageQueue) -> list[int]:
        found = []
        while letters := await box.claim(3):
            found += [letter.message_id for letter in letters]
        return found

    one, two = await asyncio.gather(*map(take, boxes))
    await second.close()
    await first.close()

    assert len(one) + len(two) == 60
    assert len({*one, *two}) == 60
