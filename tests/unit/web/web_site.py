"""A site on loopback that notes its requests and answers what it is told, slowly if need be."""

import asyncio
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Answer:
    body: bytes = b""
    status: str = "200 OK"
    headers: tuple[str, ...] = ("Content-Type: text/html; charset=utf-8",)
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between bytes of the body."""
    length: int | None = None
    """Announced instead of the body's own."""


@dataclass
class Site:
    """Answers by path; robots.txt is missing unless it is given."""

    pages: dict[str, Answer | list[Answer]] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    """Paths with their headers."""
    busy: int = 0
    busiest: int = 0
    port: int = 0
    _serving: list[asyncio.Task[None]] = field(default_factory=list, init=False)

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.port}{path}"

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.asked]

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
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            self.busy -= 1
            writer.close()

    async def _answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        first, *lines = head.strip().split("\r\n")
        path = first.split(" ")[1]
        given = dict(line.split(": ", 1) for line in lines)
        self.asked.append((path, {name.lower(): value for name, value in given.items()}))
        answer = self._next(path)
        await asyncio.sleep(answer.delay)
        length = len(answer.body) if answer.length is None else answer.length
        shown = [f"HTTP/1.1 {answer.status}", *answer.headers, f"Content-Length: {length}"]
        writer.write("\r\n".join([*shown, "Connection: close", "", ""]).encode())
        if answer.drip:
            for byte in answer.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(answer.drip)
        else:
            writer.write(answer.body)
        await writer.drain()

    def _next(self, path: str) -> Answer:
        found = self.pages.get(path, Answer(b"gone", "404 Not Found"))
        if isinstance(found, list):
            return found.pop(0) if len(found) > 1 else found[0]
        return found
