"""Putting the HTTP door together: layers from the outside in, then the routes."""

from fastapi import FastAPI
from starlette.middleware import Middleware

from storecrew.api import errors
from storecrew.api.auth import Guard
from storecrew.api.boundary import Boundary
from storecrew.api.limits import BodyLimit, Cors, Limits, RateLimit
from storecrew.api.requests import Replies
from storecrew.api.routes import (
    decisions,
    events,
    order_agents,
    orders,
    probes,
    products,
    runs,
    stock,
)
from storecrew.app.plane import Plane
from storecrew.app.settings import Settings

_ROUTERS = (orders, order_agents, probes, events, stock, products, runs, decisions)
"""The busiest first: routes are tried in this order."""


def create_app(plane: Plane, settings: Settings) -> FastAPI:
    """Return the application over a running plane."""
    app = FastAPI(
        title="storecrew",
        version=settings.orchestrator.service_version,
        docs_url=None,  # its page would load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=_layers(settings),
    )
    app.state.plane = plane
    app.state.settings = settings
    app.state.replies = Replies()
    app.state.started_at = plane.clock.now()
    errors.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    return app


def _layers(settings: Settings) -> list[Middleware]:
    """Name, admit, count and measure a request, in this order."""
    key, origins = settings.api_key, settings.api.cors_origins
    orchestrator = settings.orchestrator
    return [
        Middleware(
            Boundary,
            suppress_health_logs=orchestrator.suppress_health_logs,
            disable_access_log=orchestrator.disable_access_log,
        ),
        Middleware(
            Cors,
            allow_origins=origins,
            allow_methods=["*"],
            allow_headers=["*"],
            expose_headers=["X-Request-ID", "X-RateLimit-Remaining", "Retry-After"],
        ),
        Middleware(Guard, key=key, origins=origins),
        Middleware(RateLimit, limits=Limits.of(settings.api), by_key=key is not None),
        Middleware(BodyLimit),
    ]
