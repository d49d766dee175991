"""Facts from elsewhere: recorded once per source and id, answered after the commit."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from pydantic import Field, StringConstraints
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane, CurrentPrincipal, page_answer
from storecrew.api.event_parsing import known_event
from storecrew.api.requests import JsonRoute, scoped_key
from storecrew.api.roles import OPERATOR, VIEWER, requires
from storecrew.api.schemas import PageResponse
from storecrew.domain.control.events import PLANE_SOURCES, EventEnvelope, StoredEvent
from storecrew.domain.errors import InvalidInput

router = APIRouter(prefix="/api/events", route_class=JsonRoute, tags=["events"])

EventReceipt = TypedDict("EventReceipt", {"event_id": int, "duplicate": bool, "wakes": list[str]})


class EventRequest(bodies.Strict):
    """Something that happened elsewhere."""

    event_type: bodies.Name
    id: bodies.Name | None = None
    data: dict[str, Any] = Field(default_factory=dict[str, Any])
    source: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")] = "api"


@router.post("", status_code=202, response_model=EventReceipt)
@requires(OPERATOR)
@bodies.example(
    event_type="inventory_low", source="warehouse", id="w-1042", data={"sku": "Product A"}
)
async def report(
    request: Request, plane: CurrentPlane, by: CurrentPrincipal, body: EventRequest
) -> JSONResponse:
    """Record an event and return the agents it wakes; a repeated source and id wake none."""
    if body.source in PLANE_SOURCES:
        raise InvalidInput("source", f"{body.source!r} is the plane's own; use another name")
    published = EventEnvelope(
        source=body.source,
        external_id=body.id or scoped_key(request),
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


@router.get("")
@requires(VIEWER)
async def listed(
    plane: CurrentPlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> PageResponse[StoredEvent]:
    """List the recorded events, newest first."""
    found = await plane.journal.events(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
