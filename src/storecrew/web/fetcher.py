"""Reads pages and feeds of the web: asked, guarded, one at a time, and no more than has changed."""

import asyncio
from collections import OrderedDict
from contextlib import AsyncExitStack
from dataclasses import dataclass
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx

from storecrew.domain.ports.clock import Clock
from storecrew.web import robots
from storecrew.web.body import ENCODINGS, BodyTooLarge, BodyUnreadable, read_bounded
from storecrew.web.cache import CachedPage, PageCache
from storecrew.web.errors import PageRefused, PageUnreachable, RetryLater, RobotsForbid
from storecrew.web.rate_limiter import HostRateLimiter, retry_after
from storecrew.web.settings import FetchSettings
from storecrew.web.ssrf_guard import OutboundPolicy

_ORIGINS = 10_000
"""Origins whose robots.txt is remembered at most."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_BUSY = frozenset({429, 503})
_UNCHANGED = 304


@dataclass(frozen=True, kw_only=True)
class FetchedPage:
    """What a URL held."""

    url: str
    """Where it was found, after redirects."""
    content: bytes
    media_type: str
    """In lower case, e.g. `text/html`; empty where the server did not say."""
    charset: str | None
    """As the server named it; may be wrong."""
    unchanged: bool
    """Whether the server said that it is as it was the last time."""


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    content: bytes
    headers: httpx.Headers


class Fetcher:
    """Fetches over http(s), each address through the guard, and each site at its own pace.

    Safe to share between tasks of one event loop. Nothing is sent but the request line, a
    User-Agent with the owner's contact, and conditions: no cookies, no referrer, no credentials.
    """

    def __init__(
        self, settings: FetchSettings, clock: Clock, *, folder: Path | None = None
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._guard = OutboundPolicy(settings.allow_private, setting="web.allow_private")
        self._hosts = HostRateLimiter(settings.request_interval, settings.queue_timeout)
        self._cache = PageCache(settings.cache_bytes, folder)
        self._robots: OrderedDict[str, robots.RobotsRules] = OrderedDict()
        self._asking: dict[str, asyncio.Lock] = {}
        self._open = AsyncExitStack()
        self._client: httpx.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        """Use as a context manager, or call `close` at the end."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close what is open."""
        await self.close()

    async def close(self) -> None:
        """Close what is open."""
        await self._open.aclose()
        self._client = None

    async def fetch(self, url: str) -> FetchedPage:
        """Return the page at the URL.

        Raises `InvalidInput` where the guard refuses an address, `RobotsForbid`, `PageRefused`
        (final), or what may pass with time: `Unresolved`, `PageUnreachable`, `RetryLater`.
        """
        here = urldefrag(url).url
        for _ in range(self._settings.redirects + 1):
            self._guard.check(here, "url")
            rules = await self._rules(here)
            if rules.rules is None:
                raise PageUnreachable(here, "its site's robots.txt cannot be read")
            if not rules.allow(here):
                raise RobotsForbid(here)
            kept = await asyncio.to_thread(self._cache.get, here)
            answer = await self._request(here, rules.delay, kept)
            target = _redirect(here, answer)
            if target is None:
                return await self._page(here, answer, kept)
            here = target
        raise PageRefused(url, f"more than {self._settings.redirects} redirects")

    async def _page(self, url: str, answer: _Answer, kept: CachedPage | None) -> FetchedPage:
        if answer.status == _UNCHANGED and kept is not None:
            return _shown(kept, unchanged=True)
        if answer.status >= 500:
            raise PageUnreachable(url, f"status {answer.status}")
        if answer.status != 200:
            raise PageRefused(url, f"status {answer.status}", answer.status)
        media_type, charset = _media(answer.headers.get("content-type", ""))
        fresh = CachedPage(
            url=url,
            content=answer.content,
            media_type=media_type,
            charset=charset,
            etag=answer.headers.get("etag"),
            last_modified=answer.headers.get("last-modified"),
        )
        await asyncio.to_thread(self._cache.put, fresh)
        return _shown(fresh, unchanged=False)

    async def _rules(self, url: str) -> robots.RobotsRules:
        """Return what the origin allows, asking for its robots.txt at most once at a time."""
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        async with self._asking.setdefault(origin, asyncio.Lock()):
            known = self._robots.get(origin)
            now = asyncio.get_running_loop().time()
            if known is None or known.until < now:
                known = await self._ask_robots(f"{origin}/robots.txt", now)
                self._robots[origin] = known
                self._forget_origins()
            self._robots.move_to_end(origin)
            return known

    async def _ask_robots(self, url: str, now: float) -> robots.RobotsRules:
        here = url
        try:
            for _ in range(self._settings.redirects + 1):
                answer = await self._request(here, 0.0, None)
                target = _redirect(here, answer)
                if target is None:
                    return robots.judge(answer.status, answer.content, now)
                here = target
        except (PageUnreachable, PageRefused, RetryLater):
            return robots.judge(0, b"", now)
        return robots.judge(404, b"", now)  # RFC 9309 §2.3.1.2: too many redirects

    def _forget_origins(self) -> None:
        while len(self._robots) > _ORIGINS:
            origin, _ = self._robots.popitem(last=False)
            if not self._asking[origin].locked():
                del self._asking[origin]

    async def _request(self, url: str, delay: float, kept: CachedPage | None) -> _Answer:
        """Send one request in its host's turn, to the address that the guard judged."""
        host = (urlsplit(url).hostname or "").lower()
        async with self._hosts.acquire(host, delay):
            try:
                async with asyncio.timeout(self._settings.timeout):
                    answer = await self._send(url, kept)
            except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
                raise PageUnreachable(url, type(error).__name__) from error
            except BodyTooLarge:
                limit = self._settings.max_bytes
                raise PageRefused(url, f"more than {limit} bytes") from None
            except BodyUnreadable as error:
                raise PageRefused(url, str(error)) from error
            if answer.status in _BUSY:
                pause = retry_after(answer.headers.get("retry-after"), self._clock.now())
                raise RetryLater(host, self._hosts.refused(host, pause))
            self._hosts.answered(host)
            return answer

    async def _send(self, url: str, kept: CachedPage | None) -> _Answer:
        target = await self._guard.target(url, "url")
        headers = {
            "Host": target.host,
            "User-Agent": self._settings.user_agent,
            "Accept": "*/*",
            "Accept-Encoding": ENCODINGS,
            **(kept.conditions if kept else {}),
        }
        client = await self._pool()
        request = httpx.Request(
            "GET", target.url, headers=headers, extensions={"sni_hostname": target.name}
        )
        response = await client.send(request, stream=True)
        try:
            found = response.status_code == 200
            encoding = response.headers.get("content-encoding", "")
            limit = self._settings.max_bytes
            body = await read_bounded(response.aiter_raw(), encoding, limit) if found else b""
        finally:
            await response.aclose()
        return _Answer(status=response.status_code, content=body, headers=response.headers)

    async def _pool(self) -> httpx.AsyncClient:
        if self._client is None:
            never = CookieJar(DefaultCookiePolicy(allowed_domains=()))
            client = httpx.AsyncClient(
                timeout=self._settings.timeout,
                follow_redirects=False,
                trust_env=False,
                cookies=never,
                limits=httpx.Limits(max_connections=32, max_keepalive_connections=0),
            )
            self._client = await self._open.enter_async_context(client)
        return self._client


def _redirect(url: str, answer: _Answer) -> str | None:
    """Return where the answer sends us, or None."""
    location: str | None = answer.headers.get("location")
    if answer.status not in _REDIRECTS or location is None:
        return None
    try:
        return urldefrag(urljoin(url, location)).url
    except ValueError as error:
        raise PageRefused(url, "it redirects to what is no URL") from error


def _media(header: str) -> tuple[str, str | None]:
    message = Message()
    message["content-type"] = header or "application/octet-stream"
    try:
        charset = message.get_param("charset")
        media_type = message.get_content_type() if header else ""
    except Exception:  # noqa: BLE001 - the boundary of the library: a parameter at its worst
        return (header.partition(";")[0].strip().lower(), None)
    return (media_type, charset if isinstance(charset, str) else None)


def _shown(kept: CachedPage, *, unchanged: bool) -> FetchedPage:
    return FetchedPage(
        url=kept.url,
        content=kept.content,
        media_type=kept.media_type,
        charset=kept.charset,
        unchanged=unchanged,
    )
