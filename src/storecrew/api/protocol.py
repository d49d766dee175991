"""HTTP on the wire, with bounds on what comes before a request can be looked at: its size, the
time that it takes, and how many connections are open."""

import asyncio
import json
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from storecrew.api.addresses import TrustedProxies
from storecrew.api.connections import ConnectionLimits
from storecrew.app.settings import ApiSettings

MAX_UNREAD = 2_000_000
"""Bytes of headers held for a request that is not complete. Above the application's own bound,
so that who sends a little too much gets an answer."""


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """Seconds that a part of a request may take."""

    header: float
    body: float


class BoundedHttp(HttpToolsProtocol):
    """Hangs up on endless or slow requests; says in JSON what is no HTTP."""

    _unread = 0
    _progress = False
    _is_reading = True
    """Whether the next request is not complete yet."""
    _deadline: asyncio.TimerHandle | None = None

    def __init__(
        self, *args: Any, limits: ConnectionLimits, timeouts: Timeouts, **more: Any
    ) -> None:
        super().__init__(*args, **more)
        self._limits = limits
        self._timeouts = timeouts

    @property
    def is_open(self) -> bool:
        """Whether the connection holds a descriptor, also once it is a websocket's."""
        return not self.transport.is_closing()

    @property
    def is_idle(self) -> bool:
        """Whether no complete request is being served."""
        return self._is_reading

    def close(self) -> None:
        """Hang up."""
        self._end_deadline()
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection in, or hang up where there are too many."""
        super().connection_made(transport)
        if self._limits.admit(self.client[0] if self.client else "", self):
            self._expect("headers", self._timeouts.header)
        else:
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, "too many connections are open")

    def connection_lost(self, exc: Exception | None) -> None:
        """Let a connection go."""
        self._end_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes in, and count those that complete nothing."""
        if self.transport.is_closing():
            return
        self._progress = False
        if self._is_reading and self._deadline is None:  # also where the bytes begin no request
            self._expect("headers", self._timeouts.header)
        super().data_received(data)
        self._unread = 0 if self._progress else self._unread + len(data)
        if self._unread > MAX_UNREAD and not self.transport.is_closing():
            self.logger.warning("%s sent %d bytes of headers", self.client, self._unread)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._progress = True
        self._expect("the body", self._timeouts.body)
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body in."""
        self._progress = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Take a request as complete."""
        self._end_deadline()
        if self.cycle is None or not self.cycle.response_complete:
            self._is_reading = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request."""
        self._is_reading = not self.pipeline
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over to the websocket, whose end the application decides."""
        self._end_deadline()
        self._is_reading = False
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, in the shape of every error, and hang up."""
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _expect(self, what: str, seconds: float) -> None:
        self._end_deadline()
        self._deadline = self.loop.call_later(seconds, self._timed_out, what, seconds)

    def _end_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _timed_out(self, what: str, seconds: float) -> None:
        if self.cycle is not None and self.cycle.response_started:
            self.close()
        elif not self.transport.is_closing():
            message = f"{what} did not come within {seconds:g} s"
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, message)

    def _refuse(self, status: HTTPStatus, message: str) -> None:
        self._end_deadline()
        content = {
            "error": status.phrase,
            "status_code": status.value,
            "message": message,
            "path": "",
            "request_id": "",
        }
        body = json.dumps(content).encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()


def bounded_http(settings: ApiSettings) -> type[asyncio.Protocol]:
    """Return the protocol of one server, whose connections share their limits."""
    limits = ConnectionLimits.within_descriptors(
        settings.max_connections,
        settings.max_connections_per_address,
        TrustedProxies(settings.trusted_proxies),
    )
    timeouts = Timeouts(header=settings.header_timeout, body=settings.body_timeout)
    protocol: Any = partial(BoundedHttp, limits=limits, timeouts=timeouts)
    return cast("type[asyncio.Protocol]", protocol)
