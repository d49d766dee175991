"""Connections that last: who opened one may lose the right to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import monotonic

from starlette.types import Message, Send
from starlette.websockets import WebSocketDisconnect

from storecrew.app.access import FRESH_SECONDS

NO_LONGER_ALLOWED = 1008
"""How a websocket is closed whose caller may not come in any more: a policy was violated."""


@dataclass
class LongLivedConnection:
    """Sends messages on while the caller may hear them, and asks again now and then."""

    send: Send
    still_allowed: Callable[[], Awaitable[bool]]
    ticks: Callable[[], float] = monotonic
    _asked_at: float = field(init=False)
    _ended: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._asked_at = self.ticks()

    async def __call__(self, message: Message) -> None:
        """Send the message, or end the connection in its place."""
        if self._ended:
            return
        lasts = message["type"] == "websocket.send" or message.get("more_body", False)
        if not lasts or self.ticks() - self._asked_at < FRESH_SECONDS:
            await self.send(message)
            return
        self._asked_at = self.ticks()
        if await self.still_allowed():
            await self.send(message)
            return
        self._ended = True
        if message["type"] == "websocket.send":
            await self.send({"type": "websocket.close", "code": NO_LONGER_ALLOWED})
            raise WebSocketDisconnect(NO_LONGER_ALLOWED)
        await self.send({"type": "http.response.body", "body": b"", "more_body": False})
