"""Mails of a grammar and mutated mails: none is lost, none raises, none takes long."""

import asyncio
import time

import pytest
from hypothesis import HealthCheck, example, given, settings, strategies as st
from inbound_scenario import mail, make_room
from mail_scenario import mail_scenario

from storecrew.domain.input_text import text_problem
from storecrew.mail.parsing import MAX_TEXT, parse_email

HANG = 2.0
HEADERS = (
    b"From: <c0001@customer.example>", b"From: Buyer, Kim <c0002@customer.example>", b"From: <>",
    b"From: a@b.c, d@e.f", b"From: shop@shop.example", b"From: MAILER-DAEMON", b"Return-Path: <>",
    b"Reply-To: <kim@buyer.example>", b"Subject: =?utf-8?B?R3I=?=", b"Subject: =?x?Q?=C3?=",
    b"Subject: unsubscribe", b"Subject: \xff\xfe", b"Message-ID: <1@form.example>",
    b"Message-ID: [", b"Auto-Submitted: auto-replied", b"Precedence: list",
    b"List-Id: <x.shop.example>",
    b"X-Failed-Recipients: a@b.c", b"Content-Type: text/plain; charset=utf-8; name*",
    b"Content-Type: text/html; charset=\"idna\"", b"Content-Type: multipart/mixed; boundary=x",
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=\"x\"",
    b"Content-Type: multipart/report; report-type=feedback-report; boundary=x",
    b"Content-Type: message/rfc822", b"Content-Type: message/global-delivery-status",
    b"Content-Transfer-Encoding: base64", b"Content-Transfer-Encoding: quoted-printable",
    b"Content-Transfer-Encoding: x-uuencode", b"Content-Transfer-Encoding: ((((",
    b"Content-Disposition: attachment; filename*0*=utf-8''%ff", b"Date: x", b"no colon here",
    b"Authentication-Results: mx; dmarc=fail", b" folded", b"\tfolded", b"\x00: x",
)  # fmt: skip
BODIES = (
    b"Where is my parcel?", b"Green Tea:2", b"Green Tea:2\n\nSent from my iPhone", b"stop", b"",
    b"--x\n", b"--x--\n", b"--x\nContent-Type: message/rfc822\n\n", b"\xff\xfe\x00", b"> quoted",
    b"On Tue wrote:\n", b"R3JlZW4gVGVhOjI=", b"=C3=BC=", b"<p>Hi<script>x</script>", b"<div>" * 50,
    b"Action: failed\nStatus: 5.1.1\nFinal-Recipient: utf-8;a@b.c\n\n", b"550 5.1.1 no such user",
    b"<m1.00000000000000000000@shop.example>", b"begin 644 x\n#0V%T\n`\nend\n", b"\r\n\r",
)  # fmt: skip
PART = st.builds(
    lambda heads, bodies, end: end.join(heads) + end + end + end.join(bodies),
    st.lists(st.sampled_from(HEADERS), max_size=8),
    st.lists(st.sampled_from(BODIES), max_size=8),
    st.sampled_from([b"\n", b"\r\n", b"\r"]),
)


@st.composite
def mails(draw: st.DrawFn) -> bytes:
    """Return a mail of the grammar, perhaps with a part of it cut out, doubled or replaced."""
    content = b"".join(draw(st.lists(PART, min_size=1, max_size=4)))
    for _ in range(draw(st.integers(0, 4))):
        at, to = sorted(draw(st.tuples(*[st.integers(0, len(content))] * 2)))
        middle = draw(
            st.sampled_from([b"", content[at:to] * 2, b"\x00", b"\n\n", b"\xf0", b';="('])
        )
        content = content[:at] + middle + content[to:]
    return content


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(mails())
@example(b"")
@example(b"\n")
@example(b"\r\n\r\n")
def test_any_mail_of_the_grammar_is_read_without_falling_back(content: bytes) -> None:
    begun = time.monotonic()
    found = parse_email(content, "mx")
    assert time.monotonic() - begun < HANG
    assert found.problem == ""
    assert len(found.text) <= MAX_TEXT
    assert found.subject.isprintable()
    for text in (found.text, found.subject, found.sender, found.reply_to, found.message_id):
        assert text_problem(text) is None


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(mails(), min_size=1, max_size=20))
def test_each_mail_becomes_something_that_is_counted(contents: list[bytes]) -> None:
    async def receive() -> int:
        async with mail_scenario() as scenario:
            room = await make_room(scenario)
            await room.receive(*contents, mail("The last", number=99).encode())
            tickets = await room.tickets()
            assert any(ticket.text.endswith("The last") for ticket in tickets)
            known = {c: await scenario.store.customer(c) for c in ("c0001", "c0002")}
            opted_out = any(not each.marketing_consent for each in known.values())
            return len(tickets) - 1 + len(room.published) + len(room.skipped.found) + opted_out

    distinct = {parse_email(content).identity for content in contents}
    counted = asyncio.run(receive())
    assert counted >= 1
    assert counted >= len(distinct) - _opt_outs(contents)


def _opt_outs(contents: list[bytes]) -> int:
    """Return how many mails may be nothing but an opt-out, which is counted once above."""
    found = (parse_email(content) for content in contents)
    return sum("stop" in f.text.lower() or "unsubscribe" in f.subject.lower() for f in found)


@pytest.mark.parametrize("fault", [RecursionError, MemoryError, ValueError, KeyError, SystemError])
def test_whatever_the_library_raises_leaves_the_raw_text(
    monkeypatch: pytest.MonkeyPatch, fault
) -> None:
    def raises(_content: bytes) -> None:
        raise fault("deep inside")

    monkeypatch.setattr("storecrew.mail.parsing.parse_message", raises)
    found = parse_email(b"Subject: x\n\nWhere is my parcel?\x00")
    assert fault.__name__ in found.problem
    assert "Where is my parcel?" in found.text
