"""What a caller is told when a request fails: one JSON shape, and nothing of the inside."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import Scope

from storecrew.api.routing import allowed_methods
from storecrew.domain import errors as domain
from storecrew.domain.control.access import NameTaken
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.control.services import ServiceExists, ServiceNotManaged, SupervisorNotRunning
from storecrew.web.ssrf_guard import Unresolved

log = logging.getLogger(__name__)

RETRY_AFTER_SECONDS = 5
"""What a caller is asked to wait after a passing failure: longer than a lock is usually held."""

_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    421: "Misdirected Request",
    422: "Idempotency key reused",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal server error",
    503: "Service unavailable",
}

_REFUSALS = {"not_found": 404, "invalid": 400}
"""Status per code of a refused action; whatever the state of the shop forbids is a conflict."""


class Error(BaseModel):
    """What every failed request is told; `fields` names each part that was wrong."""

    error: str
    status_code: int
    message: str
    path: str
    request_id: str

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": "Order not found",
                "status_code": 404,
                "message": "no order with key 7",
                "path": "/api/orders/7",
                "request_id": "5f0c-1",
            }
        }
    )


_SHAPE = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "Refused", "content": _SHAPE},
    "5XX": {"description": "Failed, or not ready", "content": _SHAPE},
}
"""How the document describes failures, alike on every route."""


class Refused(Exception):
    """The store said no to what the caller asked for."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def problem(
    scope: Scope,
    status: int,
    message: str,
    *,
    error: str = "",
    headers: Mapping[str, str] | None = None,
    extras: Mapping[str, Any] | None = None,
) -> JSONResponse:
    """Return the answer to a failed request; extras stand beside the usual five fields.

    The guard reads afterwards what was answered, and audits what was refused.
    """
    scope.setdefault("state", {})["problem"] = (status, message)
    content = {
        **(extras or {}),
        "error": error or _TITLES.get(status, "Error"),
        "status_code": status,
        "message": message,
        "path": scope["path"],
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    return JSONResponse(content, status, headers=headers)


def install(app: FastAPI) -> None:
    """Answer every known kind of failure in the one shape."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(domain.ConfirmationRequired, _confirmation)
    app.add_exception_handler(domain.StorecrewError, _storecrew)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this class
    message, headers = str(error.detail), error.headers
    if error.status_code == 404:
        message = f"there is no {request.method} {request.url.path}"
    if error.status_code == 405:
        methods = allowed_methods(request.app, request.scope["path"])
        message = f"{request.url.path} is there for {', '.join(methods)}"
        headers = {"Allow": ", ".join(methods)}
    return problem(request.scope, error.status_code, message, headers=headers)


async def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this class
    return _invalid(request, fields_of(error.errors()))


def fields_of(errors: Sequence[Any]) -> dict[str, str]:
    """Return what is wrong with each field of the request."""
    return {_field(found["loc"]): _sentence(found["msg"]) for found in errors}


def _field(location: Sequence[Any]) -> str:
    inner = [str(part) for part in location[1:]]
    return ".".join(inner) if inner and location[0] != "header" else str(location[0])


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").removeprefix("Input ")


def _invalid(request: Request, fields: Mapping[str, str]) -> JSONResponse:
    message = "; ".join(f"{field}: {wrong}" for field, wrong in fields.items())
    extras = {"fields": dict(fields)}
    return problem(request.scope, 400, message, error="Invalid input", extras=extras)


async def _refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Refused)  # noqa: S101 - registered for this class
    outcome = error.outcome
    extras = {**outcome.detail, "code": outcome.code}
    if outcome.code == "not_found" and "product" in outcome.detail:
        return _invalid(request, {"product": outcome.message})
    if outcome.code == "invalid":
        return _invalid(request, {str(outcome.detail.get("field", "body")): outcome.message})
    status = _REFUSALS.get(outcome.code, 409)
    error_title = outcome.code.replace("_", " ").capitalize()
    if status == 404:
        error_title = f"{_kind(outcome.detail)} not found"
    return problem(request.scope, status, outcome.message, error=error_title, extras=extras)


def _kind(detail: Mapping[str, Any]) -> str:
    return next(iter(detail), "thing").removesuffix("_id").capitalize()


async def _confirmation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, domain.ConfirmationRequired)  # noqa: S101 - registered for this class
    extras = {"code": "confirmation_required", "fields": {error.field: error.problem}}
    return problem(request.scope, 409, str(error), error="Confirmation required", extras=extras)


async def _storecrew(request: Request, error: Exception) -> JSONResponse:
    scope = request.scope
    match error:
        case domain.InvalidInput():
            return _invalid(request, {error.field: error.problem})
        case domain.NotFound():
            title = f"{error.kind.capitalize()} not found"
            return problem(scope, 404, str(error), error=title, extras={"detail": title})
        case domain.KeyReused():
            return problem(scope, 422, "the Idempotency-Key was used before, for another request")
        case domain.NotPermitted():
            return problem(scope, 403, str(error))
        case (
            domain.AlreadyDecided()
            | domain.NotUndoable()
            | domain.AlreadyRegistered()
            | NameTaken()
            | ServiceExists()
            | ServiceNotManaged()
            | SupervisorNotRunning()
        ):
            return problem(scope, 409, str(error))
        case Unresolved():  # the caller named a host that nobody knows
            return _invalid(request, {"endpoint": str(error)})
        case domain.Retryable():
            return unavailable(scope, error)
        case _:
            raise error


def unavailable(scope: Scope, error: Exception) -> JSONResponse:
    """Say that the same request may succeed later; the reason goes to the log alone."""
    log.warning("request could not be served: %s", error)
    headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    message = "nothing was changed that the same request would not find; try again"
    return problem(scope, 503, message, headers=headers)
