"""The owner's part: questions to answer, effects to undo, and the emergency stop.

A proposal is decided once, so a repeated answer is a 409 that names the first.
"""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, answer, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.domain.codec import decode_action
from storecrew.domain.runs import ApprovalStatus

router = APIRouter(prefix="/api", route_class=JsonRoute)


@router.get("/approvals")
async def approvals(
    plane: ThePlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 200,
    status: ApprovalStatus = ApprovalStatus.WAITING,
) -> JSONResponse:
    """List the questions that wait, or those that were answered so."""
    found = await plane.journal.approvals(status=status, page=page, per_page=per_page)
    response = answer(found.items)
    response.headers["X-Total-Count"] = str(found.total)
    return response


@router.post("/approvals/{proposal_id:path}/approve")
async def approve(
    plane: ThePlane, by: TheCaller, proposal_id: str, body: bodies.DecisionBody | None = None
) -> JSONResponse:
    """Say yes, perhaps to a changed action."""
    body = body or bodies.DecisionBody()
    action = decode_action(body.action) if body.action else None
    run = await plane.approve(proposal_id, by=by, note=body.note, action=action)
    return JSONResponse({"proposal_id": proposal_id, "status": "approved", "run_id": run})


@router.post("/approvals/{proposal_id:path}/reject")
async def reject(
    plane: ThePlane, by: TheCaller, proposal_id: str, body: bodies.NoteBody | None = None
) -> JSONResponse:
    """Say no."""
    await plane.reject(proposal_id, by=by, note=body.note if body else "")
    return JSONResponse({"proposal_id": proposal_id, "status": "rejected"})


@router.get("/approvals/{proposal_id:path}")
async def approval(plane: ThePlane, proposal_id: str) -> JSONResponse:
    """Show one question, or the answer it got."""
    return answer(await plane.journal.approval(proposal_id))


@router.get("/explanations/{proposal_id:path}")
async def explanation(plane: ThePlane, proposal_id: str) -> JSONResponse:
    """Say what each rule thinks of a proposal now, and what would have to change."""
    return answer(await plane.explain(proposal_id))


@router.post("/undo/{proposal_id:path}")
async def undo(plane: ThePlane, by: TheCaller, proposal_id: str) -> JSONResponse:
    """Propose the opposite of what was applied."""
    run = await plane.undo(proposal_id, by=by)
    return JSONResponse({"proposal_id": proposal_id, "status": "scheduled", "run_id": run})


@router.post("/orchestrator/pause")
async def pause(plane: ThePlane, by: TheCaller) -> JSONResponse:
    """Stop every run and every effect."""
    await plane.pause(by=by)
    return JSONResponse({"paused": True})


@router.post("/orchestrator/resume")
async def resume(plane: ThePlane, by: TheCaller) -> JSONResponse:
    """Let runs and effects go on."""
    await plane.resume(by=by)
    return JSONResponse({"paused": False})


@router.get("/audit")
async def audit(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List the audit, newest first."""
    found = await plane.journal.audit(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
