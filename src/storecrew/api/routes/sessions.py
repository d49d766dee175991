"""Logging in: a password for a session, whose cookie the browser then shows."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import StringConstraints
from starlette.types import Scope
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.authentication import COOKIE, caller_of, is_loopback, session_token
from storecrew.api.dependencies import CurrentPlane
from storecrew.api.request_limits import address_of
from storecrew.api.requests import UnrepeatedRoute
from storecrew.api.roles import ANYONE, VIEWER, requires
from storecrew.app.access import MAX_PASSWORD, csrf_token
from storecrew.domain.control.access import Role

router = APIRouter(prefix="/api/session", route_class=UnrepeatedRoute, tags=["session"])

SessionView = TypedDict("SessionView", {"name": str, "role": Role, "csrf_token": str | None})
CreatedSession = TypedDict(
    "CreatedSession", {"name": str, "role": Role, "csrf_token": str, "ends_at": datetime}
)
SessionEnded = TypedDict("SessionEnded", {"status": str})


class LogInRequest(bodies.Strict):
    """Who wants to come in."""

    name: bodies.Name
    password: Annotated[str, StringConstraints(max_length=MAX_PASSWORD)]


@router.post("", response_model=CreatedSession)
@requires(ANYONE)
@bodies.example(name="anna", password="a password nobody guesses")  # noqa: S106
async def log_in(request: Request, plane: CurrentPlane, body: LogInRequest) -> JSONResponse:
    """Begin a session. The answer to a wrong password is that to an unknown name."""
    scope, attempts = request.scope, request.app.state.log_in_attempts
    address = address_of(scope)
    if seconds := attempts.wait(address, body.name):
        headers = {"Retry-After": str(seconds)}
        raise HTTPException(429, "too many attempts; wait a little", headers=headers)
    attempts.count(address, body.name)
    lasts = timedelta(hours=plane.settings.api.session_hours)
    begun = await plane.access.log_in(body.name, body.password, lasts=lasts)
    if begun is None:
        raise HTTPException(401, "this name and password do not go together")
    attempts.pardon(address, body.name)
    content = {
        "name": begun.caller.name,
        "role": begun.caller.role,
        "csrf_token": csrf_token(begun.token),
        "ends_at": begun.ends_at.isoformat(),
    }
    answer = JSONResponse(content)
    answer.set_cookie(
        COOKIE,
        begun.token,
        max_age=round(lasts.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_needs_tls(scope),
    )
    return _private(answer)


@router.get("", response_model=SessionView)
@requires(VIEWER)
async def show(request: Request) -> JSONResponse:
    """Say who is calling, with the token that writes need beside the session's cookie."""
    found = caller_of(request.scope)
    assert found is not None  # noqa: S101 - the route needs a role
    csrf = csrf_token(session_token(request.headers)) if found.by_cookie else None
    return _private(JSONResponse({"name": found.name, "role": found.role, "csrf_token": csrf}))


@router.delete("", response_model=SessionEnded)
@requires(VIEWER)
async def log_out(request: Request, plane: CurrentPlane) -> JSONResponse:
    """End the session; who came with a key keeps it."""
    if token := session_token(request.headers):
        await plane.access.log_out(token)
    answer = JSONResponse({"status": "ended"})
    answer.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_needs_tls(request.scope))
    return _private(answer)


def _private(answer: JSONResponse) -> JSONResponse:
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _needs_tls(scope: Scope) -> bool:
    """Tell whether the cookie must not travel unencrypted: anywhere but on this machine."""
    server = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    name = server.rpartition(":")[0] if ":" in server and not server.endswith("]") else server
    return scope["scheme"] == "https" or not is_loopback(name.strip("[]"))
