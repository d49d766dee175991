"""The crew at work: runs, and what they proposed."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, answer, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.domain.runs import RunStatus

router = APIRouter(route_class=JsonRoute)


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
