"""Facts from elsewhere: recorded once per source and id, answered after the commit."""

import re
from uuid import uuid4

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from storecrew.api import bodies
from storecrew.api.access import TheCaller, ThePlane, page_answer
from storecrew.api.requests import JsonRoute
from storecrew.domain import events
from storecrew.domain.codec import EVENTS, decode
from storecrew.domain.errors import InvalidInput

router = APIRouter(prefix="/api/events", route_class=JsonRoute)

_REPORTED = frozenset(
    {
        "order_created",
        "cart_updated",
        "inventory_low",
        "payment_failed",
        "shipping_delayed",
        "user_browsing",
        "supply_chain_disruption",
    }
)
"""Types that other systems report in their own words; their data is kept as it came."""
_OWN = frozenset({events.Event, events.ClockTicked, events.RunRequested, events.EventReported})
"""Events that only the plane itself makes."""
_RESERVED = frozenset({"store", "clock", "person", "agent", "plane", "undo", "schedule"})
"""Sources whose ids the plane hands out; a stranger who took one could hide a fact."""


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_KINDS = {name: kind for name, kind in EVENTS.items() if kind not in _OWN}
_KINDS |= {_snake(name): kind for name, kind in _KINDS.items()}


@router.post("", status_code=202)
async def report(plane: ThePlane, by: TheCaller, body: bodies.EventBody) -> JSONResponse:
    """Record what happened and say whom it wakes; the same source and id wake nobody twice."""
    if body.source in _RESERVED:
        raise InvalidInput("source", f"{body.source!r} is the plane's own; use another name")
    published = events.Published(
        source=body.source,
        external_id=body.id or uuid4().hex,
        event=_event(body),
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


def _event(body: bodies.EventBody) -> events.Event:
    if body.event_type in _REPORTED:
        return events.EventReported(event_type=body.event_type, data=body.data)
    if (kind := _KINDS.get(body.event_type)) is None:
        known = ", ".join(sorted({_snake(name) for name in _KINDS} | _REPORTED))
        raise InvalidInput("event_type", f"{body.event_type!r} is none of {known}")
    return decode(kind, body.data, field="data")


@router.get("")
async def listed(
    plane: ThePlane, page: bodies.PageNumber = 1, per_page: bodies.PerPage = 50
) -> JSONResponse:
    """List the recorded events, newest first."""
    found = await plane.journal.events(page=page, per_page=per_page)
    return page_answer(found.items, found.total, page=page, per_page=per_page)
