"""The store for agents in other processes: every question they could ask beside it."""

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import JSONResponse

from storecrew.api.access import ThePlane
from storecrew.api.requests import JsonRoute
from storecrew.domain import reading
from storecrew.domain.codec import encode

router = APIRouter(prefix="/api/store", route_class=JsonRoute)

Arguments = Annotated[dict[str, Any] | None, Body()]


@router.post("/{question}")
async def ask(plane: ThePlane, question: str, given: Arguments = None) -> JSONResponse:
    """Answer a question of the store's reading port; the body holds its arguments."""
    call = reading.arguments(question, given or {})
    answer = await getattr(plane.store, question)(**call)
    return JSONResponse({"answer": encode(answer)})
