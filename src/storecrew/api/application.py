"""Putting the HTTP door together: layers from the outside in, then the routes."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from storecrew.api import errors
from storecrew.api.auth import COOKIE, Door, Guard, Refuse
from storecrew.api.boundary import Boundary
from storecrew.api.limits import BodyLimit, Cors, Limits, LogInAttempts, RateLimit
from storecrew.api.live import Hub
from storecrew.api.refusals import Refusals
from storecrew.api.requests import Replies
from storecrew.api.routes import (
    access,
    agents,
    decisions,
    events,
    live,
    messages,
    metrics,
    models,
    offers,
    operations,
    order_agents,
    orders,
    partners,
    probes,
    products,
    reading,
    reports,
    runs,
    services,
    sessions,
    stock,
    tickets,
    traces,
    unsubscribing,
    webhooks,
)
from storecrew.app.metrics import RequestTimes
from storecrew.app.plane import Plane
from storecrew.app.settings import Settings

_ROUTERS = (
    *(orders, order_agents, probes, events, stock, products, runs, decisions, reading, live),
    *(agents, services, models, sessions, access, metrics, traces, webhooks, reports),
    *(messages, unsubscribing, tickets, operations, offers, partners),
)
"""The busiest first: routes are tried in this order."""


class Described(FastAPI):
    """An application whose document also shows errors, and how callers prove who they are."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        document = super().openapi()
        document["security"] = [{"key": []}, {"session": []}]
        document["components"]["schemas"]["Error"] = errors.Error.model_json_schema()
        document["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        }
        return document


def create_app(plane: Plane, settings: Settings) -> FastAPI:
    """Return the application over a running plane."""
    door, refusals = Door(plane.access, settings), Refusals(plane.access)
    times = RequestTimes()
    app = Described(
        title="storecrew",
        version=settings.orchestrator.service_version,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        responses=errors.RESPONSES,
        middleware=_layers(settings, door, refusals, times),
    )
    app.state.plane = plane
    app.state.settings = settings
    app.state.door = door
    app.state.refusals = refusals
    app.state.times = times
    app.state.log_in_attempts = LogInAttempts()
    app.state.replies = Replies(plane.replies, plane.clock)
    app.state.hub = Hub(plane.journal)
    app.state.started_at = plane.clock.now()
    errors.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.include_router(agents.unrepeated)
    return app


def _layers(
    settings: Settings, door: Door, refusals: Refusals, times: RequestTimes
) -> list[Middleware]:
    """Name a request, find out whose it is, count, admit and measure it, in this order."""
    orchestrator = settings.orchestrator
    return [
        Middleware(
            Boundary,
            times=times,
            suppress_health_logs=orchestrator.suppress_health_logs,
            disable_access_log=orchestrator.disable_access_log,
        ),
        Middleware(
            Cors,
            allow_origins=settings.api.cors_origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=[
                "X-Request-ID",
                "X-RateLimit-Limit",
                "X-RateLimit-Remaining",
                "X-RateLimit-Reset",
                "X-Total-Count",
                "Retry-After",
            ],
        ),
        Middleware(Guard, door=door, refusals=refusals),
        Middleware(RateLimit, limits=Limits.of(settings.api)),
        Middleware(Refuse),
        Middleware(BodyLimit),
    ]
