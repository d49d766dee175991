"""What Prometheus scrapes."""

import asyncio

from fastapi import APIRouter, Request
from fastapi.responses import Response

from storecrew.api.dependencies import CurrentPlane
from storecrew.api.requests import JsonRoute
from storecrew.api.roles import VIEWER, requires
from storecrew.api.schemas import text
from storecrew.monitoring.metrics import CONTENT_TYPE, MetricsCollector, rendered

router = APIRouter(route_class=JsonRoute, tags=["seen from outside"])


@router.get("/metrics", response_class=Response, responses=text("text/plain"))
@requires(VIEWER)
async def metrics(request: Request, plane: CurrentPlane) -> Response:
    """Tell Prometheus how the shop, the process and the machine are, as of this moment."""
    collector = MetricsCollector(
        figures=await plane.figures(),
        services=await plane.services.list(),
        times=request.app.state.times,
        paused=await plane.paused(),
        mail=await plane.mail.box.report(),
        skipped=await plane.skipped.counts(),
    )
    text = await asyncio.to_thread(rendered, collector)  # the first scrape loads the library
    return Response(text, media_type=CONTENT_TYPE)
