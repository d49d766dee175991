"""The store for agents in other processes: every question they could ask beside it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from typing_extensions import TypedDict

from storecrew.api import bodies
from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.domain import remote_queries

router = APIRouter(prefix="/api/store/queries", route_class=JsonRoute, tags=["store"])

Arguments = Annotated[dict[str, Any] | None, Body()]
QueryResult = TypedDict("QueryResult", {"answer": Any})


@router.post("/{question}")
@requires(VIEWER)  # a question with a body
@bodies.example(order_id=1)
async def ask(plane: CurrentPlane, question: str, given: Arguments = None) -> QueryResult:
    """Answer a question of the store's reading port; the body holds its arguments."""
    call = remote_queries.arguments(question, given or {})
    return {"answer": await getattr(plane.store, question)(**call)}
