"""An HTTP/1.1 connection that costs next to nothing, so that the server is what is measured."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class HttpResponse:
    """What the server said."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body as it was meant."""
        return json.loads(self.body)


class Connection(asyncio.Protocol):
    """One keep-alive connection to this machine: one request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._waiting: asyncio.Future[HttpResponse] | None = None

    @classmethod
    async def open(cls, port: int) -> "Connection":
        """Connect; raises `OSError` where the port is closed."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, request: bytes) -> HttpResponse:
        """Send a request and return its answer; raises `OSError` when none will come."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError("the connection is closed")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._waiting

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the way out."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Gather an answer, and hand it on when it is whole."""
        self._buffer += data
        end = self._buffer.find(_END_OF_HEAD)
        if end < 0:
            return
        whole = end + len(_END_OF_HEAD) + _length(self._buffer[:end])
        if len(self._buffer) < whole or self._waiting is None:
            return
        body = self._buffer[end + len(_END_OF_HEAD) : whole]
        answer = HttpResponse(int(self._buffer[9:12]), body)
        self._buffer = self._buffer[whole:]
        if not self._waiting.done():
            self._waiting.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits that no answer will come."""
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server hung up"))


def request(
    method: str, path: str, content: object = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of a request with a JSON body."""
    body = b"" if content is None else json.dumps(content).encode()
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", f"content-length: {len(body)}"]
    if body:
        lines.append("content-type: application/json")
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


async def call(port: int, method: str, path: str, content: object = None) -> HttpResponse:
    """Ask once over a connection of its own."""
    connection = await Connection.open(port)
    try:
        return await connection.ask(request(method, path, content))
    finally:
        connection.close()


def _length(head: bytes) -> int:
    start = head.lower().find(_LENGTH)
    if start < 0:
        return 0
    line, _, _ = head[start + len(_LENGTH) :].partition(b"\r\n")
    return int(line)
