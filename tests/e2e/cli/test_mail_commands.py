"""`storecrew mail`: previews, reports, retries, and a letter handed to a real server."""

import asyncio
import json
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from program import make_books
from typer.testing import CliRunner

from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.cli.main import app
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import SendMessage


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    make_books()

    def run(*words: str, fails: int = 0) -> Any:
        result = CliRunner().invoke(app, ["mail", *words])
        assert result.exit_code == fails, result.output
        if fails:
            return result.stderr
        return json.loads(result.stdout) if "--json" in words else result.stdout

    return run


def queue(*titles: str) -> None:
    async def fill() -> None:
        async with open_plane(load_settings()) as plane:
            anna = Customer(id="anna", name="Anna", email="anna@c.example", locale="de")
            await plane.store.put_customers([anna])
            for title in titles:
                words = {"purpose": "service", "title": title, "body": "Ihre Ware ist da."}
                await plane.store.apply(SendMessage(customer="anna", **words), key=title)

    asyncio.run(fill())


def test_words_are_shown_as_a_letter_and_nothing_is_queued(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "letter.html"
    shown = run("preview", "--title", "Hello", "--body", "It is here.", "--html", str(file))
    assert "subject  Hello" in shown
    assert "It is here." in file.read_text("utf-8")
    assert run("report", "--json")["report"]["queued"] == 0
    assert "name a message" in run("preview", fails=1)
    assert "not service or marketing" in run(
        "preview", "--title", "x", "--body", "y", "--purpose", "spam", fails=1
    )


def test_a_queued_message_is_listed_shown_and_reported(run: Any) -> None:
    queue("Eins", "Zwei")
    listed = run("queue", "--json")
    assert [m["title"] for m in listed["items"]] == ["Zwei", "Eins"]
    shown = run("preview", str(listed["items"][0]["message_id"]), "--json")
    assert shown["to"] == "Anna <anna@c.example>"
    assert "zu Ihrer Bestellung" in shown["text"]
    assert "mail is off" in run("report")
    assert "no message with key 99" in run("preview", "99", fails=1)
    assert run("queue", "--state", "sent", "--json")["total"] == 0
    assert "is none of" in run("queue", "--state", "odd", fails=1)
    assert "waiting; nothing to try again" in run("retry", "1", fails=1)


def test_an_address_is_suppressed_by_hand(run: Any) -> None:
    assert "no more messages" in run("suppress", "Anna@C.example")
    assert "not an address" in run("suppress", "nonsense", fails=1)


def test_a_test_letter_is_handed_over_and_the_answer_is_told(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "mail is off" in run("test", "me@c.example", fails=1)
    seen: list[str] = []

    class Handler:
        async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
            envelope.rcpt_tos.append(address)
            return "550 no such user" if address.startswith("bad") else "250 ok"

        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            seen.append(envelope.content.decode())
            return "250 kept"

    ready, stop = Event(), Event()
    port: list[int] = []

    def serve() -> None:
        async def until_told() -> None:
            loop = asyncio.get_running_loop()
            opened = await loop.create_server(lambda: SMTP(Handler(), loop=loop), "127.0.0.1", 0)
            port.append(opened.sockets[0].getsockname()[1])
            ready.set()
            while not stop.is_set():  # noqa: ASYNC110 - told by another thread
                await asyncio.sleep(0.02)
            opened.close()

        asyncio.run(until_told())

    thread = Thread(target=serve)
    thread.start()
    ready.wait(5)
    monkeypatch.setenv("STORECREW_MAIL__SENDER", "shop@shop.example")
    monkeypatch.setenv("STORECREW_MAIL__SMTP__HOST", "127.0.0.1")
    monkeypatch.setenv("STORECREW_MAIL__SMTP__PORT", str(port[0]))
    monkeypatch.setenv("STORECREW_MAIL__SMTP__SECURITY", "plain")
    try:
        assert "250" not in run("test", "me@c.example")
        assert "no mailbox: 550" in run("test", "bad@c.example", fails=1)
    finally:
        stop.set()
        thread.join()
    assert len(seen) == 1
    assert "Mail works." in seen[0]
