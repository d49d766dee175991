"""The outermost middleware: request ids, the access log, and the answer to unexpected errors."""

import logging
from dataclasses import dataclass, field
from time import perf_counter

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from storecrew.api.errors import problem
from storecrew.api.request_ids import RequestIds
from storecrew.monitoring.metrics import RequestTimes

access = logging.getLogger("storecrew.access")
failures = logging.getLogger("storecrew.errors")

CLIENT_CLOSED = 499
"""How the log names a request whose sender hung up before it was complete."""
PROBES = frozenset({"/health", "/healthz", "/readyz", "/liveness", "/readiness"})


_HARMLESS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
"""Answers are data: a browser shall neither run nor frame them."""


@dataclass
class RequestContextMiddleware:
    """Gives each request an id, one line in the log, and an answer whatever happens inside."""

    app: ASGIApp
    times: RequestTimes
    suppress_health_logs: bool = True
    disable_access_log: bool = False
    _ids: RequestIds = field(default_factory=RequestIds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = self._ids.next()
        scope.setdefault("state", {})["request_id"] = request_id
        with bound_contextvars(request_id=request_id):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request_id = scope["state"]["request_id"]
        began = perf_counter()
        status = 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if not any(name == b"content-security-policy" for name, _ in headers):
                    headers += _HARMLESS
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, answer)
        except ClientDisconnect:
            status = status or CLIENT_CLOSED
        except Exception:  # a request must not take the server down, nor see why it failed
            failures.exception("%s %s failed (%s)", scope["method"], scope["path"], request_id)
            if status:
                raise
            await problem(
                scope, 500, "something went wrong here; the log has it under the request id"
            )(scope, receive, answer)
        seconds = perf_counter() - began
        route = getattr(scope.get("route"), "path", "unknown")
        self.times.observe(scope["method"], route, status, seconds)
        self._note(scope, status, seconds)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        line = '%s "%s %s" %d %.1f ms'
        peer = (scope.get("client") or ("-",))[0]
        fields = (peer, scope["method"], scope["path"], status, seconds * 1000)
        if status >= 500:
            failures.error(line, *fields)
        elif not self.disable_access_log and not (self.suppress_health_logs and is_noise(scope)):
            access.info(line, *fields)


def is_noise(scope: Scope) -> bool:
    """Tell whether a request is a probe, which would be most of the access log."""
    path = scope["path"]
    return path in PROBES or path == "/favicon.ico" or (path == "/" and scope["method"] == "HEAD")
