"""Kinds of mail that stopped or fooled other programs become what a person makes of them."""

import time
from dataclasses import dataclass, replace

import pytest
from inbound_scenario import Room, bowl_room, mail, shared_mail
from mail_scenario import SEALS

from storecrew.domain.errors import Retryable
from storecrew.mail.mailbox import FetchedEmail, FetchResult
from storecrew.mail.parsing import MAX_TEXT, parse_email

HANG = 2.0
"""Seconds after which reading one mail counts as a hang; it takes milliseconds."""
NEST = b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"
NESTED = b"From: c0001@customer.example\n" + b"Content-Type: message/rfc822\n\n" * 1_000


@pytest.fixture
async def room():
    async with bowl_room() as found:
        yield found


# --- one bad item blocks a queue for ever --------------------------------------------------------

POISON = {
    "parameter without value": b"Content-Type: text/plain; charset=utf-8; name*",
    "continued parameter": b"Content-Type: text/plain; name*0*=utf-8''a; name*x=b; charset*=x",
    "comments without end": b"Content-Transfer-Encoding: " + b"(" * 9_000,
    "addresses in an encoding": b"Content-Transfer-Encoding: " + b"a@b," * 30_000,
    "unknown charset": b'Content-Type: text/plain; charset="=?\x00?="',
    "charset that is no text": b"Content-Type: text/plain; charset=base64",
    "charset of escapes": b"Content-Type: text/plain; charset=idna",
    "date": b"Date: Mon, 99 Foo 99999999999999 99:99:99 +999999",
    "message id": b"Message-ID: <[" + b"[" * 5_000,
    "encoded words": b"Subject: " + b"=?utf-8?B?=?=?x?Q?" * 2_000,
    "disposition": b"Content-Disposition: attachment; filename*=''%ff%; filename",
    "disposition without value": b'Content-Disposition: ; ; ;"',
    "references": b"References: " + b"<" * 60_000,
    "results": b"Authentication-Results: " + b'("' * 5_000,
    "no colon": b"this is no header",
    "boundary of a regular expression": b'Content-Type: multipart/mixed; boundary="(a+)+$["',
    "empty boundary": b'Content-Type: multipart/mixed; boundary=""',
}


@pytest.mark.parametrize("head", POISON.values(), ids=POISON.keys())
async def test_a_mail_with_a_poisonous_header_is_read_and_the_next_one_too(room: Room, head):
    first = b"From: <kim@buyer.example>\nSubject: Parcel\n" + head + b"\n\nWhere is my parcel?\n"
    begun = time.monotonic()
    await room.receive(first, mail("Next", number=2))

    assert time.monotonic() - begun < HANG
    assert any("Where is my parcel?" in t.text for t in await room.tickets())
    assert any("Next" in t.text for t in await room.tickets())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("01-poison", "My parcel has not come yet."),
        ("01-poison-parentheses", "Where is my parcel?"),
        ("01-slow-header", "hello"),
        ("01-boundary-apostrophe", "Do you have the green tea in tins?"),
        ("30-wrapped-reply", "Oak bowl:2"),
    ],
)
def test_a_mail_that_stopped_the_mailbox_is_read_at_once(name, words):
    begun = time.monotonic()
    assert words in parse_email(shared_mail(name)).text
    assert time.monotonic() - begun < HANG


@pytest.mark.parametrize(
    "content",
    [
        NESTED,
        b"From: a@b.c\n" + b"Content-Type: multipart/mixed; boundary=x\n\n--x\n" * 1_000,
        b"From: a@b.c\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n" * 60_000,
        b"From: a@b.c\n" + b"".join(NEST % (n, n) for n in range(3_000)),
        b"From: a@b.c\nContent-Type: message/delivery-status\n\n" + b"A: b\n\n" * 40_000,
        b"From: Mailer-Daemon <>\nReturn-Path: <>\n\n" + b"<a@b.c>: 550 \n" * 18_000,
        b"From: Mailer-Daemon <>\nReturn-Path: <>\n\n" + b"\n" * 262_000,
        b"From: a@b.c\nContent-Type: text/html\n\n" + b"<div><p>" * 32_000,
        b"From: a@b.c\n\n" + b"On Tue, \n" * 29_000,
        b"From: a@b.c\n\n" + b" " * 262_000,
        b"A:" + b" b\n" * 80_000,
        b"From: " + b"<" * 262_000,
        b"From: " + b"(" * 262_000,
    ],
    ids=range(13),
)  # fmt: skip
def test_no_mail_takes_long_whatever_its_shape(content):
    begun = time.monotonic()
    found = parse_email(content[:262_144])
    assert time.monotonic() - begun < HANG
    assert not found.problem
    assert len(found.text) <= MAX_TEXT


async def test_a_mail_of_a_thousand_messages_in_each_other_is_counted_and_reported(room: Room):
    await room.receive(NESTED, mail("Next", number=2))

    assert [t.text for t in await room.tickets()] == ["Question\n\nNext"]
    assert room.skipped.reasons == ["it has no subject and no text"]
    assert list(room.incidents.open) == ["mail/unreadable"]


@dataclass
class FaultyServer:
    """A mailbox whose second mail the server never gives."""

    room: Room

    def fetch(self, after, now, *, limit=50):
        found = self.room.inbox.fetch(after, now, limit=limit)
        for number, each in enumerate(found.mails):
            if each.uid == 2:
                bad = FetchedEmail(uid=2, problem="the server did not give it: NO")
                cursor = replace(found.cursor, uid=2)
                return FetchResult(mails=(*found.mails[:number], bad), cursor=cursor, more=True)
        return found


async def test_a_mail_that_the_server_never_gives_is_passed_by_after_three_looks(room: Room):
    processor = room.processor(inbox=FaultyServer(room))
    await processor.look()
    room.inbox.mails += [mail(f"Mail {n}", number=n).encode() for n in (1, 2, 3)]
    looks = [await processor.look() for _ in range(6)]

    assert looks[:3] == [False, False, True]
    assert sorted(t.text[-6:] for t in await room.tickets()) == ["Mail 1", "Mail 3"]
    assert room.skipped.reasons == ["the server did not give it: NO"]
    assert list(room.incidents.open) == ["mail/unreadable"]


async def test_a_mail_on_which_the_store_fails_for_an_unknown_reason_stops_no_other(room: Room):
    class Store:
        def __init__(self, store):
            self.store = store

        def __getattr__(self, name):
            return getattr(self.store, name)

        async def apply(self, action, **more):
            if "poison" in getattr(action, "text", ""):
                raise RuntimeError("a fault nobody thought of")
            return await self.store.apply(action, **more)

    processor = room.processor(store=Store(room.scenario.store))
    await processor.look()
    room.inbox.mails += [mail(text, number=n).encode() for n, text in enumerate(["poison", "good"])]
    for _ in range(4):
        await processor.look()

    assert [t.text for t in await room.tickets()] == ["Question\n\ngood"]
    assert room.skipped.reasons == ["it cannot be recorded: RuntimeError"]


async def test_a_database_that_is_away_costs_no_mail(room: Room):
    class Away(Retryable):
        pass

    async def publish(_events):
        raise Away("the database is away")

    processor = room.processor(publish=publish)
    await processor.look()
    room.inbox.mails.append(mail("Green Tea:1").encode())
    for _ in range(10):
        await processor.look()
    assert room.published == []
    assert list(room.incidents.open) == ["mail/mailbox"]

    await room.processor().look()
    assert len(room.published) == 1
    assert room.incidents.open == {}
    assert room.skipped.found == []


# --- mail that programs mangle --------------------------------------------------------------------

ORDER = "Oak bowl:2, Oak spoon:1"
MANGLED = {
    "telephone": f"{ORDER}\n\nSent from my iPhone",
    "telephone, German": f"{ORDER}\n\nVon meinem iPhone gesendet",
    "telephone, French": f"{ORDER}\n\nEnvoyé de mon iPhone",
    "Outlook": f"{ORDER}\n\nGet Outlook for iOS<https://aka.ms/o0ukef>",
    "signature": f"{ORDER}\n-- \nKim Buyer\nBuyer Ltd",
    "wrapped introduction": f"{ORDER}\n\nOn Tue, 2 Jun 2026 at A Shop\n<a@b.c> wrote:\n\n> x",
    "wrapped twice": f"{ORDER}\n\nAm Di., 2. Juni 2026\nUhr schrieb Ein Laden\n<a@b.c>:\n> x",
    "one a line": "Oak bowl:2\nOak spoon:1",
    "bullets": "- Oak bowl: 2\n- Oak spoon: 1",
    "flowed": "Oak bowl:2, \nOak spoon:1",
    "broken within a name": "Oak\nbowl:2, Oak spoon:1",
    "wide characters": "Oak bowl：２, Oak spoon：１",
    "no-break spaces": "Oak\u00a0bowl:\u00a02, Oak\u00a0spoon:\u00a01",
    "zero width": "Oak bowl\u200b:2, Oak spoon:1\ufeff",
    "closing mark": "Oak bowl:2, Oak spoon:1.",
    "carriage returns": "Oak bowl:2,\r\nOak spoon:1\r\n",
}


@pytest.mark.parametrize("text", MANGLED.values(), ids=MANGLED.keys())
async def test_an_order_is_one_whatever_mail_programs_make_of_it(room: Room, text):
    content = mail(
        text, sender="kim@buyer.example", head="Content-Type: text/plain; charset=utf-8\n"
    )
    await room.receive(content)
    (event,) = room.published
    assert event.event.customer == "kim"
    assert event.event.mail.replace(" ", "").replace("\n", "") == "Oakbowl:2,Oakspoon:1"


HTML = "<div>Oak bowl:2</div><div>Oak&nbsp;spoon:1</div><div><br></div>"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html; charset=utf-8", HTML),
        ("multipart/alternative; boundary=\"x\"", f"--x\nContent-Type: text/html\n\n{HTML}\n--x--"),
        ("multipart/alternative; boundary=part'one", f"--part'one\n\n{ORDER}\n--part'one--"),
        ("multipart/alternative", f"--made-up\n\n{ORDER}\n--made-up--"),
        ("multipart/alternative; boundary=wrong", f"--right\n\n{ORDER}\n--right--"),
        ("multipart/mixed; boundary=x", f"--x\n\n{ORDER}\n"),
        ("text/plain; name=\"order.txt\"", ORDER),
        ("TEXT/PLAIN; CHARSET=\"utf-8\"", ORDER),
        ("nonsense", ORDER),
    ],
)  # fmt: skip
async def test_an_order_is_found_in_whatever_part_it_stands(room: Room, kind, body):
    await room.receive(mail(body, sender="kim@buyer.example", head=f"Content-Type: {kind}\n"))
    assert len(room.published) == 1


@pytest.mark.parametrize("name", ["30-phone", "30-wrapped-reply"])
async def test_an_order_of_the_shared_cases_is_an_order(room: Room, name):
    await room.receive(shared_mail(name))
    assert [event.event.mail for event in room.published] == [ORDER]


@pytest.mark.parametrize("name", ["31-comma", "31-no-from"])
async def test_a_question_with_a_damaged_sender_is_a_ticket(room: Room, name):
    await room.receive(shared_mail(name))
    (ticket,) = await room.tickets()
    assert ticket.text.endswith("Where is my parcel?")
    assert ticket.customer == ("kim" if name == "31-comma" else None)


@pytest.mark.parametrize(
    ("header", "sender"),
    [
        ("Buyer, Kim <kim@buyer.example>", "kim@buyer.example"),
        ('"Kim <evil@x.example>" <kim@buyer.example>', "kim@buyer.example"),
        ("kim@buyer.example (Kim, at home)", "kim@buyer.example"),
        ("KIM@BUYER.EXAMPLE", "kim@buyer.example"),
        ("=?utf-8?q?Buyer=2C_Kim?= <kim@buyer.example>", "kim@buyer.example"),
        ("kim@buyer.example <kim@buyer.example>", "kim@buyer.example"),
        ("<kim@buyer.example>, <eve@evil.example>", ""),
        ("Kim", ""),
        ("", ""),
        ("<>", ""),
    ],
)
def test_a_sender_is_the_one_address_that_the_header_names(header, sender):
    assert parse_email(f"From: {header}\n\nHi".encode()).sender == sender


# --- mail passed by without a trace --------------------------------------------------------------


async def test_a_group_of_the_shops_own_is_no_newsletter(room: Room):
    await room.receive(shared_mail("08-google-group"))
    (ticket,) = await room.tickets()
    assert "two cups" in ticket.text
    assert ticket.customer == "pat"


async def test_a_form_on_the_shops_site_is_answered_to_who_filled_it_in(room: Room):
    await room.receive(shared_mail("29-contact-form"))
    (ticket,) = await room.tickets()
    assert ticket.contact == "kim@buyer.example"
    assert ticket.customer is None


async def test_two_mails_under_one_id_are_two_tickets(room: Room):
    await room.receive(shared_mail("32-a"), shared_mail("32-b"), shared_mail("32-a"))
    texts = [ticket.text for ticket in await room.tickets()]
    assert sorted(texts) == [
        "Question one\n\nWhere is order 7?",
        "Question two\n\nDo you wrap gifts?",
    ]


WRAPPED_OPT_OUTS = [
    "",
    "Precedence: list\nList-Id: <x.example>\n",
    "Auto-Submitted: auto-generated\n",
    "Return-Path: <>\n",
    "X-Autoreply: yes\n",
    "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n",
]


@pytest.mark.parametrize("head", WRAPPED_OPT_OUTS)
@pytest.mark.parametrize("prefix", ["", "Re: ", "AW: [extern] ", "Fwd: "])
async def test_an_opt_out_counts_first_whatever_else_the_mail_is(room: Room, head, prefix):
    token = SEALS.unsubscribe_token("kim")
    await room.receive(mail("", sender="", subject=f"{prefix}unsubscribe {token}", head=head))
    assert not (await room.scenario.store.customer("kim")).marketing_consent


@pytest.mark.parametrize(
    "words", ["unsubscribe", "Please unsubscribe.", "STOP", "Abmelden", "Désabonner"]
)
async def test_a_customers_one_word_ends_marketing(room: Room, words):
    head = "Content-Type: text/plain; charset=utf-8\n"
    await room.receive(mail(words, sender="kim@buyer.example", subject="Hello", head=head))
    assert not (await room.scenario.store.customer("kim")).marketing_consent
    assert (await room.scenario.store.customer("pat")).marketing_consent


async def test_a_word_about_stopping_is_no_opt_out(room: Room):
    await room.receive(mail("Please stop order 7, I have moved.", sender="kim@buyer.example"))
    assert (await room.scenario.store.customer("kim")).marketing_consent
    assert len(await room.tickets()) == 1


SKIPPED = {
    "automatic reply": mail("I am away", head="Auto-Submitted: auto-replied\n"),
    "mailing list or newsletter": mail("Big sale", sender="x@y.example", head="Precedence: bulk\n"),
    "it came from the shop's own address": mail("Copy", sender="shop@shop.example"),
    "it has no subject and no text": mail("", subject=""),
    "mail server": mail("Hello", sender="MAILER-DAEMON@mx.example"),
}


@pytest.mark.parametrize("reason", SKIPPED)
async def test_what_is_passed_by_is_counted_by_reason(room: Room, reason):
    await room.receive(SKIPPED[reason])
    assert await room.tickets() == []
    assert room.skipped.reasons == [reason]


async def test_a_newsletter_program_of_a_customer_is_heard(room: Room):
    await room.receive(
        mail("Can I change it?", sender="kim@buyer.example", head="Precedence: bulk\n")
    )
    assert len(await room.tickets()) == 1
