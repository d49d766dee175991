"""From any id of a chain to all of it: the fact, the runs, the proposals, the effects."""

from fastapi import APIRouter

from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.domain.control.traces import Trace

router = APIRouter(prefix="/api/traces", route_class=JsonRoute, tags=["runs"])


@router.get("/{anything:path}")
@requires(VIEWER)
async def trace(plane: CurrentPlane, anything: str) -> Trace:
    """Show all that belongs together, from the fact to its effects.

    Takes the id of an event (`1042` or `e1042`), a run, a proposal, or the key of an effect.
    """
    return await plane.journal.trace(anything)
