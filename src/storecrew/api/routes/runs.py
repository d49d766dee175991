"""The crew at work: runs, and what they proposed."""

from fastapi import APIRouter

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory

router = APIRouter(route_class=JsonRoute, tags=["runs"])


@router.get("/api/runs")
@requires(VIEWER)
async def runs(
    plane: CurrentPlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    agent: str | None = None,
    status: RunStatus | None = None,
) -> PageResponse[Run]:
    """List runs, newest first."""
    found = await plane.journal.runs(page=page, per_page=per_page, agent=agent, status=status)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/runs/{run_id:path}")
@requires(VIEWER)
async def run(plane: CurrentPlane, run_id: str) -> Run:
    """Show one run."""
    return await plane.journal.run(run_id)


@router.get("/api/proposals")
@requires(VIEWER)
async def proposals(
    plane: CurrentPlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    run: str | None = None,
) -> PageResponse[ProposalHistory]:
    """List proposals and what became of them, newest first."""
    found = await plane.journal.proposals(page=page, per_page=per_page, run=run)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/api/proposals/{proposal_id:path}")
@requires(VIEWER)
async def proposal(plane: CurrentPlane, proposal_id: str) -> ProposalHistory:
    """Show one proposal and what became of it."""
    return await plane.journal.story(proposal_id)
