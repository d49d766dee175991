"""Asking a service how it is: 200 and the agreed JSON, in time, or it is unhealthy."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from storecrew.domain.control.services import ServiceHealth

if TYPE_CHECKING:
    import httpx

JSON, ANY_2XX = "json", "any-2xx"
"""What services may answer: the agreed JSON, or anything with a status of 200 to 299."""
_GOOD_ELSEWHERE = frozenset({"ok", "up", "pass", "passing", "alive", "green", "running", "success"})
"""What other conventions call healthy."""
MAX_BODY = 65536
"""Bytes of an answer that are read at most."""


@dataclass(frozen=True, kw_only=True)
class ProbeResult:
    """What came back, and why it counts as it does."""

    health: ServiceHealth
    detail: str = ""
    reached: bool = True
    """Whether anybody listened."""


def judge(status: int, body: bytes, convention: str = JSON) -> ProbeResult:
    """Return what an HTTP answer says of a service's health."""
    if convention == ANY_2XX:
        is_good = 200 <= status < 300
        good = ProbeResult(health=ServiceHealth.HEALTHY)
        return good if is_good else _ill(f"its health endpoint answered {status}, not 2xx")
    if status != 200:
        return _ill(f"its health endpoint answered {status}, not 200")
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _foreign("its health endpoint did not answer JSON")
    if not isinstance(answer, dict):
        return _foreign("its health endpoint did not answer a JSON object")
    if missing := [name for name in ("status", "service", "timestamp") if not answer.get(name)]:
        return _foreign(f"its health answer has no {missing[0]!r}")
    word = str(answer["status"])[:100]
    if word.lower() in _GOOD_ELSEWHERE:
        return _foreign(f"it says that it is {word!r}, not 'healthy'")
    if word != "healthy":
        return _ill(f"it says that it is {word!r}")
    return ProbeResult(health=ServiceHealth.HEALTHY)


def _foreign(detail: str) -> ProbeResult:
    """Return the answer of a service that may follow another convention."""
    return _ill(f"{detail}; with `health_status: {ANY_2XX}` any 2xx answer is good")


def _ill(detail: str, *, reached: bool = True) -> ProbeResult:
    return ProbeResult(health=ServiceHealth.UNHEALTHY, detail=detail, reached=reached)


class HealthProbe:
    """Asks health endpoints over HTTP; follows no redirect and reads no endless answer."""

    def __init__(self) -> None:
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def probe(self, url: str, within: float, convention: str = JSON) -> ProbeResult:
        """Return how the service behind this URL is."""
        import asyncio

        import httpx  # a tenth of a second that a plane without services need not pay

        try:
            async with asyncio.timeout(within):
                return await self._probe(url, within, convention)
        except (TimeoutError, httpx.TimeoutException):
            return _ill(f"it did not answer within {within:g} s")
        except httpx.ConnectError:
            return _ill("nobody listens at its health endpoint", reached=False)
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return _ill(f"its health endpoint failed: {type(error).__name__}")

    async def _probe(self, url: str, within: float, convention: str) -> ProbeResult:
        async with self._client(url).stream("GET", url, timeout=within) as response:
            body = b""
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > MAX_BODY:
                    return _ill(f"its health answer is longer than {MAX_BODY} bytes")
            return judge(response.status_code, body, convention)

    def _client(self, url: str) -> "httpx.AsyncClient":
        import httpx

        is_https = url.lower().startswith("https:")
        if is_https not in self._clients:
            options: dict[str, Any] = {"follow_redirects": False, "trust_env": False}
            if not is_https:  # spares loading every certificate authority
                options["verify"] = False
            limits = httpx.Limits(max_keepalive_connections=0)
            self._clients[is_https] = httpx.AsyncClient(limits=limits, **options)
        return self._clients[is_https]

    async def close(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()
