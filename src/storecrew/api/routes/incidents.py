"""Incidents, and the owner's goal with the plan that serves it."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal
from storecrew.api.requests import JsonRoute, scoped_key
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import ListResponse
from storecrew.domain.codec import decode
from storecrew.domain.control.agents import GoalSet
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.incidents import REPORTED, Incident
from storecrew.domain.control.skipped_inputs import SkippedInput
from storecrew.reports.goal_plan import GoalPlan, current_plan

router = APIRouter(prefix="/api", route_class=JsonRoute, tags=["operations"])

Limit = Annotated[int, Query(ge=1, le=200)]
Status = Literal["open", "closed"] | None


IncidentClosed = TypedDict("IncidentClosed", {"id": str, "status": str})
GoalAccepted = TypedDict("GoalAccepted", {"goal": str, "event_id": int})


class GoalRequest(bodies.Strict):
    """What matters now, and until when."""

    goal: Literal["profit", "growth", "clear_stock", "service"]
    until: bodies.Name | None = None
    """ISO 8601 with a time zone."""


@router.get("/incidents")
@requires(VIEWER)
async def incidents(
    plane: CurrentPlane, status: Status = None, limit: Limit = 50
) -> ListResponse[Incident]:
    """List what went wrong in the shop, its services and its agents, newest first."""
    found = await plane.incidents.incidents(status=status, limit=limit)
    return {"items": found, "total": len(found)}


@router.get("/skipped-inputs")
@requires(VIEWER)
async def skipped_inputs(
    plane: CurrentPlane, source: str | None = None
) -> ListResponse[SkippedInput]:
    """List what came from outside and was not acted on, counted by source and reason."""
    found = await plane.skipped.counts(source)
    return {"items": found, "total": len(found)}


@router.get("/anomalies")
@requires(VIEWER)
async def anomalies(
    plane: CurrentPlane, status: Status = None, limit: Limit = 50
) -> ListResponse[Incident]:
    """List the incidents that agents reported, each with its cause and what would help."""
    found = await plane.incidents.incidents(status=status, kinds=REPORTED, limit=limit)
    return {"items": found, "total": len(found)}


@router.post("/anomalies/{incident:path}/close")
@router.post("/incidents/{incident:path}/close")
@requires(OPERATOR)
@bodies.example(reason="the provider works again")
async def close(
    plane: CurrentPlane,
    by: CurrentPrincipal,
    incident: str,
    body: bodies.ReasonRequest | None = None,
) -> IncidentClosed:
    """Say that the trouble is over; what is closed stays closed."""
    reason = body.reason if body else ""
    await plane.incidents.close_incident(incident, reason=reason, by=by, now=plane.clock.now())
    return {"id": incident, "status": "closed"}


@router.get("/anomalies/{incident:path}")
@router.get("/incidents/{incident:path}")
@requires(VIEWER)
async def show(plane: CurrentPlane, incident: str) -> Incident:
    """Show one incident: observed and expected, its cause, and a plan of typed actions."""
    return await plane.incidents.incident(incident)


@router.post("/goal", status_code=202)
@requires(OPERATOR)
@bodies.example(goal="clear_stock", until="2026-12-31T00:00:00+00:00")
async def set_goal(
    request: Request, plane: CurrentPlane, by: CurrentPrincipal, body: GoalRequest
) -> GoalAccepted:
    """Say what matters now; the coordinator plans for it."""
    until = decode(datetime, body.until, field="until") if body.until else None
    event = GoalSet(goal=body.goal, until=until)
    fact = EventEnvelope(
        source="person", external_id=f"goal/{scoped_key(request)}", event=event,
        at=plane.clock.now(), actor=by,
    )  # fmt: skip
    (receipt,) = await plane.publish([fact])
    return {"goal": body.goal, "event_id": receipt.event_id}


@router.get("/plan")
@requires(VIEWER)
async def plan(plane: CurrentPlane) -> GoalPlan:
    """Show the goal in force and the newest plan: who does what, by when, at which cost."""
    return await current_plan(plane.journal, plane.clock.now())
