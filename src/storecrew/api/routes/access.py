"""Keys and people: who may come in, as the admin decides."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal
from storecrew.api.requests import UnrepeatedRoute
from storecrew.api.roles import ADMIN, requires
from storecrew.api.schemas import ListResponse
from storecrew.app.access import MAX_PASSWORD, MIN_PASSWORD
from storecrew.domain.control.access import ApiKey, Role, User

router = APIRouter(prefix="/api", route_class=UnrepeatedRoute, tags=["access"])

CallerName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9._@-]{0,63}$")]
RoleField = Annotated[Role, Field(strict=False)]


class CreateKeyRequest(bodies.Strict):
    """A key to be made."""

    name: CallerName
    role: RoleField


class CreateUserRequest(bodies.Strict):
    """A person who shall log in."""

    name: CallerName
    role: RoleField
    password: Annotated[str, StringConstraints(min_length=MIN_PASSWORD, max_length=MAX_PASSWORD)]


CreatedKey = TypedDict("CreatedKey", {"name": str, "role": Role, "key": str})
CreatedUser = TypedDict("CreatedUser", {"name": str, "role": Role})
Removal = TypedDict("Removal", {"name": str, "status": str})


@router.get("/keys")
@requires(ADMIN)
async def keys(plane: CurrentPlane) -> ListResponse[ApiKey]:
    """List the keys and who made them; the secrets are not shown again."""
    found = await plane.access.keys()
    return {"items": found, "total": len(found)}


@router.post("/keys", status_code=201)
@requires(ADMIN)
@bodies.example(name="dashboard", role="viewer")
async def add_key(plane: CurrentPlane, by: CurrentPrincipal, body: CreateKeyRequest) -> CreatedKey:
    """Make a key. This answer is the only place where it is ever shown."""
    token = await plane.access.add_key(body.name, body.role, by=by)
    return {"name": body.name, "role": body.role, "key": token}


@router.delete("/keys/{name}")
@requires(ADMIN)
async def revoke_key(plane: CurrentPlane, by: CurrentPrincipal, name: str) -> Removal:
    """Revoke a key, at once and for ever."""
    await plane.access.revoke_key(name, by=by)
    return {"name": name, "status": "revoked"}


@router.get("/users")
@requires(ADMIN)
async def users(plane: CurrentPlane) -> ListResponse[User]:
    """List everybody who may log in."""
    found = await plane.access.users()
    return {"items": found, "total": len(found)}


@router.post("/users", status_code=201)
@requires(ADMIN)
@bodies.example(name="anna", role="operator", password="a password nobody guesses")  # noqa: S106
async def add_user(
    plane: CurrentPlane, by: CurrentPrincipal, body: CreateUserRequest
) -> CreatedUser:
    """Let a person log in."""
    await plane.access.add_user(body.name, body.role, body.password, by=by)
    return {"name": body.name, "role": body.role}


@router.delete("/users/{name}")
@requires(ADMIN)
async def remove_user(plane: CurrentPlane, by: CurrentPrincipal, name: str) -> Removal:
    """End a person's sessions and let them log in no more."""
    await plane.access.remove_user(name, by=by)
    return {"name": name, "status": "removed"}
