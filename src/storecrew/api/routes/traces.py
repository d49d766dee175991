"""From any id of a chain to all of it: the fact, the runs, the proposals, the effects."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from storecrew.api.access import ThePlane, answer
from storecrew.api.requests import JsonRoute

router = APIRouter(prefix="/api/traces", route_class=JsonRoute)


@router.get("/{anything:path}")
async def trace(plane: ThePlane, anything: str) -> JSONResponse:
    """Show all that belongs together, from the fact to its effects.

    Takes the id of an event (`1042` or `e1042`), a run, a proposal, or the key of an effect.
    """
    return answer(await plane.journal.trace(anything))
