"""How a writing request is taken in: JSON or nothing, and once per Idempotency-Key.

Actions on the store carry the key into the ledger, so their first answer survives a crash with
the effect itself. The answers of the other writes are kept in the journal for two days; they are
idempotent by nature (a proposal is decided once, an event recorded once per id), so a crash
between the effect and its answer does no harm.
"""

import json
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, ClassVar
from uuid import uuid4

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from storecrew.api.authentication import CHALLENGE, caller, caller_of
from storecrew.api.bodies import example_of
from storecrew.api.idempotency import KEY_PARAMETER, IdempotentResponses, check_key
from storecrew.api.roles import ANYONE, may, role_of
from storecrew.api.schemas import response_model
from storecrew.domain.control.access import Role
from storecrew.domain.input_text import check_text, check_texts
from storecrew.domain.json_input import read_json

HEADER = "idempotency-key"
_WITH_BODY = ("POST", "PUT", "PATCH")


class JsonRoute(APIRoute):
    """A route whose body, if any, is JSON, and whose writes happen once per key.

    Its handler declares the role with `requires`. Its summary is the first sentence of the
    handler's docstring, its models are response_model in the codec's words.
    """

    keeps: ClassVar[bool] = True
    """Whether the journal keeps the answers under an Idempotency-Key."""
    remembers: ClassVar[bool] = True
    """Whether a repeated Idempotency-Key gets the first answer again."""
    takes_json: ClassVar[bool] = True
    """Whether a body has to be JSON."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        extra = {**(options["openapi_extra"] or {}), **example_of(endpoint)}
        if not set(_WITH_BODY).isdisjoint(options["methods"]):
            extra["parameters"] = [KEY_PARAMETER]
        if role_of(endpoint) is ANYONE:
            extra["security"] = []
        model = options["response_model"]
        if isinstance(model, DefaultPlaceholder):
            model = endpoint.__annotations__["return"]
        responses = options["responses"] or {}
        options |= {
            "summary": (endpoint.__doc__ or "").partition("\n")[0].partition(". ")[0].rstrip("."),
            "openapi_extra": extra,
            "response_model": response_model(model),
            "responses": {
                code: {**each, "model": response_model(each.get("model"))}
                for code, each in responses.items()
            },
        }
        super().__init__(path, endpoint, **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with these checks before it."""
        serve, needed = super().get_route_handler(), role_of(self.endpoint)

        async def checked(request: Request) -> Response:
            _permit(request, needed)
            check_texts(dict(request.path_params), "path")
            for name, value in request.query_params.multi_items():
                check_text(check_text("query", name), value)
            if request.method not in _WITH_BODY:
                return await serve(request)
            body = await request.body()
            if self.takes_json:
                body = _canonical_json(request, body)
            if HEADER not in request.headers:
                return await serve(request)
            check_key(request.headers[HEADER])
            if not self.remembers:
                return await serve(request)
            replies: IdempotentResponses = request.app.state.replies
            return await replies.once(
                scoped_key(request),
                sha256(f"{request.url.path}\n".encode() + body).hexdigest(),
                lambda: serve(request),
                keep=self.keeps,
            )

        return checked


def scoped_key(request: Request) -> str:
    """Return the key of a writing request: the given one within its caller and route, else a
    random one. So no caller can take a key of another, or one of a request to come."""
    given = request.headers.get(HEADER)
    if given is None:
        return f"once/{uuid4().hex}"
    scope = f"{caller(request)}\n{request.method} {request.scope['route'].path}"
    return f"{sha256(scope.encode()).hexdigest()[:32]}/{given}"


class LedgerRoute(JsonRoute):
    """A route that changes the store, whose ledger keeps the outcome under the key."""

    keeps = False


class UnrepeatedRoute(JsonRoute):
    """A route whose answers hold secrets, and are therefore given once and not kept."""

    remembers = False


def _permit(request: Request, needed: Role | None) -> None:
    """Let the caller on, or raise: 401 for a stranger, 403 where the role does not reach."""
    found = caller_of(request.scope)
    if may(found, needed):
        return
    if found is None:
        raise HTTPException(401, "this needs a key or a session", headers=CHALLENGE)
    raise HTTPException(403, f"this needs the role {needed}; {found.name} is {found.role}")


def _canonical_json(request: Request, body: bytes) -> bytes:
    """Return the body with its keys in order, the same for bodies that mean the same."""
    if not body:
        return body
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the body as application/json")
    content = _same_numbers(read_json(body))
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _same_numbers(value: Any) -> Any:
    """Return the value with whole floats as integers: 1.0 and 1 are one number of JSON."""
    if isinstance(value, dict):
        return {key: _same_numbers(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_same_numbers(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
