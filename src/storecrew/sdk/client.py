"""The plane over HTTP, for programs in other processes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from storecrew.domain.errors import Retryable, StorecrewError

if TYPE_CHECKING:
    import httpx

DEFAULT_URL = "http://localhost:8000"
"""Where `storecrew up` listens unless told otherwise."""
_TIMEOUT_SECONDS = 10.0
"""Longest wait for an answer: far above what a healthy plane takes."""


class Unreachable(Retryable):
    """The plane did not answer; the same request may be sent again."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"the plane at {url} did not answer: {reason}")
        self.url = url


class RequestRejected(StorecrewError):
    """The plane answered, and said no."""

    def __init__(self, status: int, message: str, fields: Mapping[str, str]) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status
        """The HTTP status."""
        self.fields = fields
        """What is wrong with each field of the request."""


def headers(api_key: str | None) -> dict[str, str]:
    """Return what a request shows of its sender."""
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def content_of(answer: httpx.Response) -> Any:
    """Return the JSON of an answer; raises `RequestRejected`, or `Unreachable` where it is ill."""
    try:
        content = answer.json() if answer.content else None
    except ValueError:
        content = None
    if answer.is_success:
        return content
    told: Mapping[str, Any] = content if isinstance(content, dict) else {}
    message = str(told.get("message") or answer.reason_phrase)
    if answer.status_code in (429, 502, 503, 504):
        raise Unreachable(str(answer.request.url), f"{answer.status_code}: {message}")
    fields = told.get("fields")
    raise RequestRejected(answer.status_code, message, fields if isinstance(fields, dict) else {})


class Client:
    """Sends requests to the plane, one by one. Raises `Unreachable` or `RequestRejected`."""

    def __init__(self, url: str = DEFAULT_URL, *, api_key: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._headers = headers(api_key)

    def get(self, path: str, **query: Any) -> Any:
        """Return what stands at a path."""
        return self._send("GET", path, params=query)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """Send something; with a key it happens at most once, however often it is sent."""
        more = {"Idempotency-Key": key} if key else {}
        return self._send("POST", path, json=body if body is not None else {}, headers=more)

    def put(self, path: str, body: Any = None) -> Any:
        """Put something in its place."""
        return self._send("PUT", path, json=body if body is not None else {})

    def delete(self, path: str) -> Any:
        """Take something away."""
        return self._send("DELETE", path)

    def _send(self, method: str, path: str, **more: Any) -> Any:
        import httpx  # a tenth of a second that importing the sdk need not cost

        more["headers"] = self._headers | more.get("headers", {})
        try:
            answer = httpx.request(method, self.url + path, timeout=_TIMEOUT_SECONDS, **more)
        except httpx.HTTPError as error:
            raise Unreachable(self.url, str(error) or type(error).__name__) from error
        return content_of(answer)
