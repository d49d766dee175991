"""The OpenAPI document: every route with its summary, example, answers, errors and proof."""

import re
from typing import Any

from fastapi import FastAPI

from storecrew.api.answers import answers
from storecrew.api.auth import COOKIE
from storecrew.api.examples import BODIES
from storecrew.api.requests import MAX_KEY
from storecrew.api.roles import ROUTES
from storecrew.api.schemas import TEXT, WHOLE, Schema, Shapes, fields

_ERROR = {
    **fields(error=TEXT, status_code=WHOLE, message=TEXT, path=TEXT, request_id=TEXT),
    "description": "What every failed request is told; `fields` names each part that was wrong.",
    "example": {
        "error": "Order not found",
        "status_code": 404,
        "message": "no order with key 7",
        "path": "/api/orders/7",
        "request_id": "5f0c-1",
    },
}
_STATUSES = {
    "PUT /api/products/{sku:path}": ("200", "201"),
    "POST /api/agents": ("200", "201"),
    "POST /api/services/announce": ("200", "201"),
    "POST /api/tasks": ("202",),
    "GET /favicon.ico": ("204",),
    "GET /health": ("200", "503"),
    "GET /readyz": ("200", "503"),
    "GET /readiness": ("200", "503"),
}
"""Routes that answer with more than the status they were declared with, or with another."""
_OTHER_KINDS = {
    "GET /metrics": "text/plain",
    "GET /unsubscribe/{token}": "text/html",
    "POST /unsubscribe/{token}": "text/html",
    "GET /api/services/logs/follow": "text/event-stream",
    "GET /api/services/{service}/logs/follow": "text/event-stream",
}
"""Routes that do not answer in JSON."""
_TAGS = (
    ("/agent/", "order system"),
    ("/api/logs", "order system"),
    ("/api/orders", "orders"),
    ("/api/products", "products"),
    ("/api/v2/products", "products"),
    ("/api/stock", "stock"),
    ("/api/inventory", "stock"),
    ("/api/store", "store"),
    ("/api/events", "events"),
    ("/webhooks", "events"),
    ("/api/approvals", "decisions"),
    ("/api/undo", "decisions"),
    ("/api/orchestrator", "orchestrator"),
    ("/api/audit", "audit"),
    ("/api/runs", "runs"),
    ("/api/proposals", "runs"),
    ("/api/traces", "runs"),
)
"""Tags by the beginning of a path; a router's own tags win."""


class Described(FastAPI):
    """An application that describes itself completely, worked out when it is first asked."""

    def openapi(self) -> dict[str, Any]:
        """Return the OpenAPI document."""
        if self.openapi_schema is None:
            self.openapi_schema = complete(super().openapi())
        return self.openapi_schema


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with what FastAPI cannot know."""
    shapes = Shapes()
    known = {_as_shown(route): shape for route, shape in answers(shapes).items()}
    examples = {_as_shown(route): body for route, body in BODIES.items()}
    rules = {_as_shown(route): role for route, role in ROUTES.items()}
    statuses = {_as_shown(route): codes for route, codes in _STATUSES.items()}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            operation["summary"] = _summary(operation)
            operation.setdefault("tags", [_tag(path)])
            operation["responses"] = _responses(operation, route, known.get(route), statuses)
            if method in ("post", "put"):
                operation.setdefault("parameters", []).append(_KEY)
            _add_example(operation, examples.get(route))
            if route in rules and rules[route] is None:
                operation["security"] = []
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas |= {**shapes.components, "Error": _ERROR}
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer"},
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
    }
    document["security"] = [{"key": []}, {"session": []}]
    return document


_KEY: Schema = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body get the first answer; another body is refused (422).",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
}


def _as_shown(route: str) -> str:
    return re.sub(r":(path|int)}", "}", route)


def _summary(operation: dict[str, Any]) -> str:
    text = str(operation.get("description") or operation["summary"])
    return text.strip().partition("\n")[0].partition(". ")[0].rstrip(".")


def _tag(path: str) -> str:
    return next((tag for start, tag in _TAGS if path.startswith(start)), "probes")


def _responses(
    operation: dict[str, Any],
    route: str,
    shape: Schema | None,
    statuses: dict[str, tuple[str, ...]],
) -> dict[str, Any]:
    declared = tuple(code for code in operation["responses"] if code.startswith("2"))
    content: dict[str, Any] = {}
    if kind := _OTHER_KINDS.get(route):
        content = {kind: {"schema": TEXT}}
    elif shape is not None:
        content = {"application/json": {"schema": shape}}
    found: dict[str, Any] = {}
    for code in statuses.get(route, declared):
        said = "Not ready, and why" if code == "503" else "Done"
        found[code] = {"description": said, **({"content": content} if content else {})}
    if route == "GET /":
        found["307"] = {"description": "Where a browser finds the dashboard"}
    return found | {"4XX": _failed("Refused"), "5XX": _failed("Failed, or not ready")}


def _failed(text: str) -> dict[str, Any]:
    shape = {"$ref": "#/components/schemas/Error"}
    return {"description": text, "content": {"application/json": {"schema": shape}}}


def _add_example(operation: dict[str, Any], body: dict[str, Any] | None) -> None:
    if body is None:
        return
    request = operation.setdefault("requestBody", {"content": {"application/json": {}}})
    content = request["content"]["application/json"]
    content.setdefault("schema", {"type": "object"})
    content["examples"] = {"example": {"value": body}}
