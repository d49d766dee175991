"""Handing letters over: what the server said decides what is known of each."""

import socket

import pytest
from smtp_server import DROP, OK, Server, serving

from storecrew.mail.settings import SmtpSettings
from storecrew.mail.smtp import Envelope, SmtpMailer, SmtpResult


def envelope(to: str = "anna@customer.example") -> Envelope:
    content = b"Subject: Hello\r\n\r\n.dot\r\nBye\r\n"
    return Envelope(sender="shop@shop.example", recipient=to, content=content)


def mailer(port: int) -> SmtpMailer:
    own = SmtpSettings(host="127.0.0.1", port=port, security="plain", timeout=20)
    return SmtpMailer(own)


async def test_a_letter_arrives_as_it_was_sent_also_lines_that_begin_with_a_dot():
    async with serving() as server:
        sender = mailer(server.port)
        answer = await sender.send(envelope())
        await sender.close()

    assert answer.result is SmtpResult.ACCEPTED
    assert server.emails == [("anna@customer.example", envelope().content)]


async def test_letters_share_a_connection_and_a_new_one_comes_after_a_hundred():
    async with serving() as server:
        sender = mailer(server.port)
        for _ in range(101):
            assert (await sender.send(envelope())).result is SmtpResult.ACCEPTED
        await sender.close()

    assert server.connections == 2


@pytest.mark.parametrize(
    ("said", "handed"),
    [
        ("550 5.1.1 no such user", SmtpResult.MAILBOX_NOT_FOUND),
        ("550 no such user", SmtpResult.MAILBOX_NOT_FOUND),
        ("553 5.1.3 odd address", SmtpResult.MAILBOX_NOT_FOUND),
        ("550 5.7.1 blocked", SmtpResult.REFUSED),
        ("552 5.2.2 mailbox full", SmtpResult.REFUSED),
        ("451 4.7.1 grey list, try later", SmtpResult.DEFERRED),
        ("421 4.3.2 closing", SmtpResult.DEFERRED),
    ],
)
async def test_an_answer_to_the_address_says_what_became_of_the_letter(said, handed):
    async with serving(at_rcpt=lambda a: said if a.startswith("bad") else OK) as server:
        sender = mailer(server.port)
        answer = await sender.send(envelope("bad@customer.example"))
        after = await sender.send(envelope())
        await sender.close()

    assert answer.result is handed
    assert said[:3] in answer.detail
    assert after.result is SmtpResult.ACCEPTED
    assert [to for to, _ in server.emails] == ["anna@customer.example"]


@pytest.mark.parametrize(
    ("said", "handed"),
    [("554 5.6.0 content refused", SmtpResult.REFUSED), ("452 4.2.2 no room", SmtpResult.DEFERRED)],
)
async def test_an_answer_to_the_content_says_nothing_against_the_address(said, handed):
    async with serving(at_data=lambda _: said) as server:
        sender = mailer(server.port)
        assert (await sender.send(envelope())).result is handed
        await sender.close()


async def test_a_connection_lost_after_the_letter_leaves_it_unknown_and_is_not_tried_again():
    async with serving(at_data=lambda _: DROP) as server:
        sender = mailer(server.port)
        answer = await sender.send(envelope())
        await sender.close()

    assert answer.result is SmtpResult.UNKNOWN
    assert len(server.emails) == 1


async def test_a_server_that_is_not_there_is_no_fault_of_the_letter():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    answer = await mailer(port).send(envelope())
    assert answer.result is SmtpResult.UNREACHABLE


async def test_a_server_that_went_away_between_two_letters_is_asked_again():
    async with serving() as server:
        sender = mailer(server.port)
        assert (await sender.send(envelope())).result is SmtpResult.ACCEPTED
        sender._client.transport.abort()  # as a server that hung up while nothing was sent
        again = await sender.send(envelope())
        await sender.close()

    assert again.result is SmtpResult.ACCEPTED
    assert len(server.emails) == 2


async def test_a_server_without_encryption_is_not_used_where_it_is_asked_for():
    async with serving() as server:
        own = SmtpSettings(host="127.0.0.1", port=server.port, security="starttls", timeout=20)
        answer = await SmtpMailer(own).send(envelope())

    assert answer.result is SmtpResult.UNREACHABLE
    assert server.emails == []


async def test_a_sender_that_the_server_does_not_want_is_no_fault_of_the_letter():
    class Strict(Server):
        async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
            return "550 5.7.1 not your domain"

    import asyncio

    from aiosmtpd.smtp import SMTP

    strict = Strict()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(strict, hostname="x"), "127.0.0.1", 0
    )
    port = server.sockets[0].getsockname()[1]
    answer = await mailer(port).send(envelope())
    server.close()
    await server.wait_closed()

    assert answer.result is SmtpResult.UNREACHABLE
    assert "not your domain" in answer.detail
