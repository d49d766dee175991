"""Who may come in: with a key its bearers, without one only this machine. Never fails open."""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from storecrew.api.addresses import is_forwarded
from storecrew.api.denied_attempts import DeniedAttemptLog
from storecrew.api.errors import problem, unavailable
from storecrew.api.long_lived import LongLivedConnection
from storecrew.api.request_context import PROBES
from storecrew.app.access import Access, csrf_token
from storecrew.app.settings import Settings
from storecrew.domain.control.access import LOCAL, Principal, Role
from storecrew.domain.errors import Retryable

OPEN_PATHS = PROBES | {"/", "/favicon.ico"}
"""Paths that need no key: they tell a stranger nothing but that we are here."""
CHALLENGE = {"WWW-Authenticate": "Bearer"}
COOKIE = "storecrew_session"
CSRF_HEADER = "x-csrf-token"
CONFIGURED = Principal(name="api", role=Role.ADMIN)
"""Whoever shows the key of the settings."""
MIN_PRODUCTION_KEY = 32
MAX_HEADERS = 64_000
"""Bytes of a request's headers: more than browsers and proxies send, far less than a flood."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED = {401: "unauthorized", 403: "forbidden", 421: "misdirected", 431: "oversized"}
"""Answers that are audited, and as what."""


@dataclass(frozen=True)
class Denial:
    """Why a caller may not come in."""

    status: int
    message: str


_NEEDS_KEY = Denial(401, "this needs a key or a session")


def auth_settings_problem(settings: Settings, *, has_callers: bool = False) -> str | None:
    """Return why the server must not listen as configured, or None where it may.

    `has_callers` tells whether the journal knows a key that opens the door as well.
    """
    orchestrator = settings.orchestrator
    key = settings.api_key
    if key is None and not has_callers and not orchestrator.is_loopback:
        return (
            f"HOST is {orchestrator.host}, which others can reach, and there is no key: "
            "set API_KEY_ROYALGPT (api.api_key), or HOST to 127.0.0.1"
        )
    if key and orchestrator.env.lower() == "production" and len(key) < MIN_PRODUCTION_KEY:
        return (
            f"API_KEY_ROYALGPT (api.api_key) has {len(key)} characters; "
            f"ENV=production needs at least {MIN_PRODUCTION_KEY}"
        )
    return None


def caller_of(scope: Scope) -> Principal | None:
    """Return who the guard found to be asking, None for a stranger."""
    found: Principal | None = scope.get("state", {}).get("caller")
    return found


def caller(request: Request) -> str:
    """Return who is asking, as the audit names them."""
    found = caller_of(request.scope)
    return found.actor if found else stranger(request.scope)


def stranger(scope: Scope) -> str:
    """Return a caller who proved nothing, as the audit names them."""
    return f"address:{_peer(scope) or 'unknown'}"


def is_royalgpt_authorized(request: Request) -> bool:
    """Tell whether this request may use the protected routes."""
    if caller_of(request.scope) is not None:
        return True
    settings: Settings = request.app.state.settings
    if settings.api_key is not None:
        return _is_key(_token(request.headers), settings.api_key)
    return is_loopback(_peer(request.scope)) and not request.app.state.door.closed


async def require_royalgpt_auth(request: Request) -> None:
    """Guard a route by itself, wherever it is mounted: 401 without a key."""
    if not is_royalgpt_authorized(request):
        raise HTTPException(401, _NEEDS_KEY.message, headers=CHALLENGE)


async def authorize(scope: Scope) -> Principal | None:
    """Return who opens this request or websocket, None where it must be refused."""
    door: Authenticator = scope["app"].state.door
    found = await door.judge(scope)
    return found if isinstance(found, Principal) else None


@dataclass
class Authenticator:
    """Knows who a caller is, and what may not come in."""

    access: Access
    settings: Settings

    @property
    def closed(self) -> bool:
        """Whether callers prove who they are, as far as is known without looking."""
        process = self.settings.orchestrator
        return bool(self.settings.api_key) or not process.is_loopback or self.access.ever_closed

    async def judge(self, scope: Scope) -> Principal | Denial | None:
        """Return who is calling; None for a stranger who asks for what is open to all."""
        headers = Headers(scope=scope)
        if len(headers.getlist("host")) > 1:
            return Denial(421, "there is more than one Host header")
        if _is_unsubscribing(scope):  # by mail programs and readers, under any name we have
            return None
        if scope["path"] in OPEN_PATHS or scope["path"].startswith("/health/"):  # leads nowhere
            return await self._known(scope, headers) if self.closed else self._local(scope, headers)
        if not self.closed:
            await self.access.admitted()  # another process may have made the first key
        if not self.closed:
            return self._local(scope, headers)
        host = headers.get("host", "")
        if not self._answers_to(host):
            return Denial(421, "the Host header names another server; see api.hosts")
        if not self._may_come_from(headers.get("origin"), host) and _writes(scope):
            return Denial(403, "pages of this origin may not call; see api.cors_origins")
        return await self._proven(scope, headers)

    async def _known(self, scope: Scope, headers: Headers) -> Principal | None:
        """Return who asks for the health, which tells callers more than strangers."""
        if scope["path"] != "/health" or not (_token(headers) or session_token(headers)):
            return None
        try:
            found = await self._proven(scope, headers)
        except Retryable:  # a probe is answered all the same
            return None
        return found if isinstance(found, Principal) else None

    async def _proven(self, scope: Scope, headers: Headers) -> Principal | Denial | None:
        if token := _token(headers):
            key = self.settings.api_key
            if key is not None and _is_key(token, key):
                return CONFIGURED
            known = await self.access.by_key(token)
            return known or (None if _has_own_token(scope) else _NEEDS_KEY)
        session = session_token(headers)
        found = await self.access.by_session(session) if session else None
        if found is None:
            return None if _proves_itself(scope) else _NEEDS_KEY
        if scope["type"] == "http" and _writes(scope):
            shown = headers.get(CSRF_HEADER, "")
            if not hmac.compare_digest(shown.encode(), csrf_token(session).encode()):
                return Denial(403, f"with the session's cookie a write needs {CSRF_HEADER}")
        return found

    def _local(self, scope: Scope, headers: Headers) -> Principal | Denial:
        """Admit this machine alone: not its neighbours, its proxies, or pages in its browser."""
        host = headers.get("host", "")
        if not is_loopback(_peer(scope)):
            return Denial(403, "without a key only this machine may call")
        if is_forwarded(headers):
            return Denial(403, "behind a proxy the server needs a key")
        if not is_loopback(_hostname(host)):
            return Denial(421, "the Host header must name this machine: localhost")
        if not self._may_come_from(headers.get("origin"), host):
            return Denial(403, "pages of this origin may not call; see api.cors_origins")
        return LOCAL

    def _answers_to(self, host: str) -> bool:
        name, known = _hostname(host), self.settings.api.hosts
        return bool(name) and (not known or name in known or is_loopback(name))

    def _may_come_from(self, origin: str | None, host: str) -> bool:
        if origin is None or origin in self.settings.api.cors_origins:
            return True
        return origin in (f"http://{host}", f"https://{host}")


@dataclass
class AuthMiddleware:
    """Finds out who is calling, and audits what was refused, here or further in."""

    app: ASGIApp
    authenticator: Authenticator
    refusals: DeniedAttemptLog

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request with its caller, or with the reason to refuse it."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        try:
            found = _oversized(scope) or await self.authenticator.judge(scope)
        except Retryable as error:  # who cannot be looked up does not come in
            await unavailable(scope, error)(scope, receive, send)
            return
        state["denial" if isinstance(found, Denial) else "caller"] = found
        await self.app(
            scope, receive, LongLivedConnection(send, lambda: self._still_allowed(scope))
        )
        status, message = state.get("problem", (0, ""))
        if status in _REFUSED:
            known = caller_of(scope)
            who = known.actor if known else stranger(scope)
            what = f"{scope.get('method', 'WEBSOCKET')} {scope['path']}"
            self.refusals.note(_REFUSED[status], who, what, message)

    async def _still_allowed(self, scope: Scope) -> bool:
        try:
            return not isinstance(await self.authenticator.judge(scope), Denial)
        except Retryable:
            return False


@dataclass
class RejectMiddleware:
    """Turns away whom the guard does not let in, once the attempt was counted."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        denial: Denial | None = scope.get("state", {}).get("denial")
        if denial is None:
            await self.app(scope, receive, send)
            return
        headers = CHALLENGE if denial.status == 401 else None
        answer = problem(scope, denial.status, denial.message, headers=headers)
        await answer(scope, receive, send)


def session_token(headers: Headers) -> str:
    """Return the session's token from the cookie, empty where there is none."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE, "")


def is_loopback(name: str) -> bool:
    """Tell whether a host name or address means this machine."""
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def shown_token(request: Request) -> str:
    """Return the key or token that a request shows, empty where it shows none."""
    return _token(request.headers)


def _token(headers: Headers) -> str:
    """Return the key that was shown, as Bearer or plain."""
    shown = headers.get("authorization", "")
    scheme, _, token = shown.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else shown.strip()


def _is_key(token: str, key: str) -> bool:
    return hmac.compare_digest(token.encode(), key.encode())


def _writes(scope: Scope) -> bool:
    """Tell whether a page of another site must not do this, even unread: websockets neither."""
    return scope["type"] == "websocket" or scope["method"] not in _READING


def _proves_itself(scope: Scope) -> bool:
    """Tell whether the route asks for a proof of its own: a password, or a signature."""
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    path: str = scope["path"]
    return path == "/api/session" or path.startswith("/webhooks/")


def _is_unsubscribing(scope: Scope) -> bool:
    """Tell whether the address itself is the proof: the link in a letter, which its reader has."""
    is_read_or_sent = scope.get("method") in ("GET", "POST")
    return bool(is_read_or_sent and scope["path"].startswith("/unsubscribe/"))


def _has_own_token(scope: Scope) -> bool:
    """Tell whether the token may be a remote agent's, which the route itself asks for."""
    path: str = scope["path"]
    is_beat = path.startswith("/api/agents/") and path.endswith("/heartbeat")
    return is_beat and scope.get("method") == "POST"


def _oversized(scope: Scope) -> Denial | None:
    if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
        return Denial(431, f"headers have at most {MAX_HEADERS} bytes")
    return None


def _peer(scope: Scope) -> str:
    return str((scope.get("client") or ("",))[0])


def _hostname(host: str) -> str:
    try:
        return (urlsplit(f"//{host}").hostname or "").removesuffix(".")
    except ValueError:
        return ""
