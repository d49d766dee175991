"""Keys and people: who may come in, as the admin decides."""

from typing import Annotated, Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane
from storecrew.api.requests import UnrepeatedRoute
from storecrew.app.access import MAX_PASSWORD, MIN_PASSWORD
from storecrew.domain.codec import encode
from storecrew.domain.identity import Role

router = APIRouter(prefix="/api", route_class=UnrepeatedRoute, tags=["access"])

CallerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._@-]{0,63}$")]
TheRole = Annotated[Role, Field(strict=False)]


class KeyBody(bodies.Strict):
    """A key to be made."""

    name: CallerName
    role: TheRole


class UserBody(bodies.Strict):
    """A person who shall log in."""

    name: CallerName
    role: TheRole
    password: Annotated[str, StringConstraints(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


@router.get("/keys")
async def keys(plane: ThePlane) -> JSONResponse:
    """List the keys and who made them; what opens the door is not shown again."""
    return _all(await plane.access.keys())


@router.post("/keys", status_code=201)
async def add_key(plane: ThePlane, by: TheCaller, body: KeyBody) -> JSONResponse:
    """Make a key. This answer is the only place where it is ever shown."""
    token = await plane.access.add_key(body.name, body.role, by=by)
    return JSONResponse({"name": body.name, "role": body.role, "key": token}, 201)


@router.delete("/keys/{name}")
async def revoke_key(plane: ThePlane, by: TheCaller, name: str) -> JSONResponse:
    """Revoke a key, at once and for ever."""
    await plane.access.revoke_key(name, by=by)
    return JSONResponse({"name": name, "status": "revoked"})


@router.get("/users")
async def users(plane: ThePlane) -> JSONResponse:
    """List everybody who may log in."""
    return _all(await plane.access.users())


@router.post("/users", status_code=201)
async def add_user(plane: ThePlane, by: TheCaller, body: UserBody) -> JSONResponse:
    """Let a person log in."""
    await plane.access.add_user(body.name, body.role, body.password, by=by)
    return JSONResponse({"name": body.name, "role": body.role}, 201)


@router.delete("/users/{name}")
async def remove_user(plane: ThePlane, by: TheCaller, name: str) -> JSONResponse:
    """End a person's sessions and let them log in no more."""
    await plane.access.remove_user(name, by=by)
    return JSONResponse({"name": name, "status": "removed"})


def _all(found: Any) -> JSONResponse:
    return JSONResponse({"items": encode(list(found)), "total": len(found)})
