"""What Prometheus scrapes."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from storecrew.api.access import ThePlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.api.schemas import text
from storecrew.app.metrics import CONTENT_TYPE, Seen, rendered

router = APIRouter(route_class=JsonRoute, tags=["seen from outside"])


@router.get("/metrics", response_class=Response, responses=text("text/plain"))
@requires(VIEWER)
async def metrics(request: Request, plane: ThePlane) -> Response:
    """Tell Prometheus how the shop, the process and the machine are, as of this moment."""
    seen = Seen(
        figures=await plane.figures(),
        services=await plane.services.list(),
        times=request.app.state.times,
        paused=await plane.paused(),
        mail=await plane.mail.box.report(),
    )
    text = await asyncio.to_thread(rendered, seen)  # the first scrape loads the library
    return Response(text, media_type=CONTENT_TYPE)
