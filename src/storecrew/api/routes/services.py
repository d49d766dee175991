"""Services: what is kept running, and the ways to start it, stop it and read what it says."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import StringConstraints
from starlette.exceptions import HTTPException

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, answer
from storecrew.api.auth import caller_of
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import may
from storecrew.app.service_files import ServiceFile, ServiceId, Url
from storecrew.domain.errors import NotFound
from storecrew.domain.identity import Role
from storecrew.domain.services import ServiceHealth, ServiceSpec

router = APIRouter(prefix="/api/services", route_class=JsonRoute, tags=["services"])

Lines = Annotated[int, Query(ge=1, le=10_000)]
Words = Annotated[str, Query(max_length=200)]


class AnnounceBody(bodies.Strict):
    """A service that runs already, and where it answers."""

    service_id: ServiceId
    health_endpoint: Url | None = None
    api_endpoint: Url | None = None


class ReportBody(bodies.Strict):
    """A service's own word on its health."""

    status: Literal["healthy", "unhealthy"]
    detail: Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f]*$")] = ""


@router.get("")
async def services(plane: ThePlane) -> JSONResponse:
    """List every service, by id."""
    return answer(await plane.services.list())


@router.post("", status_code=201)
async def register(plane: ThePlane, by: TheCaller, body: ServiceFile) -> JSONResponse:
    """Take a service in, and start it where `auto_start` says so. The keys are the YAML file's."""
    return answer(await plane.services.register(body.spec(), by=by), 201)


@router.post("/announce")
async def announce(
    request: Request, plane: ThePlane, by: TheCaller, body: AnnounceBody
) -> JSONResponse:
    """Take in a service that runs already. It is watched, and never started or stopped.

    A new one needs an admin, as its health endpoint will be called; one that is known stays as
    it is.
    """
    if not may(caller_of(request.scope), Role.ADMIN):
        await _check_known(plane, body.service_id)
    spec = ServiceSpec(
        id=body.service_id,
        health_endpoint=body.health_endpoint,
        api_endpoint=body.api_endpoint,
    )
    view, is_new = await plane.services.announce(spec, by=by)
    return answer(view, 201 if is_new else 200)


async def _check_known(plane: ThePlane, service: str) -> None:
    try:
        await plane.services.show(service)
    except NotFound as error:
        said = f"service {service!r} is new: an admin must announce or register it first"
        raise HTTPException(403, said) from error


@router.get("/logs/follow")
async def follow_all(plane: ThePlane) -> StreamingResponse:
    """Send each new line of every service as it is written, as server-sent events."""
    return _stream(plane.services.follow())


@router.get("/{service}")
async def show(plane: ThePlane, service: str) -> JSONResponse:
    """Show one service."""
    return answer(await plane.services.show(service))


@router.put("/{service}/start")
async def start(plane: ThePlane, by: TheCaller, service: str) -> JSONResponse:
    """Have it running; answers how it is once that was tried."""
    return answer(await plane.services.start(service, by=by))


@router.put("/{service}/stop")
async def stop(plane: ThePlane, by: TheCaller, service: str) -> JSONResponse:
    """Have it stopped, with all of its processes."""
    return answer(await plane.services.stop(service, by=by))


@router.put("/{service}/restart")
async def restart(plane: ThePlane, by: TheCaller, service: str) -> JSONResponse:
    """Have it stopped and started once."""
    return answer(await plane.services.restart(service, by=by))


@router.post("/{service}/health")
async def report(plane: ThePlane, service: str, body: ReportBody) -> JSONResponse:
    """Take a service's own word on its health; one that falls silent later is unhealthy."""
    await plane.services.report(service, ServiceHealth(body.status), body.detail)
    return answer(await plane.services.show(service))


@router.post("/{service}/goodbye")
async def goodbye(plane: ThePlane, service: str) -> JSONResponse:
    """Note that the service ends on purpose."""
    await plane.services.goodbye(service)
    return answer(await plane.services.show(service))


@router.get("/{service}/logs")
async def logs(
    plane: ThePlane, service: str, lines: Lines = 100, search: Words = ""
) -> JSONResponse:
    """Return its newest lines, oldest first, or those of them that contain the words."""
    found = await plane.services.logs(service, lines=lines, search=search)
    return JSONResponse({"service": service, "lines": list(found)})


@router.get("/{service}/logs/follow")
async def follow(plane: ThePlane, service: str) -> StreamingResponse:
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
