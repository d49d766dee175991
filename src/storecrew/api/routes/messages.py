"""Messages to customers: what is queued, what became of it, and how it looks."""

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import ThePlane, answer, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.domain.care import DeliveryState

router = APIRouter(prefix="/api", route_class=JsonRoute, tags=["mail"])

Id = Annotated[int, Path(ge=1, le=bodies.MAX_ID)]


@router.get("/messages")
async def messages(
    plane: ThePlane,
    page: bodies.PageNumber = 1,
    per_page: bodies.PerPage = 50,
    state: DeliveryState | None = None,
) -> JSONResponse:
    """List messages to customers, newest first."""
    found = await plane.mail.messages(state=state, page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)


@router.get("/messages/{message_id}/preview")
async def preview(plane: ThePlane, message_id: Id) -> JSONResponse:
    """Show a message as its reader sees it, as text and as HTML."""
    return answer(await plane.mail.preview(message_id))


@router.get("/mail/report")
async def report(plane: ThePlane, campaign: str | None = None) -> JSONResponse:
    """Count messages by what became of them, all or those of one campaign."""
    return answer(await plane.mail.state(campaign))
