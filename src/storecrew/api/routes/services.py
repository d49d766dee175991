"""Services: what is kept running, and the ways to start it, stop it and read what it says."""

import json
from collections.abc import AsyncIterator, Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import StringConstraints
from starlette.exceptions import HTTPException
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.authentication import caller_of
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import ADMIN, OPERATOR, VIEWER, may, requires
from storecrew.api.schemas import text
from storecrew.app.service_files import ServiceFile, ServiceId, Url
from storecrew.domain.control.access import Role
from storecrew.domain.control.services import ServiceHealth, ServiceSpec, ServiceView
from storecrew.domain.errors import NotFound

router = APIRouter(prefix="/api/services", route_class=JsonRoute, tags=["services"])

Lines = Annotated[int, Query(ge=1, le=10_000)]
Words = Annotated[str, Query(max_length=200)]

LogLines = TypedDict("LogLines", {"service": str, "lines": list[str]})


class RegisterServiceRequest(bodies.Strict):
    """A service that runs already, and where it answers."""

    service_id: ServiceId
    health_endpoint: Url | None = None
    api_endpoint: Url | None = None


class ServiceReportRequest(bodies.Strict):
    """A service's own word on its health."""

    status: Literal["healthy", "unhealthy"]
    detail: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f]*$")] = ""


@router.get("")
@requires(VIEWER)
async def services(plane: CurrentPlane) -> Sequence[ServiceView]:
    """List every service, by id."""
    return await plane.services.list()


@router.post("", status_code=201)
@requires(ADMIN)  # an executable
@bodies.example(
    id="reviews",
    name="Reviews",
    executable="python3 reviews.py",
    health_endpoint="http://127.0.0.1:9001/health",
)
async def register(plane: CurrentPlane, by: CurrentPrincipal, body: ServiceFile) -> ServiceView:
    """Take a service in, and start it where `auto_start` says so. The keys are the YAML file's."""
    return await plane.services.register(body.spec(), by=by)


@router.post("/announce", responses={201: {"model": ServiceView}})
@requires(OPERATOR)
@bodies.example(service_id="reviews", health_endpoint="http://127.0.0.1:9001/health")
async def announce(
    request: Request,
    response: Response,
    plane: CurrentPlane,
    by: CurrentPrincipal,
    body: RegisterServiceRequest,
) -> ServiceView:
    """Take in a service that runs already. It is watched, and never started or stopped.

    A new one needs an admin, as its health endpoint will be called; one that is known stays as
    it is.
    """
    if not may(caller_of(request.scope), Role.ADMIN):
        await _check_known(plane, body.service_id)
    spec = ServiceSpec(
        id=body.service_id, health_endpoint=body.health_endpoint, api_endpoint=body.api_endpoint
    )
    view, is_new = await plane.services.announce(spec, by=by)
    response.status_code = 201 if is_new else 200
    return view


async def _check_known(plane: CurrentPlane, service: str) -> None:
    try:
        await plane.services.show(service)
    except NotFound as error:
        problem = f"service {service!r} is new: an admin must announce or register it first"
        raise HTTPException(403, problem) from error


@router.get("/logs/follow", response_class=StreamingResponse, responses=text("text/event-stream"))
@requires(VIEWER)
async def follow_all(plane: CurrentPlane) -> StreamingResponse:
    """Send each new line of every service as it is written, as server-sent events."""
    return _stream(plane.services.follow())


@router.get("/{service}")
@requires(VIEWER)
async def show(plane: CurrentPlane, service: str) -> ServiceView:
    """Show one service."""
    return await plane.services.show(service)


@router.put("/{service}/start")
@requires(OPERATOR)
async def start(plane: CurrentPlane, by: CurrentPrincipal, service: str) -> ServiceView:
    """Have it running; answers how it is once that was tried."""
    return await plane.services.start(service, by=by)


@router.put("/{service}/stop")
@requires(OPERATOR)
async def stop(plane: CurrentPlane, by: CurrentPrincipal, service: str) -> ServiceView:
    """Have it stopped, with all of its processes."""
    return await plane.services.stop(service, by=by)


@router.put("/{service}/restart")
@requires(OPERATOR)
async def restart(plane: CurrentPlane, by: CurrentPrincipal, service: str) -> ServiceView:
    """Have it stopped and started once."""
    return await plane.services.restart(service, by=by)


@router.post("/{service}/health")
@requires(OPERATOR)
@bodies.example(status="healthy")
async def report(plane: CurrentPlane, service: str, body: ServiceReportRequest) -> ServiceView:
    """Take a service's own word on its health; one that falls silent later is unhealthy."""
    await plane.services.report(service, ServiceHealth(body.status), body.detail)
    return await plane.services.show(service)


@router.post("/{service}/deregister")
@requires(OPERATOR)
async def deregister(plane: CurrentPlane, service: str) -> ServiceView:
    """Note that the service ends on purpose."""
    await plane.services.deregister(service)
    return await plane.services.show(service)


@router.get("/{service}/logs")
@requires(VIEWER)
async def logs(
    plane: CurrentPlane, service: str, lines: Lines = 100, search: Words = ""
) -> LogLines:
    """Return its newest lines, oldest first, or those of them that contain the words."""
    found = await plane.services.logs(service, lines=lines, search=search)
    return {"service": service, "lines": list(found)}


@router.get(
    "/{service}/logs/follow", response_class=StreamingResponse, responses=text("text/event-stream")
)
@requires(VIEWER)
async def follow(plane: CurrentPlane, service: str) -> StreamingResponse:
    """Send each new line of the service as it is written, as server-sent events."""
    await plane.services.show(service)
    return _stream(plane.services.follow(service))


def _stream(lines: AsyncIterator[tuple[str, str]]) -> StreamingResponse:
    headers = {"Cache-Control": "no-store"}
    return StreamingResponse(_events(lines), media_type="text/event-stream", headers=headers)


async def _events(lines: AsyncIterator[tuple[str, str]]) -> AsyncIterator[str]:
    async for service, line in lines:
        content: dict[str, Any] = {"service": service, "line": line}
        yield f"data: {json.dumps(content, ensure_ascii=False)}\n\n"
