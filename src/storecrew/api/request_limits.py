"""How much one caller may ask: requests a minute, and bytes of a body."""

import re
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from limits import RateLimitItem, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from storecrew.api.addresses import limit_key
from storecrew.api.authentication import OPEN_PATHS, caller_of
from storecrew.api.errors import problem
from storecrew.app.settings import ApiSettings
from storecrew.domain.control.access import LOCAL

MAX_BODY = 1_000_000
"""Bytes of a request's body: 500 order lines take a twentieth of it."""
READS_PER_WRITE = 20
"""Reads are this many times cheaper than writes, which end in a commit."""
_READING = frozenset({"GET", "HEAD"})
_CHEAP = re.compile(r"/api/(agents|services)/[^/]+/(heartbeat|health)|/api/store/queries/[^/]+")
"""Heartbeats, and questions with a body: sent by programs often, and no dearer than a read."""
_REFUSED = "refused"
"""What is counted of those who are turned away, so that they use up nobody's share."""


@dataclass(frozen=True)
class RateLimitSettings:
    """Which limit holds for which request; None where there is none."""

    write: RateLimitItem | None
    read: RateLimitItem | None
    routes: dict[str, RateLimitItem | None]

    @classmethod
    def of(cls, settings: ApiSettings) -> "RateLimitSettings":
        """Read them from the settings, where 0 is no limit."""
        own = settings.route_limits
        return cls(
            write=_per_minute(settings.rate_limit),
            read=_per_minute(settings.rate_limit * READS_PER_WRITE),
            routes={
                "/agent/1/mail": _per_minute(own.mail),
                "/agent/2/warehouse": _per_minute(own.warehouse),
                "/agent/3/approve": _per_minute(own.approve),
                "/agent/4/fulfilled": _per_minute(own.fulfilled),
            },
        )

    def on(self, method: str, path: str) -> tuple[str, RateLimitItem | None]:
        """Return the name of what is counted, and its limit."""
        if method == "OPTIONS" or path in OPEN_PATHS:
            return "", None
        if path.startswith("/webhooks/"):
            return path, self.read
        if path.startswith("/unsubscribe/"):  # the large mail providers call from few addresses
            return "unsubscribe", self.read
        if method in _READING or _CHEAP.fullmatch(path):
            return "read", self.read
        return (path, self.routes[path]) if path in self.routes else ("write", self.write)


def _per_minute(amount: int) -> RateLimitItem | None:
    return RateLimitItemPerMinute(amount) if amount else None


@dataclass
class RateLimit:
    """Counts each caller's requests by the minute, in memory, and refuses those above."""

    app: ASGIApp
    limits: RateLimitSettings
    _counter: FixedWindowRateLimiter = field(
        default_factory=lambda: FixedWindowRateLimiter(MemoryStorage())
    )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with its limit in the headers, or answer 429."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        name, limit = self._limit(scope)
        if limit is None:
            await self.app(scope, receive, send)
            return
        who = _who(scope)
        allowed = self._counter.hit(limit, name, who)
        window = self._counter.get_window_stats(limit, name, who)
        seconds = max(1, round(window.reset_time - time.time()))
        shown = {
            "X-RateLimit-Limit": str(limit.amount),
            "X-RateLimit-Remaining": str(window.remaining),
            "X-RateLimit-Reset": str(seconds),
        }
        if allowed:
            await self.app(scope, receive, _with_headers(send, shown))
            return
        message = f"at most {limit.amount} a minute ({_setting(name)}); try again in {seconds} s"
        headers = {**shown, "Retry-After": str(seconds)}
        await problem(scope, 429, message, headers=headers)(scope, receive, send)

    def _limit(self, scope: Scope) -> tuple[str, RateLimitItem | None]:
        if "denial" in scope["state"]:
            return _REFUSED, self.limits.write
        return self.limits.on(scope["method"], scope["path"])


def _setting(name: str) -> str:
    """Return the key of the settings that a limit comes from."""
    own = {"/agent/1/mail": "mail", "/agent/2/warehouse": "warehouse"}
    own |= {"/agent/3/approve": "approve", "/agent/4/fulfilled": "fulfilled"}
    return f"api.route_limits.{own[name]}" if name in own else "api.rate_limit"


def _who(scope: Scope) -> str:
    """Return whom a request counts for: the caller by name, else the address."""
    found = caller_of(scope)
    return address_of(scope) if found is None or found is LOCAL else found.actor


def address_of(scope: Scope) -> str:
    """Return what a caller's address is counted under."""
    return limit_key(str((scope.get("client") or ("unknown",))[0]))


@dataclass
class LogInAttempts:
    """Counts failed attempts to log in, so that passwords cannot be tried by the thousand.

    By address and name, by address, and slowly by name wherever the attempts come from. Who logged
    in from an address before is held to the first alone: others cannot lock them out.
    """

    _counter: FixedWindowRateLimiter = field(
        default_factory=lambda: FixedWindowRateLimiter(MemoryStorage())
    )
    _known: OrderedDict[tuple[str, str], None] = field(
        default_factory=OrderedDict[tuple[str, str], None]
    )

    def wait(self, address: str, name: str) -> int:
        """Return how many seconds to wait before the next attempt; 0 is none."""
        for limit, *who in self._limits(address, name):
            if not self._counter.test(limit, *who):
                window = self._counter.get_window_stats(limit, *who)
                return max(1, round(window.reset_time - time.time()))
        return 0

    def count(self, address: str, name: str) -> None:
        """Count an attempt, before it is known how it ends: many at once count as well."""
        for limit, *who in self._limits(address, name):
            self._counter.hit(limit, *who)

    def pardon(self, address: str, name: str) -> None:
        """Take an attempt back whose password was right, and forget those before it."""
        for limit, *who in self._limits(address, name)[1:]:
            self._counter.hit(limit, *who, cost=-1)
        self._counter.clear(_PER_PAIR, "login", address, name)
        self._known[address, name] = None
        self._known.move_to_end((address, name))
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _limits(self, address: str, name: str) -> list[tuple[Any, ...]]:
        pair = (_PER_PAIR, "login", address, name)
        if (address, name) in self._known:
            return [pair]
        return [pair, (_PER_ADDRESS, "login", address), (_PER_NAME, "login by name", name)]


_PER_PAIR = RateLimitItemPerMinute(5)
"""Attempts on one name from one address: a person mistypes less often."""
_PER_ADDRESS = RateLimitItemPerMinute(20)
"""Attempts from one address on any name."""
_PER_NAME = RateLimitItemPerHour(60)
"""Attempts on one name from any address."""
_MOST_KNOWN = 10_000
"""Pairs of address and name that are remembered to have logged in."""


def _with_headers(send: Send, shown: dict[str, str]) -> Send:
    extra = [(name.lower().encode(), value.encode()) for name, value in shown.items()]

    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *extra]}
        await send(message)

    return answer


@dataclass
class BodyLimit:
    """Refuses a body over 1 MB, by its announced length or as its chunks arrive."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with a bounded body."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isascii() and announced.isdigit() and int(announced) > MAX_BODY:
            answer = problem(scope, 413, f"a body has at most {MAX_BODY} bytes")
            await answer(scope, receive, send)
            return
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > MAX_BODY:
                raise HTTPException(413, f"a body has at most {MAX_BODY} bytes")
            return message

        await self.app(scope, bounded, send)


class Cors(CORSMiddleware):
    """Lets the configured web origins call; a preflight from another gets JSON, as all errors."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with the headers that a browser asks for."""
        if scope["type"] == "http" and scope["method"] == "OPTIONS":
            headers = Headers(scope=scope)
            origin = headers.get("origin")
            asks = origin is not None and "access-control-request-method" in headers
            if asks and not self.is_allowed_origin(origin or ""):
                answer = problem(scope, 403, "pages of this origin may not call")
                await answer(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
