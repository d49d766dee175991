"""What comes by mail: what people wrote, and what programs report."""

from email.message import EmailMessage
from email.policy import default

import pytest
from hypothesis import given, strategies as st

from storecrew.mail.bounces import BounceKind
from storecrew.mail.parsing import MAX_TEXT, parse_email


def mail(body: str, head: str = "") -> bytes:
    top = "From: Anna <Anna@Customer.Example>\nSubject: Hello\nMessage-ID: <1@c.example>\n"
    return f"{top}{head}\n{body}".encode()


def test_a_plain_mail_says_who_wrote_what():
    found = parse_email(mail("Where is my order 7?\n"))
    assert found.sender == "anna@customer.example"
    assert found.subject == "Hello"
    assert found.message_id == "<1@c.example>"
    assert found.text == "Where is my order 7?"
    assert found.bounce is None


@pytest.mark.parametrize(
    "quoted",
    [
        "\nOn Mon, 2 Mar 2026 at 12:00, Tea & Co <shop@shop.example> wrote:\n> old",
        "\nAm 02.03.2026 um 12:00 schrieb Tea & Co:\n> alt",
        "\nLe 2 mars 2026 à 12:00, Tea & Co a écrit :\n> vieux",
        "\n-----Original Message-----\nFrom: x",
        "\n________________________________\nFrom: x",
        "\nFrom: Tea & Co <shop@shop.example>\nSent: today",
        "\n-- \nAnna\n+49 30 123",
        "\n> old\n> older",
    ],
)
def test_what_a_mail_repeats_is_left_out(quoted):
    assert parse_email(mail(f"It is broken.\nPlease help.\n{quoted}")).text == (
        "It is broken.\nPlease help."
    )


def test_a_mail_that_is_nothing_but_a_quote_is_kept():
    assert parse_email(mail("> what?")).text == "> what?"


def test_html_becomes_words_and_scripts_do_not():
    body = "<html><head><style>p{}</style><title>t</title></head><body><p>Hello <b>you</b>,</p>"
    body += "<p>it is<br>broken</p><script>steal()</script></body></html>"
    found = parse_email(mail(body, "Content-Type: text/html; charset=utf-8\n"))
    assert found.text.split("\n") == ["Hello you,", "", "it is", "broken"]


def test_of_two_writings_the_plain_one_is_read_and_attachments_are_not():
    made = EmailMessage(policy=default)
    made["From"] = "anna@customer.example"
    made.set_content("plain words")
    made.add_alternative("<p>html words</p>", subtype="html")
    made.add_attachment(b"secret words", maintype="text", subtype="plain", filename="x.txt")
    assert parse_email(made.as_bytes()).text == "plain words"


@pytest.mark.parametrize("charset", ["latin-1", "utf-8", "no-such-charset", "utf-16"])
def test_a_wrong_charset_is_read_as_well_as_can_be(charset):
    head = f"Content-Type: text/plain; charset={charset}\n".encode()
    found = parse_email(b"From: a@b.example\n" + head + b"\nGr\xfc\xdfe aus K\xf6ln")
    assert found.text


def test_a_mail_without_an_id_has_one_of_its_content():
    one, same, other = (parse_email(f"From: a@b.c\n\n{x}".encode()) for x in ("x", "x", "y"))
    assert one.message_id == same.message_id != other.message_id


@given(st.binary(max_size=2000))
def test_any_bytes_give_an_answer(content):
    assert len(parse_email(content).text) <= MAX_TEXT


KINDS = (
    "text/plain",
    "text/html",
    "multipart/mixed; boundary=x",
    "multipart/report; report-type=delivery-status; boundary=x",
    "message/rfc822",
)


@given(st.text(max_size=800), st.sampled_from(KINDS))
def test_any_mail_gives_an_answer(text, kind):
    content = f"From: {text[:50]!r}\nContent-Type: {kind}\n\n--x\n{text}".encode()
    assert len(parse_email(content).text) <= MAX_TEXT


def test_nesting_without_end_gives_an_answer():
    deep = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(300))
    assert parse_email(f"From: a@b.c\n{deep}".encode()) is not None
    assert parse_email(mail("<div>" * 50_000 + "x", "Content-Type: text/html\n")) is not None


# --- what programs report -----------------------------------------------------------------------


def report(status: str, action: str = "failed", said: str = "") -> bytes:
    return f"""From: MAILER-DAEMON@mx.example
Message-ID: <dsn@mx.example>
Content-Type: multipart/report; report-type=delivery-status; boundary="b"

--b
Content-Type: text/plain

Sorry.

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; anna@customer.example
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--b
Content-Type: message/rfc822

Message-ID: <m7.mark@shop.example>
Subject: Your order

Hello
--b--
""".encode()


@pytest.mark.parametrize(
    ("status", "action", "said", "kind"),
    [
        ("5.1.1", "failed", "550 5.1.1 no such user", BounceKind.MAILBOX_NOT_FOUND),
        ("5.2.1", "failed", "mailbox disabled", BounceKind.MAILBOX_NOT_FOUND),
        ("5.0.0", "failed", "550 unknown user", BounceKind.MAILBOX_NOT_FOUND),
        ("5.2.2", "failed", "552 mailbox full", BounceKind.RETURNED),
        ("5.7.1", "failed", "550 5.7.1 blocked as spam", BounceKind.RETURNED),
        ("5.0.0", "failed", "554 something", BounceKind.RETURNED),
        ("4.4.7", "delayed", "", BounceKind.DELAYED),
        ("2.0.0", "delivered", "", BounceKind.AUTOMATIC),
    ],
)
def test_a_report_on_a_delivery_says_what_became_of_the_letter(status, action, said, kind):
    notice = parse_email(report(status, action, said)).bounce
    assert notice.kind is kind
    if kind is not BounceKind.AUTOMATIC:
        assert "<m7.mark@shop.example>" in notice.about


def test_headers_alone_name_the_letter_as_well():
    content = report("5.1.1").replace(
        b"Content-Type: message/rfc822", b"Content-Type: text/rfc822-headers"
    )
    assert "<m7.mark@shop.example>" in parse_email(content).bounce.about


def test_a_complaint_is_recognised():
    content = b"""From: feedback@provider.example
Content-Type: multipart/report; report-type=feedback-report; boundary="b"

--b
Content-Type: message/feedback-report

Feedback-Type: abuse

--b
Content-Type: message/rfc822

Message-ID: <m7.mark@shop.example>

Hello
--b--
"""
    notice = parse_email(content).bounce
    assert notice.kind is BounceKind.COMPLAINT
    assert "<m7.mark@shop.example>" in notice.about


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        ("Auto-Submitted: auto-replied\n", BounceKind.AUTOMATIC),
        ("Precedence: auto_reply\n", BounceKind.AUTOMATIC),
        ("X-Autoreply: yes\n", BounceKind.AUTOMATIC),
        ("Return-Path: <>\n", BounceKind.AUTOMATIC),
        ("Precedence: bulk\n", BounceKind.BULK),
        ("List-Id: <x>\n", BounceKind.BULK),
    ],
)
def test_what_nobody_wrote_is_recognised(head, kind):
    assert parse_email(mail("I am on holiday", head)).bounce.kind is kind


def test_a_person_is_no_program():
    assert parse_email(mail("Hi", "Auto-Submitted: no\n")).bounce is None
