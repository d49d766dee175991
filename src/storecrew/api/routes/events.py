"""Facts from elsewhere: recorded once per source and id, answered after the commit."""

from uuid import uuid4

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, page_answer
from storecrew.api.reported import known_event
from storecrew.api.requests import HEADER, JsonRoute
from storecrew.domain import events
from storecrew.domain.errors import InvalidInput

router = APIRouter(prefix="/api/events", route_class=JsonRoute)

_RESERVED = frozenset({"store", "clock", "person", "agent", "plane", "undo", "schedule", "mailbox"})
"""Sources whose ids the plane hands out; a stranger who took one could hide a fact."""


@router.post("", status_code=202)
async def report(
    request: Request, plane: ThePlane, by: TheCaller, body: bodies.EventBody
) -> JSONResponse:
    """Record what happened and say whom it wakes; the same source and id wake nobody twice."""
    if body.source in _RESERVED:
        raise InvalidInput("source", f"{body.source!r} is the plane's own; use another name")
    published = events.Published(
        source=body.source,
        external_id=body.id or _own_id(request, by),
        event=known_event(body.event_type, body.data),
        at=plane.clock.now(),
        actor=by,
    )
    (receipt,) = await plane.publish([published])
    content = {
        "event_id": receipt.event_id,
        "duplicate": receipt.duplicate,
        "wakes": list(receipt.wakes),
    }
    return JSONResponse(content, 202)


def _own_id(request: Request, by: str) -> str:
    """Return an id for an event that has none; the same key names the same event."""
    key = request.headers.get(HEADER)
    return f"{by}/{key}" if key else uuid4().hex


@router.get("")
async def listed(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List the recorded events, newest first."""
    found = await plane.journal.events(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
