"""The crew at work: agents, their runs and proposals, and the ways to wake them."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, answer, page_answer
from storecrew.api.crew import agent_view, crew_status
from storecrew.api.requests import JsonRoute
from storecrew.domain.runs import RunStatus

router = APIRouter(route_class=JsonRoute)

Parameters = Annotated[dict[str, Any] | None, Body()]


@router.get("/api/agents")
async def agents(plane: ThePlane, capability: str | None = None) -> JSONResponse:
    """List the crew, or those of it that have a capability."""
    crew = [a for a in plane.agents.values() if capability in (None, *a.capabilities)]
    return JSONResponse({"agents": [agent_view(agent) for agent in crew], "total": len(crew)})


@router.get("/api/agents/status")
@router.get("/agents/status")
async def status(plane: ThePlane) -> JSONResponse:
    """Show how each agent is doing."""
    return JSONResponse(await crew_status(plane))


@router.post("/run_agent/{name}")
async def run_agent(
    plane: ThePlane, by: TheCaller, name: str, parameters: Parameters = None
) -> JSONResponse:
    """Ask for a run of one agent."""
    run = await plane.request_run(name, by=by, parameters=parameters or {})
    return JSONResponse({"status": "scheduled", "run_id": run})


@router.post("/run_all")
async def run_all(plane: ThePlane, by: TheCaller) -> JSONResponse:
    """Ask for a run of every agent."""
    runs = [await plane.request_run(name, by=by) for name in plane.agents]
    return JSONResponse({"status": "all scheduled", "runs": runs})


@router.get("/api/runs")
async def runs(
    plane: ThePlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    agent: str | None = None,
    status: RunStatus | None = None,
) -> JSONResponse:
    """List runs, newest first."""
    found = await plane.journal.runs(page=page, per_page=per_page, agent=agent, status=status)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/runs/{run_id:path}")
async def run(plane: ThePlane, run_id: str) -> JSONResponse:
    """Show one run."""
    return answer(await plane.journal.run(run_id))


@router.get("/api/proposals")
async def proposals(
    plane: ThePlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    run: str | None = None,
) -> JSONResponse:
    """List proposals and what became of them, newest first."""
    found = await plane.journal.proposals(page=page, per_page=per_page, run=run)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/proposals/{proposal_id:path}")
async def proposal(plane: ThePlane, proposal_id: str) -> JSONResponse:
    """Show one proposal and what became of it."""
    return answer(await plane.journal.story(proposal_id))
