"""Kinds of mail in which doubt cost other programs a customer: refusals, strangers, forgeries."""

import pytest
from inbound_scenario import Incidents, Room, bowl_room, mail, shared_mail
from mail_scenario import SEALS, mail_scenario

from storecrew.domain.shop.messages import DeliveryState, LiftSuppression, SuppressAddress
from storecrew.domain.shop.support import ReplyToTicket
from storecrew.mail.bounces import BounceKind
from storecrew.mail.parsing import parse_email
from storecrew.mail.refusals import names_mailbox

ORDER = "Oak bowl:2, Oak spoon:1"


@pytest.fixture
def incidents():
    return Incidents()


@pytest.fixture
async def room():
    async with bowl_room() as found:
        yield found


# --- doubt falls to the reversible branch ---------------------------------------------------------

REFUSALS = {
    "550 5.1.1 No such user here": True,
    "550 5.1.1 <kim@buyer.example>: Recipient address rejected: User unknown in table": True,
    "550 no such user": True,
    "550 Unknown recipient": True,
    "550 Mailbox not found": True,
    "550 The email account that you tried to reach does not exist.": True,
    "550 5.2.1 The email account that you tried to reach is disabled": True,
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found": True,
    "553 5.1.3 odd address": True,
    "550 user spam@customer.example unknown": True,
    "550 Rejected because 203.0.113.9 is in a black list at zen.example.org": False,
    "550 SPF check failed": False,
    "550 5.1.8 Access denied, bad outbound sender": False,
    "550 Administrative prohibition": False,
    "550 5.1.7 The sender's address was refused": False,
    "550 relaying denied": False,
    "550 Message rejected: DMARC policy of tea.example": False,
    "553 sorry, your mailserver is on a dynamic address list (#5.7.1)": False,
    "550 High probability of spam": False,
    "552 5.2.2 mailbox full": False,
    "550 Too many recipients this hour": False,
    "550 5.7.1 blocked": False,
    "551 not our customer, please try <other@else.example>": False,
    "550 5.4.1 Recipient address rejected: Access denied": False,
    "550 5.0.0": False,
    "550 Requested action not taken: mailbox unavailable": False,
    "550 5.1.1 sender address unknown": False,
    "550-Verification failed for <shop@tea.example>": False,
    "550 5.5.0 command rejected for policy reasons: user unknown": False,
}


@pytest.mark.parametrize(("said", "is_named"), REFUSALS.items())
def test_only_what_names_the_mailbox_bars_it(said, is_named):
    assert names_mailbox(said[4:]) is is_named


async def test_refusals_of_the_sender_bar_no_customer_and_are_an_incident(incidents):
    said = "550 5.1.8 Access denied, bad outbound sender"
    refuses = True

    async with mail_scenario(at_rcpt=lambda _: said if refuses else "250 OK") as scenario:
        letters = [await scenario.queue(each) for each in await scenario.add_customers(6)]
        sender = scenario.sender(incidents=incidents)
        await sender.round()
        assert {await scenario.state(each) for each in letters} == {DeliveryState.FAILED}
        assert await scenario.store.suppressed(["c0001@customer.example"]) == {}
        assert list(incidents.open) == ["mail/refused"]
        assert "bad outbound sender" in incidents.open["mail/refused"].observed

        refuses = False
        await scenario.queue("c0001")
        await sender.round()
        assert incidents.open == {}


async def test_a_report_about_the_sender_bars_nobody(room: Room):
    number = await room.scenario.queue("c0001")
    await room.scenario.send_all()
    placeholder = "@@MESSAGE-ID OF A LETTER THAT STORECREW SENT@@"
    our_id = SEALS.message_id(number, "shop.example")
    await room.receive(shared_mail("06-dsn-518-bad-sender", **{placeholder: our_id}))

    assert await room.scenario.state(number) is DeliveryState.FAILED
    assert await room.scenario.store.suppressed(["c0001@customer.example"]) == {}


async def test_a_suppression_is_listed_and_lifted(room: Room):
    store = room.scenario.store
    bar = SuppressAddress(address="c0001@customer.example", reason="no such mailbox")
    await store.apply(bar, key="bar")
    (found,) = (await room.scenario.box.suppressions()).items
    assert (found.address, found.reason) == ("c0001@customer.example", "no such mailbox")

    lifted = await store.apply(LiftSuppression(address="C0001@customer.example"), key="lift")
    assert lifted.applied
    assert (await room.scenario.box.suppressions()).items == ()
    again = await store.apply(LiftSuppression(address="c0001@customer.example"), key="again")
    assert not again.applied


# --- one spelling of a format is known ------------------------------------------------------------


async def test_a_report_in_the_form_of_rfc_6533_is_a_bounce(room: Room):
    number = await room.scenario.queue("c0001")
    await room.scenario.send_all()
    placeholder = "@@MESSAGE-ID OF A LETTER THAT STORECREW SENT@@"
    our_id = SEALS.message_id(number, "shop.example")
    await room.receive(shared_mail("07-exim-global-dsn", **{placeholder: our_id}))

    assert await room.scenario.state(number) is DeliveryState.FAILED
    assert "c0001@customer.example" in await room.scenario.store.suppressed(
        ["c0001@customer.example"]
    )


MARK = "<m7.00000000000000000000@shop.example>"
FREE_TEXT = {
    "exim": f"""X-Failed-Recipients: gone@customer.example

This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  gone@customer.example
    host mx.customer.example: 550 5.1.1 no such user here

------ This is a copy of the message, including all the headers. ------

Message-ID: {MARK}
""",
    "qmail": f"""
Hi. This is the qmail-send program at mx.relay.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<gone@customer.example>:
203.0.113.9 does not like recipient.
Remote host said: 550 no such user here
Giving up on 203.0.113.9.

--- Below this line is a copy of the message.

Message-ID: {MARK}
""",
    "postfix": f"""
I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

<gone@customer.example>: host mx.customer.example said: 550 5.1.1
    <gone@customer.example>: Recipient address rejected: User unknown
    (in reply to RCPT TO command)

Message-ID: {MARK}
X-Failed-Recipients: x
""",
    "header alone": f"X-Failed-Recipients: gone@c.example\n\n550 5.1.1 User unknown\n{MARK}\n",
}


@pytest.mark.parametrize("text", FREE_TEXT.values(), ids=FREE_TEXT.keys())
def test_a_bounce_in_free_text_is_recognised(text):
    head = "From: Mail Delivery System <Mailer-Daemon@mx.relay.example>\nReturn-Path: <>\n"
    notice = parse_email((head + text).encode()).bounce
    assert notice.kind in (BounceKind.MAILBOX_NOT_FOUND, BounceKind.RETURNED)
    assert MARK in notice.about


# --- success is told, nothing happened ------------------------------------------------------------


async def test_a_stranger_is_answered_at_their_own_address(room: Room):
    await room.receive(shared_mail("90-stranger"))
    (ticket,) = await room.tickets()
    outcome = await room.scenario.store.apply(
        ReplyToTicket(ticket_id=ticket.id, text="Yes, we do."), key="reply"
    )
    await room.scenario.send_all()

    assert outcome.detail["message_id"]
    assert [to for to, _ in room.scenario.server.emails] == ["new@nobody.example"]
    message = await room.scenario.box.message(int(outcome.detail["message_id"]))
    assert (message.state, message.address) == (DeliveryState.SENT, "new@nobody.example")


async def test_a_strangers_second_mail_goes_on_with_their_ticket(room: Room):
    await room.receive(shared_mail("90-stranger"))
    (ticket,) = await room.tickets()
    reply = ReplyToTicket(ticket_id=ticket.id, text="Yes, we do.")
    outcome = await room.scenario.store.apply(reply, key="reply")
    await room.scenario.send_all()
    our_id = SEALS.message_id(int(outcome.detail["message_id"]), "shop.example")
    head = f"In-Reply-To: {our_id}\n"
    await room.receive(
        mail("And to Iceland?", sender="new@nobody.example", number=5, head=head),
        mail("Me, too", sender="eve@evil.example", number=6, head=head),
    )
    texts = {t.id: t.text for t in await room.tickets()}
    assert texts.pop(ticket.id) == "And to Iceland?"
    assert list(texts.values()) == ["Me, too"]


async def test_a_ticket_without_an_address_says_that_no_letter_goes_out(room: Room):
    await room.receive(shared_mail("31-no-from"))
    (ticket,) = await room.tickets()
    outcome = await room.scenario.store.apply(
        ReplyToTicket(ticket_id=ticket.id, text="It left."), key="reply"
    )
    assert outcome.applied
    assert "no address" in outcome.detail["no_letter"]


# --- forged senders -------------------------------------------------------------------------------

HOST = "mx.host.example"
QUOTED = 'smtp.mailfrom="x;dmarc=pass"@evil.example'
RESULTS = [
    (f"{HOST}; dmarc=fail header.from=buyer.example", HOST, False),
    (f"{HOST}; dmarc=pass header.from=buyer.example", HOST, True),
    (f"{HOST} 1; dkim=pass header.d=buyer.example; dmarc=none", HOST, True),
    (f"{HOST}; spf=pass smtp.mailfrom=eve@evil.example; dmarc=none", HOST, False),
    ("evil.example; dmarc=pass", HOST, False),
    (f"{HOST}; spf=pass {QUOTED}; dmarc=fail", HOST, False),
    (f"{HOST}; spf=none (dmarc=pass) smtp.mailfrom=dmarc=pass@evil.example", HOST, False),
    (f"{HOST}; none", HOST, False),
    (f"{HOST}; dmarc=fail", "", False),
    ("spf=fail (sender IP is 203.0.113.9) smtp.mailfrom=evil.example;dmarc=fail", "", False),
    ("evil.example; dmarc=pass", "", True),
]


@pytest.mark.parametrize(("results", "host", "may_order"), RESULTS)
async def test_a_mail_that_the_mail_host_does_not_confirm_orders_nothing(
    room: Room, results, host, may_order
):
    room.settings = {"authserv_id": host}
    head = f"Authentication-Results: {results}\n"
    await room.receive(mail(ORDER, sender="kim@buyer.example", head=head))

    assert len(room.published) == may_order
    assert len(await room.tickets()) == (not may_order)


async def test_a_forged_sender_gets_no_ticket_of_the_customer(room: Room):
    head = "Authentication-Results: mx; dmarc=fail\nReply-To: eve@evil.example\n"
    await room.receive(mail("Where is order 1?", sender="kim@buyer.example", head=head))
    (ticket,) = await room.tickets()
    assert (ticket.customer, ticket.contact) == (None, None)
    assert "does not come from the address" in ticket.text


async def test_a_forged_sender_ends_nobodys_marketing(room: Room):
    head = "Authentication-Results: mx; dmarc=fail\n"
    await room.receive(mail("unsubscribe", sender="kim@buyer.example", head=head))
    assert (await room.scenario.store.customer("kim")).marketing_consent
