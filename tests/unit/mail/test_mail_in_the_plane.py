"""Mail in the assembled product: the working process sends and reads, and hands on its secret."""

import asyncio
from pathlib import Path

from imap_server import PASSWORD, USER, served
from smtp_server import serving

from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.app.control_plane import ProcessRole
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import SendMessage
from storecrew.journal.key_values import SqlKeyValues
from storecrew.mail.parsing import parse_email


def settings(folder: Path, smtp: int, imap: int):
    loopback = {"host": "127.0.0.1", "security": "plain", "timeout": 5}
    mail = {
        "sender": "shop@shop.example",
        "public_url": "https://shop.example",
        "smtp": {**loopback, "port": smtp, "rate_per_minute": 0},
        "imap": {
            **loopback,
            "port": imap,
            "username": USER,
            "password": PASSWORD,
            "poll_seconds": 1,
        },
    }
    flags = {
        "orchestrator": {"data_dir": folder / "data", "log_dir": folder / "logs"},
        "agents": (),
        "mail": mail,
        "models": {"enabled": False},
    }
    return load_settings(flags=flags, environ={}, directory=folder)


async def until(found) -> None:
    async with asyncio.timeout(15):
        while not await found():  # noqa: ASYNC110 - another task writes it
            await asyncio.sleep(0.05)


async def test_a_message_leaves_and_its_answer_becomes_a_ticket_also_after_a_restart(tmp_path):
    async with serving() as smtp, served() as imap:
        own = settings(tmp_path, smtp.port, imap.port)
        async with open_plane(own, duty=ProcessRole.WORKER) as plane:
            anna = Customer(id="anna", name="Anna", email="anna@c.example")
            await plane.store.put_customers([anna])
            said = {"purpose": "service", "title": "Hello", "body": "It is on its way."}
            topic = "order:7:shipped"
            await plane.store.apply(SendMessage(customer="anna", topic=topic, **said), key="m")
            await until(lambda: has_sent(plane))
            email = parse_email(smtp.emails[0][1])
            await until(lambda: has_begun(plane))

        answer = (
            "From: anna@c.example\nMessage-ID: <1@c.example>\nSubject: Re: Hello\n"
            f"In-Reply-To: {email.message_id}\n\nWhere is it?\n"
        )
        await asyncio.to_thread(imap.drop, answer.encode())
        async with open_plane(own, duty=ProcessRole.WORKER) as plane:
            await until(plane.store.tickets)
            (ticket,) = await plane.store.tickets()
            report = (await plane.mail.state()).report

    assert (ticket.customer, ticket.order_id, ticket.text) == ("anna", 7, "Where is it?")
    assert report.sent == 1
    assert len(smtp.emails) == 1


async def has_sent(plane) -> bool:
    return (await plane.mail.state()).report.sent == 1


async def has_begun(plane) -> bool:
    """Whether the inbound processor knows from where on it reads."""
    name = f"mailbox/127.0.0.1/{USER}/INBOX"
    return await SqlKeyValues(plane.journal.database).find(name) is not None
