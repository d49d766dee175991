"""The mailbox, read from a real IMAP server: from where the last look ended, and nothing marked."""

import asyncio
import socket
from datetime import UTC, datetime, timedelta

import pytest
from imap_server import PASSWORD, USER, served
from imap_tools import MailBoxUnencrypted

from storecrew.mail.mailbox import ImapCursor, ImapMailbox, MailboxUnreachable
from storecrew.mail.parsing import parse_email

NOW = datetime.now(UTC)


def mail(number: int, text: str = "Where is my order?", head: str = "") -> bytes:
    return (
        f"From: Anna <anna@customer.example>\nSubject: Question {number}\n"
        f"Message-ID: <{number}@customer.example>\n{head}\n{text}\n"
    ).encode()


async def look(box, after, **more):
    return await asyncio.to_thread(ImapMailbox(box.settings).fetch, after, NOW, **more)


async def test_the_first_look_leaves_alone_what_was_there_before():
    async with served() as box:
        await asyncio.to_thread(box.drop, mail(1), mail(2))
        first = await look(box, None)
        await asyncio.to_thread(box.drop, mail(3))
        second = await look(box, first.cursor)
        third = await look(box, second.cursor)

    assert first.mails == ()
    assert [parse_email(m.content).message_id for m in second.mails] == ["<3@customer.example>"]
    assert third.mails == ()
    assert third.cursor.uid == second.cursor.uid


async def test_mails_come_in_handfuls_oldest_first_and_none_is_missed():
    async with served() as box:
        start = await look(box, None)
        await asyncio.to_thread(box.drop, *(mail(n) for n in range(7)))
        place, seen, handfuls = start.cursor, [], []
        while True:
            found = await look(box, place, limit=3)
            seen += [parse_email(m.content).subject for m in found.mails]
            handfuls.append(len(found.mails))
            place = found.cursor
            if not found.more:
                break

    assert seen == [f"Question {n}" for n in range(7)]
    assert handfuls == [3, 3, 1]


async def test_a_look_that_was_not_recorded_finds_the_same_mails_again():
    async with served() as box:
        start = await look(box, None)
        await asyncio.to_thread(box.drop, mail(1))
        once, twice = await look(box, start.cursor), await look(box, start.cursor)

    assert once.mails == twice.mails
    assert len(once.mails) == 1


async def test_numbers_of_another_numbering_are_not_trusted():
    async with served() as box:
        await asyncio.to_thread(box.drop, mail(1), mail(2))
        start = await look(box, None)
        old = ImapCursor(validity=start.cursor.validity + 1, uid=10**6, at=NOW - timedelta(hours=1))
        found = await look(box, old)

    assert len(found.mails) == 2  # read again; who records them knows their ids
    assert found.cursor.validity == start.cursor.validity


async def test_nothing_is_marked_as_read():
    async with served() as box:
        start = await look(box, None)
        await asyncio.to_thread(box.drop, mail(1))
        await look(box, start.cursor)

        def unseen():
            with MailBoxUnencrypted("127.0.0.1", box.port, 5).login(USER, PASSWORD) as own:
                return len(own.uids("UNSEEN", charset=None))

        assert await asyncio.to_thread(unseen) == 1


async def test_of_a_huge_mail_only_the_beginning_is_read():
    async with served() as box:
        start = await look(box, None)
        await asyncio.to_thread(box.drop, mail(1, "Hello\n" + "x" * 2_000_000))
        (found,) = (await look(box, start.cursor)).mails

    assert b"\r\n\r\nHello" in found.content
    assert len(found.content) == box.settings.max_bytes


async def test_a_wrong_password_and_a_server_that_is_away_are_told():
    async with served() as box:
        wrong = box.settings.model_copy(update={"username": "nobody"})
        with pytest.raises(MailboxUnreachable):
            await asyncio.to_thread(ImapMailbox(wrong).fetch, None, NOW)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    away = box.settings.model_copy(update={"port": port})
    with pytest.raises(MailboxUnreachable, match=r"127\.0\.0\.1"):
        await asyncio.to_thread(ImapMailbox(away).fetch, None, NOW)
