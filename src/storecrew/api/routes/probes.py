"""Is it alive, is it ready, how is it: what platforms and people ask first."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from typing_extensions import TypedDict

from storecrew.api.authentication import caller_of
from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import ANYONE, requires
from storecrew.app.control_plane import Plane, ReadinessCheck
from storecrew.domain.control.health import AgentState
from storecrew.domain.control.incidents import IncidentKind
from storecrew.domain.errors import StorecrewError

router = APIRouter(route_class=JsonRoute, tags=["probes"])

ServiceInfo = TypedDict(
    "ServiceInfo", {"service": Literal["orchestrator"], "status": Literal["ok"], "version": str}
)
Liveness = TypedDict("Liveness", {"status": Literal["healthy"]})
_NOT_READY = "Not ready, and why"
Readiness = TypedDict("Readiness", {"ready": bool, "checks": Sequence[ReadinessCheck]})


class HealthReport(TypedDict):
    """How the service, its agents and its services are."""

    service: str
    status: Literal["healthy", "warning", "degraded"]
    version: str
    timestamp: datetime
    uptime_seconds: float
    agents: dict[str, Any]
    services: dict[str, dict[str, Any]]
    checks: Sequence[ReadinessCheck]


@router.get(
    "/",
    response_model=ServiceInfo,
    responses={307: {"description": "Where a browser finds the dashboard"}},
)
@router.head("/", include_in_schema=False)
@requires(ANYONE)
async def root(request: Request, plane: CurrentPlane) -> Response:
    """Say that this is the orchestrator; send a browser to the dashboard."""
    if _prefers_html(request.headers.get("accept", "")):
        return RedirectResponse("/dashboard/", 307)
    version = plane.settings.orchestrator.service_version
    return JSONResponse({"service": "orchestrator", "status": "ok", "version": version})


@router.get("/dashboard/", include_in_schema=False)
@requires(ANYONE)
async def start_page() -> HTMLResponse:
    """Show a browser where to go on, while there is no dashboard."""
    return HTMLResponse(_PAGE)


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>storecrew</title>
<h1>storecrew runs</h1>
<ul>
<li><a href="/health">How it is</a></li>
<li><a href="/api/approvals">What waits for you</a></li>
<li><a href="/api/orders">Orders</a>, <a href="/api/products">products</a></li>
<li><a href="/openapi.json">The API's document</a></li>
</ul>
<p>From the shell: <code>storecrew approvals list</code>, <code>storecrew --help</code>.</p>
</html>
"""
"""What a browser sees while there is no dashboard."""


def _prefers_html(accept: str) -> bool:
    """Tell whether text/html stands before, or weighs more than, JSON and anything."""
    weights = {"text/html": 0.0, "application/json": 0.0, "*/*": 0.0}
    for part in accept.lower().split(","):
        kind, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        if kind in weights and quality.isascii() and quality.replace(".", "", 1).isdigit():
            weights[kind] = float(quality)
    return weights["text/html"] > max(weights["application/json"], weights["*/*"])


@router.get("/favicon.ico", status_code=204)
@router.head("/favicon.ico", include_in_schema=False)
@requires(ANYONE)
async def favicon() -> Response:
    """Spare browsers a 404."""
    return Response(status_code=204)


@router.get("/healthz")
@router.get("/liveness")
@requires(ANYONE)
async def alive() -> Liveness:
    """Say that the process answers; touches no database."""
    return {"status": "healthy"}


@router.get("/readyz", responses={503: {"model": Readiness, "description": _NOT_READY}})
@router.get("/readiness", responses={503: {"model": Readiness, "description": _NOT_READY}})
@requires(ANYONE)
async def ready(plane: CurrentPlane, response: Response) -> Readiness:
    """Say whether every part is ready, and which is not."""
    checks = await _checks(plane)
    is_ready = all(check.ok for check in checks)
    response.status_code = 200 if is_ready else 503
    return {"ready": is_ready, "checks": checks}


@router.get("/health", responses={503: {"model": HealthReport, "description": _NOT_READY}})
@requires(ANYONE)
async def health(request: Request, response: Response, plane: CurrentPlane) -> HealthReport:
    """Say how the service, its agents and its services are; 503 when the plane itself is ill."""
    checks = await _checks(plane)
    agents = await _agents(plane)
    services = await _services(plane)
    status = _status(checks, agents, services)
    if status == "healthy" and await _is_input_in_trouble(plane):
        status = "warning"
    now = plane.clock.now()
    response.status_code = 503 if status == "degraded" else 200
    return {
        "service": "orchestrator",
        "status": status,
        "version": plane.settings.orchestrator.service_version,
        "timestamp": now,
        "uptime_seconds": round((now - request.app.state.started_at).total_seconds(), 3),
        "agents": agents,
        "services": services if caller_of(request.scope) else {},
        "checks": checks if caller_of(request.scope) else [replace(c, detail="") for c in checks],
    }


def _status(
    checks: tuple[ReadinessCheck, ...], agents: dict[str, Any], services: dict[str, dict[str, Any]]
) -> Literal["healthy", "warning", "degraded"]:
    if not all(check.ok for check in checks):
        return "degraded"
    all_up = not any(service["down"] for service in services.values())
    return "healthy" if agents["overall_status"] == "healthy" and all_up else "warning"


async def _is_input_in_trouble(plane: Plane) -> bool:
    """Tell whether input from outside, such as mail, fails again and again."""
    try:
        return bool(await plane.incidents.incidents(status="open", kinds=[IncidentKind.INPUT]))
    except StorecrewError:
        return True


async def _services(plane: Plane) -> dict[str, dict[str, Any]]:
    """Return what each service does, and whether it should do better."""
    try:
        views = await plane.services.list()
    except StorecrewError:
        return {}
    return {
        view.id: {
            "status": view.status.value,
            "health": view.health.value,
            "pid": view.pid,
            "down": view.is_down,
        }
        for view in views
    }


async def _checks(plane: Plane) -> tuple[ReadinessCheck, ...]:
    try:
        return tuple(await plane.checks())
    except StorecrewError as error:
        return (ReadinessCheck(name="plane", ok=False, detail=type(error).__name__),)


async def _agents(plane: Plane) -> dict[str, Any]:
    try:
        found = await plane.crew.report()
    except StorecrewError:
        return {"total": len(plane.agents), "overall_status": "unknown"}
    counts = {str(state): found[state]["count"] for state in AgentState}
    overall = found["overall_status"]
    return {"total": found["total_agents"], **counts, "overall_status": overall}
