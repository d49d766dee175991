"""Connections on the wire: slow, half-sent and many ones end, and others are served meanwhile."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
import uvicorn

from storecrew.api.connections import ConnectionLimits
from storecrew.api.protocol import BoundedHttp, Timeouts

DEADLINE = 20  # seconds: a guard against hanging, far above what is needed
GET = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answer with the body's length, once it is complete; `/wait` waits until the caller leaves."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        return
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]}
    )
    if scope["path"] == "/wait":
        await receive()
        return
    await send({"type": "http.response.body", "body": f"{size:4}".encode()})


@dataclass
class Wire:
    """A server, and the connections that a test opened to it."""

    port: int
    opened: list[asyncio.StreamWriter] = field(default_factory=list[asyncio.StreamWriter])

    async def send(self, data: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer

    async def answer(self, data: bytes) -> bytes:
        """Send on a connection of its own and return all that comes until its end."""
        reader, _ = await self.send(data)
        async with asyncio.timeout(DEADLINE):
            return await everything(reader)


async def everything(reader: asyncio.StreamReader) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while part := await reader.read(65536):
            found += part
    return found


async def served(limits: ConnectionLimits, timeouts: Timeouts) -> AsyncIterator[Wire]:
    protocol: Any = partial(BoundedHttp, limits=limits, timeouts=timeouts)
    config = uvicorn.Config(
        app, port=0, http=protocol, ws="websockets-sansio", lifespan="off", log_config=None,
        timeout_graceful_shutdown=1, timeout_keep_alive=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    wire = Wire(server.servers[0].sockets[0].getsockname()[1])
    yield wire
    for writer in wire.opened:
        writer.close()
    server.should_exit = True
    await serving


@pytest.fixture
async def impatient() -> AsyncIterator[Wire]:
    async for wire in served(ConnectionLimits(100, 100), Timeouts(header=0.3, body=0.3)):
        yield wire


@pytest.fixture
async def narrow() -> AsyncIterator[Wire]:
    async for wire in served(ConnectionLimits(6, 6), Timeouts(header=60, body=60)):
        yield wire


POST = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n"
HALF_SENT = {
    "nothing at all": b"",
    "half a request line": b"GET /",
    "half a header": b"GET / HTTP/1.1\r\nhost: x\r\nx-long: ",
    "headers without their end": b"GET / HTTP/1.1\r\nhost: x\r\n",
    "empty lines": b"\r\n\r\n",
    "no body": POST,
    "half a body": POST + b"12345",
    "a body that waits for 100": POST.replace(b"host", b"expect: 100-continue\r\nhost"),
    "half a chunk": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
    "no last chunk": b"POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n",
}


@pytest.mark.parametrize("what", HALF_SENT)
async def test_what_is_half_sent_is_answered_and_hung_up(impatient: Wire, what: str) -> None:
    answer = await impatient.answer(HALF_SENT[what])
    head, _, body = answer.rpartition(b"\r\n\r\n")
    assert b"HTTP/1.1 408 Request Timeout" in head
    assert json.loads(body)["message"].endswith("did not come within 0.3 s")


async def test_half_a_second_request_ends_with_the_keep_alive_time(impatient: Wire) -> None:
    answer = await impatient.answer(GET + b"GET / HT")
    assert answer.startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize("drop", [b"a", b"x: y\r\n", b"\r\n"])
@pytest.mark.parametrize("start", [b"", b"GET / HTTP/1.1\r\n", POST.replace(b"10", b"100000")])
async def test_a_drop_now_and_then_buys_no_time(impatient: Wire, start: bytes, drop: bytes) -> None:
    reader, writer = await impatient.send(start)
    ending = asyncio.create_task(everything(reader))
    async with asyncio.timeout(DEADLINE):
        while not ending.done():
            with suppress(ConnectionError):
                writer.write(drop)
                await writer.drain()
            await asyncio.wait({ending}, timeout=0.02)
    assert ending.done()


async def test_requests_on_one_connection_each_have_their_time(impatient: Wire) -> None:
    reader, writer = await impatient.send(b"")
    for _ in range(3):
        await asyncio.sleep(0.2)
        writer.write(GET)
        assert await reader.readuntil(b"\r\n\r\n   0")


async def test_an_answer_may_take_longer_than_its_request(impatient: Wire) -> None:
    reader, _ = await impatient.send(GET.replace(b"/ ", b"/wait "))
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7):
            await reader.read(1)


async def test_half_sent_requests_displace_each_other_and_nothing_else(narrow: Wire) -> None:
    waiting = [await narrow.send(GET.replace(b"/ ", b"/wait ")) for _ in range(3)]
    for reader, _ in waiting:
        await reader.readuntil(b"\r\n\r\n")
    halves = [await narrow.send(list(HALF_SENT.values())[n % 9]) for n in range(60)]
    assert b" 200 OK" in await narrow.answer(GET.replace(b"host", b"connection: close\r\nhost"))
    async with asyncio.timeout(DEADLINE):
        await asyncio.gather(*(everything(reader) for reader, _ in halves[:50]))
    assert not any(reader.at_eof() for reader, _ in waiting)


async def test_who_waits_for_nothing_is_told_that_there_are_too_many(narrow: Wire) -> None:
    for _ in range(6):
        reader, _ = await narrow.send(GET.replace(b"/ ", b"/wait "))
        await reader.readuntil(b"\r\n\r\n")
    answer = await narrow.answer(b"")
    assert answer.startswith(b"HTTP/1.1 503 Service Unavailable")
    assert b"too many connections are open" in answer


async def test_a_websocket_counts_and_is_not_displaced(narrow: Wire) -> None:
    upgrade = (
        b"GET /ws HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
        b"sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    sockets = [await narrow.send(upgrade) for _ in range(6)]
    for reader, _ in sockets:
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    assert b" 503 " in await narrow.answer(b"")
    sockets[0][1].close()
    async with asyncio.timeout(DEADLINE):
        while b" 503 " in await narrow.answer(GET.replace(b"host", b"connection: close\r\nhost")):
            pass


@dataclass
class Fake:
    """A connection of the test."""

    is_idle: bool = True
    is_open: bool = True

    def close(self) -> None:
        self.is_open = False


def test_the_address_with_most_connections_gives_way_to_others() -> None:
    limits = ConnectionLimits(most=10, per_address=10)
    many = [Fake() for _ in range(9)]
    other = Fake()
    assert all(limits.admit("a", each) for each in many)
    assert limits.admit("b", other)
    assert all(limits.admit(f"c{n}", Fake()) for n in range(4))
    assert [each.is_open for each in many] == [False] * 4 + [True] * 5
    assert other.is_open


def test_closed_connections_make_room() -> None:
    limits = ConnectionLimits(most=2, per_address=2)
    busy = [Fake(is_idle=False) for _ in range(2)]
    assert all(limits.admit("a", each) for each in busy)
    assert not limits.admit("a", Fake())
    assert not limits.admit("b", Fake())
    busy[0].is_open = False
    assert limits.admit("b", Fake())


def test_descriptors_are_kept_for_the_plane_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr("resource.getrlimit", lambda _: (200, 300))
    monkeypatch.setattr("resource.setrlimit", lambda _, limits: asked.append(limits))
    limits = ConnectionLimits.within_descriptors(1000, 200)
    assert (limits.most, limits.per_address, asked) == (172, 86, [(300, 300)])
