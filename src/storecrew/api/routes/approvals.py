"""The owner's part: questions to answer, effects to undo, and the emergency stop.

A proposal is decided once, so a repeated answer is a 409 that names the first.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter, Response
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.app.approvals import BulkDecision, approval_filter, decide_all, matching
from storecrew.domain.codec import decode, decode_action
from storecrew.domain.control.approvals import Approval, ApprovalOrder, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry, AuditFilter
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.policy import Explanation

router = APIRouter(prefix="/api", route_class=JsonRoute)

ProposalScheduled = TypedDict(
    "ProposalScheduled", {"proposal_id": str, "status": str, "run_id": str}
)
ProposalRejected = TypedDict("ProposalRejected", {"proposal_id": str, "status": str})
FailedDecision = TypedDict("FailedDecision", {"proposal_id": str, "error": str})
BulkDecisionResponse = TypedDict(
    "BulkDecisionResponse",
    {
        "matched": list[str],
        "cash_out": Money,
        "benefit": Money,
        "decided": list[str],
        "failed": list[FailedDecision],
    },
)
PauseState = TypedDict("PauseState", {"paused": bool})


class DecisionRequest(bodies.Strict):
    """A person's answer, with a changed action where they want another one."""

    note: bodies.Text = ""
    action: dict[str, Any] | None = None


class BulkDecisionRequest(bodies.Strict):
    """One answer to all waiting questions that the filter means."""

    decision: Literal["approve", "reject"]
    agent: str = ""
    action: str = ""
    max_cash_out: bodies.Amount | None = None
    all_matching: bool = False
    note: bodies.Text = ""
    dry_run: bool = False


class NoteRequest(bodies.Strict):
    """Why not."""

    note: bodies.Text = ""


@router.get("/approvals", tags=["decisions"])
@requires(VIEWER)
async def approvals(  # noqa: PLR0913 - each is a query parameter
    plane: CurrentPlane,
    response: Response,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 200,
    status: ApprovalStatus = ApprovalStatus.WAITING,
    agent: str = "",
    action: str = "",
    max_cash_out: bodies.Amount | None = None,
    order: ApprovalOrder = ApprovalOrder.NEWEST,
) -> Sequence[Approval]:
    """List the questions that wait, or those that were answered so."""
    only = approval_filter(
        plane, agent=agent, action=action, max_cash_out=max_cash_out, order=order
    )
    found = await plane.journal.approvals(status=status, only=only, page=page, per_page=per_page)
    response.headers["X-Total-Count"] = str(found.total)
    return found.items


@router.post("/approvals/bulk-decision", tags=["decisions"])
@requires(OPERATOR)
@bodies.example(decision="approve", agent="inventory", max_cash_out="5.00", dry_run=True)
async def decide_matching(
    plane: CurrentPlane, by: CurrentPrincipal, body: BulkDecisionRequest
) -> BulkDecisionResponse:
    """Answer every waiting question that the filter means, or sum up what that would be."""
    if not (body.agent or body.action or body.max_cash_out or body.all_matching):
        raise InvalidInput("all_matching", "give a filter, or true to answer every question")
    only = approval_filter(
        plane, agent=body.agent, action=body.action, max_cash_out=body.max_cash_out
    )
    found = await matching(plane, only)
    decided = BulkDecision(decided=(), failed=())
    if not body.dry_run:
        decided = await decide_all(plane, found.approvals, body.decision, by=by, note=body.note)
    return {
        "matched": [each.filed.id for each in found.approvals],
        "cash_out": found.cash_out,
        "benefit": found.benefit,
        "decided": list(decided.decided),
        "failed": [{"proposal_id": i, "error": problem} for i, problem in decided.failed],
    }


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
async def audit(  # noqa: PLR0913 - each is a query parameter
    plane: CurrentPlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    subject: str = "",
    actor: str = "",
    result: str = "",
    since: bodies.Moment | None = None,
) -> PageResponse[AuditEntry]:
    """List the audit, newest first: all of it, or what was done to a subject or by an actor."""
    moment = decode(datetime, since, field="since") if since else None
    only = AuditFilter(subject=subject, actor=actor, result=result, since=moment)
    found = await plane.journal.audit(only=only, page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
