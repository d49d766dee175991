"""Whose turn it is at a host: one request at a time, with a pause between, and away when asked."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime

from storecrew.web.errors import RetryLater

_HOSTS = 10_000
"""Hosts remembered at most; idle ones are forgotten first."""
_FIRST, _LONGEST = 30.0, 3600.0
"""Seconds to stay away after the first refusal without a time, and at most; each doubles."""
_A_DAY = 86_400.0
"""No host can send us away for longer than this."""


@dataclass
class _HostState:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    free_at: float = 0.0
    """Not before this moment, on the loop's clock."""
    refusals: int = 0
    waiting: int = 0


class HostRateLimiter:
    """Keeps the pace at every host."""

    def __init__(self, delay: float, patience: float) -> None:
        self._delay = delay
        self._patience = patience
        self._hosts: OrderedDict[str, _HostState] = OrderedDict()

    @asynccontextmanager
    async def acquire(self, name: str, delay: float = 0.0) -> AsyncIterator[None]:
        """Hold the host while a request runs, once it is free; raises `RetryLater`.

        Afterwards it is left alone for `delay` seconds, or for the usual pause where that is more.
        """
        host = self._host(name)
        queue = host.waiting * max(delay, self._delay)
        if queue > self._patience:
            raise RetryLater(name, queue)
        host.waiting += 1
        try:
            async with host.turn:
                await self._wait(name, host)
                try:
                    yield
                finally:
                    pause = max(delay, self._delay)
                    host.free_at = max(host.free_at, _now() + pause)
        finally:
            host.waiting -= 1

    async def _wait(self, name: str, host: _HostState) -> None:
        left = host.free_at - _now()
        if left > self._patience:
            raise RetryLater(name, left)
        if left > 0:
            await asyncio.sleep(left)

    def refused(self, name: str, asked: float | None) -> float:
        """Stay away from a host that answered "too many" or "busy"; return for how many seconds."""
        host = self._host(name)
        doubled = min(_LONGEST, _FIRST * 2.0 ** min(host.refusals, 20))
        host.refusals += 1
        seconds = min(_A_DAY, asked) if asked is not None else doubled
        host.free_at = max(host.free_at, _now() + seconds)
        return seconds

    def answered(self, name: str) -> None:
        """Forget earlier refusals: the host answers again."""
        self._host(name).refusals = 0

    def _host(self, name: str) -> _HostState:
        host = self._hosts.setdefault(name, _HostState())
        self._hosts.move_to_end(name)
        if len(self._hosts) > _HOSTS:
            self._forget()
        return host

    def _forget(self) -> None:
        now = _now()
        idle = [n for n, h in self._hosts.items() if not h.waiting and h.free_at < now]
        for name in idle[: _HOSTS // 10]:
            del self._hosts[name]


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a Retry-After header asks for (RFC 9110 §10.2.3), None if none."""
    text = (header or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - now).total_seconds()) if at.tzinfo is not None else None


def _now() -> float:
    return asyncio.get_running_loop().time()
