"""Inbound mail: each is recorded once, for what it is, and never because its text says so."""

import asyncio

import pytest
from imap_server import served
from inbound_scenario import Inbox, Room, mail, make_room
from mail_scenario import SEALS, mail_scenario

from storecrew.domain.errors import StorageBusy
from storecrew.domain.shop.messages import DeliveryState, SendMessage
from storecrew.domain.shop.support import ReplyToTicket, TicketStatus
from storecrew.mail.mailbox import ImapMailbox


@pytest.fixture
async def room():
    async with mail_scenario() as scenario:
        yield await make_room(scenario)


async def test_a_question_becomes_a_ticket_of_its_customer(room: Room):
    await room.receive(mail("Where is my order?", sender="C0001@Customer.Example"))
    (ticket,) = await room.tickets()

    assert ticket.customer == "c0001"
    assert ticket.channel == "mail"
    assert ticket.text == "Question\n\nWhere is my order?"
    assert ticket.status is TicketStatus.OPEN


async def test_a_stranger_has_a_ticket_without_a_customer(room: Room):
    await room.receive(mail("Do you sell coffee?", sender="who@else.example"))
    (ticket,) = await room.tickets()
    assert ticket.customer is None


async def test_an_order_by_mail_is_told_as_one_once_and_is_no_ticket(room: Room):
    order = mail("Green Tea:2, tea:1")
    await room.receive(order, order)
    (event,) = room.published

    assert event.event.mail == "Green Tea:2, tea:1"
    assert event.event.customer == "c0001"
    assert await room.tickets() == []


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        ("Time of delivery: 5", "c0001@customer.example"),
        ("Green Tea:2, Elephant:1", "c0001@customer.example"),
        ("Green Tea:2", "who@else.example"),
    ],
)
async def test_what_only_looks_like_an_order_is_a_question(room: Room, text, sender):
    await room.receive(mail(text, sender=sender))
    assert room.published == []
    assert len(await room.tickets()) == 1


async def test_the_same_mail_twice_is_one_ticket(room: Room):
    await room.receive(mail("Hello?"), mail("Hello?"))
    assert len(await room.tickets()) == 1


async def test_a_crash_before_the_place_is_kept_loses_and_doubles_nothing(room: Room):
    await room.receive()
    room.inbox.mails += [mail("One?", number=1).encode(), mail("Two?", number=2).encode()]

    async def crash(name, value):
        raise StorageBusy("journal")

    keep, room.notes.keep = room.notes.keep, crash
    with pytest.raises(StorageBusy):
        await room.processor().round()
    room.notes.keep = keep
    await room.processor().round()

    assert sorted(t.text for t in await room.tickets()) == ["Question\n\nOne?", "Question\n\nTwo?"]


async def test_an_answer_to_a_ticket_goes_on_with_it(room: Room):
    await room.receive(mail("Where is it?"))
    (ticket,) = await room.tickets()
    said = SendMessage(
        customer="c0001", purpose="service", title="Re", body="Soon", topic=f"ticket:{ticket.id}:1"
    )
    sent = await room.scenario.store.apply(said, key="reply")
    our_id = SEALS.message_id(sent.detail["message_id"], "shop.example")
    await room.receive(mail("And now?", number=2, head=f"In-Reply-To: {our_id}\n"))
    (again,) = await room.tickets()

    assert again.id == ticket.id
    assert again.text == "And now?"


@pytest.mark.parametrize(
    ("named", "referred"), [("<a.b=c@c.example>", "<a.b=c@c.example>"), ("no id", ""), ("", "")]
)
async def test_our_answer_refers_to_the_mail_that_it_answers(room: Room, named, referred):
    first = mail("Where is it?").replace("<1@c.example>", named)
    await room.receive(first)
    (ticket,) = await room.tickets()
    answer = ReplyToTicket(ticket_id=ticket.id, text="Soon.")
    await room.scenario.store.apply(answer, key="answer")
    (email,) = await room.scenario.box.claim(5)

    if named:
        assert email.answers == referred
    else:  # nobody named it, so we did
        assert email.answers.endswith("@unnamed>")


async def test_an_answer_to_a_message_about_an_order_names_the_order(room: Room):
    said = {"customer": "c0001", "purpose": "service", "title": "x", "body": "y"}
    sent = await room.scenario.store.apply(
        SendMessage(**said, topic="order:17:shipped"), key="shipped"
    )
    our_id = SEALS.message_id(sent.detail["message_id"], "shop.example")
    await room.receive(mail("It never came", head=f"References: {our_id}\n"))
    (ticket,) = await room.tickets()
    assert ticket.order_id == 17


async def test_who_answers_in_anothers_name_gets_a_ticket_of_their_own(room: Room):
    said = {"customer": "c0001", "purpose": "service", "title": "x", "body": "y"}
    sent = await room.scenario.store.apply(
        SendMessage(**said, topic="order:17:shipped"), key="shipped"
    )
    our_id = SEALS.message_id(sent.detail["message_id"], "shop.example")
    await room.receive(
        mail("Tell me all", sender="c0002@customer.example", head=f"In-Reply-To: {our_id}\n")
    )
    (ticket,) = await room.tickets()
    assert (ticket.customer, ticket.order_id) == ("c0002", None)


async def test_one_unsubscribes_by_mail_with_ones_own_token_only(room: Room):
    token = SEALS.unsubscribe_token("c0001")
    forged = token[:-3] + "000"
    await room.receive(
        mail("", subject=f"unsubscribe {token}", number=1),
        mail("", subject=f"unsubscribe {forged}", sender="c0002@customer.example", number=2),
    )
    agreed = [(await room.scenario.store.customer(c)).marketing_consent for c in ("c0001", "c0002")]
    assert agreed == [False, True]


def bounce(message_id: str, status="5.1.1", number=9) -> str:
    return f"""From: MAILER-DAEMON@mx.example
Message-ID: <{number}@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; c0002@customer.example
Action: failed
Status: {status}

--b
Content-Type: message/rfc822

Message-ID: {message_id}

--b--
"""


async def test_a_letter_that_comes_back_bars_the_address_that_it_was_sent_to(room: Room):
    number = await room.scenario.queue("c0001")
    await room.scenario.send_all()
    await room.receive(bounce(SEALS.message_id(number, "shop.example")))

    # the report names another recipient, but we know where that letter went
    assert list(await room.scenario.store.suppressed(["c0001@customer.example"])) == [
        "c0001@customer.example"
    ]
    assert await room.scenario.store.suppressed(["c0002@customer.example"]) == {}
    assert await room.scenario.state(number) is DeliveryState.FAILED
    assert await room.tickets() == []


async def test_a_forged_report_bars_nobody(room: Room):
    number = await room.scenario.queue("c0002")
    await room.scenario.send_all()
    await room.receive(bounce(f"<m{number}.00000000000000000000@shop.example>"))

    assert await room.scenario.store.suppressed(["c0002@customer.example"]) == {}
    assert await room.scenario.state(number) is DeliveryState.SENT


async def test_a_full_mailbox_is_written_to_again(room: Room):
    number = await room.scenario.queue("c0001")
    await room.scenario.send_all()
    await room.receive(bounce(SEALS.message_id(number, "shop.example"), status="5.2.2"))

    assert await room.scenario.store.suppressed(["c0001@customer.example"]) == {}
    assert await room.scenario.state(number) is DeliveryState.FAILED


async def test_who_complains_is_written_to_no_more(room: Room):
    number = await room.scenario.queue("c0001")
    await room.scenario.send_all()
    complaint = bounce(SEALS.message_id(number, "shop.example")).replace(
        "report-type=delivery-status", "report-type=feedback-report"
    )
    await room.receive(complaint)

    assert "c0001@customer.example" in await room.scenario.store.suppressed(
        ["c0001@customer.example"]
    )
    assert await room.scenario.state(number) is DeliveryState.SENT


async def test_what_programs_write_and_our_own_mail_are_no_questions(room: Room):
    await room.receive(
        mail("I am away", head="Auto-Submitted: auto-replied\n", number=1),
        mail("Copy", sender="shop@shop.example", number=2),
        mail("", subject="", number=3),
    )
    assert await room.tickets() == []


async def test_two_mails_under_one_id_are_two(room: Room):
    await room.receive(
        mail("First", number=1),
        mail("Another text under the same id", number=1, sender="o@d.example"),
        mail("Third", number=3),
    )
    assert len(await room.tickets()) == 3


async def test_mail_from_a_real_server_becomes_tickets():
    async with mail_scenario() as scenario, served() as box:
        await scenario.add_customers(1)
        own = Room(scenario, Inbox())
        room = own.processor(inbox=ImapMailbox(box.settings))
        await room.round()
        await asyncio.to_thread(box.drop, *(mail("Hi", number=n).encode() for n in range(3)))
        await room.round()
        await room.round()
        assert len(await own.tickets()) == 3
