"""Builds the HTTP application: middleware from the outside in, then the routes."""

from typing import Any

from fastapi import FastAPI
from starlette.middleware import Middleware

from storecrew.api import errors
from storecrew.api.addresses import ForwardedAddress, TrustedProxies
from storecrew.api.authentication import COOKIE, Authenticator, AuthMiddleware, RejectMiddleware
from storecrew.api.denied_attempts import DeniedAttemptLog
from storecrew.api.idempotency import IdempotentResponses
from storecrew.api.request_context import RequestContextMiddleware
from storecrew.api.request_limits import (
    BodyLimit,
    Cors,
    LogInAttempts,
    RateLimit,
    RateLimitSettings,
)
from storecrew.api.routes import (
    access,
    agents,
    approvals,
    catalog,
    customers,
    events,
    incidents,
    inventory,
    messages,
    metrics,
    models,
    order_agents,
    orders,
    probes,
    promotions,
    purchasing,
    reports,
    runs,
    services,
    sessions,
    store_queries,
    support,
    traces,
    unsubscribe,
    updates,
    webhooks,
)
from storecrew.api.update_hub import UpdateHub
from storecrew.app.control_plane import Plane
from storecrew.app.settings import Settings
from storecrew.monitoring.metrics import RequestTimes

_ROUTERS = (
    *(
        orders,
        order_agents,
        probes,
        events,
        inventory,
        catalog,
        approvals,
        runs,
        store_queries,
        updates,
    ),
    *(agents, services, models, sessions, access, metrics, traces, webhooks, reports),
    *(messages, unsubscribe, support, incidents, promotions, customers, purchasing),
)
"""The busiest first: routes are tried in this order."""


class DescribedApp(FastAPI):
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
    door, refusals = Authenticator(plane.access, settings), DeniedAttemptLog(plane.access)
    times = RequestTimes()
    app = DescribedApp(
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
    app.state.replies = IdempotentResponses(plane.replies, plane.clock)
    app.state.hub = UpdateHub(plane.journal)
    app.state.started_at = plane.clock.now()
    errors.install(app)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.include_router(agents.unrepeated)
    app.include_router(orders.noted)
    app.include_router(promotions.timed)
    return app


def _layers(
    settings: Settings, door: Authenticator, refusals: DeniedAttemptLog, times: RequestTimes
) -> list[Middleware]:
    """Name a request, find out whose it is, count, admit and measure it, in this order."""
    orchestrator = settings.orchestrator
    return [
        Middleware(ForwardedAddress, proxies=TrustedProxies(settings.api.trusted_proxies)),
        Middleware(
            RequestContextMiddleware,
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
        Middleware(AuthMiddleware, authenticator=door, refusals=refusals),
        Middleware(RateLimit, limits=RateLimitSettings.of(settings.api)),
        Middleware(RejectMiddleware),
        Middleware(BodyLimit),
    ]
