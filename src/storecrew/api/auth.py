"""Who may come in: with a key its bearers, without one only this machine. Never fails open."""

import hmac
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from storecrew.api.boundary import PROBES
from storecrew.api.errors import problem
from storecrew.app.settings import Settings

OPEN_PATHS = PROBES | {"/", "/favicon.ico"}
"""Paths that need no key: they tell a stranger nothing but that we are here."""
CHALLENGE = {"WWW-Authenticate": "Bearer"}
_PROXY_HEADERS = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto")
MIN_PRODUCTION_KEY = 32


def door_problem(settings: Settings) -> str | None:
    """Return why the server must not listen as configured, or None where it may."""
    orchestrator = settings.orchestrator
    key = settings.api_key
    if key is None and not orchestrator.is_loopback:
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


def is_authorized(scope: Scope, key: str | None) -> bool:
    """Tell whether the caller showed the key or, where there is none, is on this machine."""
    if key is None:
        return _is_loopback((scope.get("client") or ("",))[0])
    shown = Headers(scope=scope).get("authorization", "")
    scheme, _, token = shown.partition(" ")
    token = token.strip() if scheme.lower() == "bearer" else shown
    return hmac.compare_digest(token.encode(), key.encode())


def is_royalgpt_authorized(request: Request) -> bool:
    """Tell whether this request may use the protected routes."""
    return is_authorized(request.scope, request.app.state.settings.api_key)


async def require_royalgpt_auth(request: Request) -> None:
    """Guard a route by itself, wherever it is mounted: 401 without the key."""
    if not is_royalgpt_authorized(request):
        raise HTTPException(401, "this needs the API key", headers=CHALLENGE)


def caller(request: Request) -> str:
    """Return who is asking, as the audit names them."""
    return "person:local" if request.app.state.settings.api_key is None else "person:api"


@dataclass
class Guard:
    """Refuses what may not come in before any route sees it."""

    app: ASGIApp
    key: str | None
    origins: tuple[str, ...]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the request, or refuse it."""
        refusal = None
        if scope["type"] == "http":
            check = self._without_key if self.key is None else self._with_key
            refusal = check(scope)
        if refusal is None:
            await self.app(scope, receive, send)
        else:
            await refusal(scope, receive, send)

    def _with_key(self, scope: Scope) -> JSONResponse | None:
        if scope["path"] in OPEN_PATHS or is_authorized(scope, self.key):
            return None
        return problem(scope, 401, "this needs the API key", headers=CHALLENGE)

    def _without_key(self, scope: Scope) -> JSONResponse | None:
        """Admit this machine alone: not its neighbours, its proxies, or pages in its browser."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not is_authorized(scope, None):
            return problem(scope, 403, "without a key only this machine may call")
        if any(name in headers for name in _PROXY_HEADERS):
            return problem(scope, 403, "behind a proxy the server needs a key")
        if not _is_loopback(_hostname(host)):
            return problem(scope, 421, "the Host header must name this machine: localhost")
        if not self._may_come_from(headers.get("origin"), host):
            return problem(scope, 403, "pages of this origin may not call; see api.cors_origins")
        return None

    def _may_come_from(self, origin: str | None, host: str) -> bool:
        if origin is None or origin in self.origins:
            return True
        return origin in (f"http://{host}", f"https://{host}")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False
