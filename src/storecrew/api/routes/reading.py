"""The store for agents in other processes: every question they could ask beside it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.access import ThePlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.domain import reading

router = APIRouter(prefix="/api/store", route_class=JsonRoute, tags=["store"])

Arguments = Annotated[dict[str, Any] | None, Body()]
QueryResult = TypedDict("QueryResult", {"answer": Any})


@router.post("/{question}")
@requires(VIEWER)  # a question with a body
@bodies.example(order_id=1)
async def ask(plane: ThePlane, question: str, given: Arguments = None) -> QueryResult:
    """Answer a question of the store's reading port; the body holds its arguments."""
    call = reading.arguments(question, given or {})
    return {"answer": await getattr(plane.store, question)(**call)}
