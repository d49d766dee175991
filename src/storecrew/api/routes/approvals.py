"""The owner's part: questions to answer, effects to undo, and the emergency stop.

A proposal is decided once, so a repeated answer is a 409 that names the first.
"""

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.codec import decode_action
from storecrew.domain.control.approvals import Approval, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry
from storecrew.policy import Explanation

router = APIRouter(prefix="/api", route_class=JsonRoute)

ProposalScheduled = TypedDict(
    "ProposalScheduled", {"proposal_id": str, "status": str, "run_id": str}
)
ProposalRejected = TypedDict("ProposalRejected", {"proposal_id": str, "status": str})
PauseState = TypedDict("PauseState", {"paused": bool})


class DecisionRequest(bodies.Strict):
    """A person's answer, with a changed action where they want another one."""

    note: bodies.Text = ""
    action: dict[str, Any] | None = None


class NoteRequest(bodies.Strict):
    """Why not."""

    note: bodies.Text = ""


@router.get("/approvals", tags=["decisions"])
@requires(VIEWER)
async def approvals(
    plane: CurrentPlane,
    response: Response,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 200,
    status: ApprovalStatus = ApprovalStatus.WAITING,
) -> Sequence[Approval]:
    """List the questions that wait, or those that were answered so."""
    found = await plane.journal.approvals(status=status, page=page, per_page=per_page)
    response.headers["X-Total-Count"] = str(found.total)
    return found.items


@router.post("/approvals/{proposal_id:path}/approve", tags=["decisions"])
@requires(OPERATOR)
@bodies.example(note="until Friday")
async def approve(
    plane: CurrentPlane, by: CurrentPrincipal, proposal_id: str, body: DecisionRequest | None = None
) -> ProposalScheduled:
    """Say yes, perhaps to a changed action."""
    body = body or DecisionRequest()
    action = decode_action(body.action) if body.action else None
    run = await plane.approve(proposal_id, by=by, note=body.note, action=action)
    return {"proposal_id": proposal_id, "status": "approved", "run_id": run}


@router.post("/approvals/{proposal_id:path}/reject", tags=["decisions"])
@requires(OPERATOR)
@bodies.example(note="too dear")
async def reject(
    plane: CurrentPlane, by: CurrentPrincipal, proposal_id: str, body: NoteRequest | None = None
) -> ProposalRejected:
    """Say no."""
    await plane.reject(proposal_id, by=by, note=body.note if body else "")
    return {"proposal_id": proposal_id, "status": "rejected"}


@router.get("/approvals/{proposal_id:path}", tags=["decisions"])
@requires(VIEWER)
async def approval(plane: CurrentPlane, proposal_id: str) -> Approval:
    """Show one question, or the answer it got."""
    return await plane.journal.approval(proposal_id)


@router.get("/proposals/{proposal_id:path}/explanation", tags=["decisions"])
@requires(VIEWER)
async def explanation(plane: CurrentPlane, proposal_id: str) -> Explanation:
    """Say what each rule thinks of a proposal now, and what would have to change."""
    return await plane.explain(proposal_id)


@router.post("/proposals/{proposal_id:path}/undo", tags=["decisions"])
@requires(OPERATOR)
async def undo(plane: CurrentPlane, by: CurrentPrincipal, proposal_id: str) -> ProposalScheduled:
    """Propose the opposite of what was applied."""
    run = await plane.undo(proposal_id, by=by)
    return {"proposal_id": proposal_id, "status": "scheduled", "run_id": run}


@router.post("/orchestrator/pause", tags=["orchestrator"])
@requires(OPERATOR)
async def pause(plane: CurrentPlane, by: CurrentPrincipal) -> PauseState:
    """Stop every run and every effect."""
    await plane.pause(by=by)
    return {"paused": True}


@router.post("/orchestrator/resume", tags=["orchestrator"])
@requires(OPERATOR)
async def resume(plane: CurrentPlane, by: CurrentPrincipal) -> PauseState:
    """Let runs and effects go on."""
    await plane.resume(by=by)
    return {"paused": False}


@router.get("/audit", tags=["audit"])
@requires(VIEWER)
async def audit(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[AuditEntry]:
    """List the audit, newest first."""
    found = await plane.journal.audit(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
