"""An agent far away, as far as loopback goes: it notes its calls and says what it is told."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class RemoteAgentServer:
    """A server that answers every request with the same bytes."""

    body: bytes = b"{}"
    status: str = "200 OK"
    headers: tuple[str, ...] = ("Content-Type: application/json",)
    delay: float = 0.0
    calls: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    port: int = 0
    _serving: list[asyncio.Task[None]] = field(default_factory=list, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/wake?a=1"

    @asynccontextmanager
    async def serving(self):
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        async with server:
            yield self
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    async def _serve(self, reader, writer):
        self._serving.append(asyncio.current_task())
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        given = dict(line.split(": ", 1) for line in lines)
        headers = {":request": first, **{name.lower(): value for name, value in given.items()}}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.calls.append((headers, body))
        await asyncio.sleep(self.delay)
        shown = [f"HTTP/1.1 {self.status}", *self.headers, f"Content-Length: {len(self.body)}"]
        writer.write("\r\n".join([*shown, "Connection: close", "", ""]).encode() + self.body)
        with suppress(ConnectionError):
            await writer.drain()
