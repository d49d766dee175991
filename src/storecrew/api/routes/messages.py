"""Messages to customers: what is queued, what became of it, and how it looks."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, act, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.routes.promotions import Key
from storecrew.api.schemas import PageResponse
from storecrew.domain.shop.messages import (
    DeliveryState,
    LiftSuppression,
    QueuedMessage,
    Suppression,
)
from storecrew.mail.service import MailState, Preview

router = APIRouter(prefix="/api", route_class=JsonRoute, tags=["mail"])

SuppressionLifted = TypedDict("SuppressionLifted", {"address": str, "suppressed": bool})
Id = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


@router.get("/messages")
@requires(VIEWER)
async def messages(
    plane: CurrentPlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    state: DeliveryState | None = None,
) -> PageResponse[QueuedMessage]:
    """List messages to customers, newest first."""
    found = await plane.mail.messages(state=state, page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/messages/{message_id}/preview")
@requires(VIEWER)
async def preview(plane: CurrentPlane, message_id: Id) -> Preview:
    """Show a message as its reader sees it, as text and as HTML."""
    return await plane.mail.preview(message_id)


@router.get("/mail/report")
@requires(VIEWER)
async def report(plane: CurrentPlane, campaign: str | None = None) -> MailState:
    """Count messages by what became of them, all or those of one campaign."""
    return await plane.mail.state(campaign)


@router.get("/mail/suppressions")
@requires(VIEWER)
async def suppressions(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[Suppression]:
    """List addresses that are written to no more, and why, the newest first."""
    found = await plane.mail.suppressions(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.delete("/mail/suppressions/{address:path}")
@requires(OPERATOR)
async def lift_suppression(request: Request, address: Key) -> SuppressionLifted:
    """Write to a suppressed address again."""
    await act(request, LiftSuppression(address=address))
    return {"address": address, "suppressed": False}
