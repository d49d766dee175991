"""How a writing request is taken in: JSON or nothing, and once per Idempotency-Key.

Actions on the store carry the key into the ledger, so their first answer survives a crash. The
other writes are idempotent by nature (a proposal is decided once, an event recorded once per id);
for them the process remembers its recent answers, which a restart forgets.
"""

import json
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from storecrew.domain.errors import InvalidInput, KeyReused

HEADER = "idempotency-key"
MAX_KEY = 200
"""Characters of an Idempotency-Key; a UUID has 36."""
_REMEMBERED = 4096
"""Answers kept in memory: minutes of a busy shop, a few megabytes."""


@dataclass
class Replies:
    """Answers already given, by Idempotency-Key, and the keys that are being worked on."""

    _given: OrderedDict[str, tuple[str, Response]] = field(
        default_factory=OrderedDict[str, tuple[str, Response]]
    )
    _under_way: set[str] = field(default_factory=set[str])

    async def once(
        self, key: str, fingerprint: str, answer: Callable[[], Coroutine[Any, Any, Response]]
    ) -> Response:
        """Return the first answer under this key; 409 while it is being worked out."""
        if key in self._given:
            first, response = self._given[key]
            if first != fingerprint:
                raise KeyReused(key)
            return response
        if key in self._under_way:
            raise HTTPException(409, "a request with this Idempotency-Key is being worked on")
        self._under_way.add(key)
        try:
            response = await answer()
        finally:
            self._under_way.discard(key)
        self._given[key] = (fingerprint, response)
        while len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return response


class JsonRoute(APIRoute):
    """A route whose body, if any, is JSON, and whose writes happen once per key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with these checks before it."""
        serve = super().get_route_handler()

        async def checked(request: Request) -> Response:
            if request.method not in ("POST", "PUT"):
                return await serve(request)
            body = await request.body()
            _require_json(request, body)
            key = request.headers.get(HEADER)
            if key is None:
                return await serve(request)
            _check_key(key)
            what = f"{request.method} {request.url.path}\n".encode() + body
            replies: Replies = request.app.state.replies
            return await replies.once(key, sha256(what).hexdigest(), lambda: serve(request))

        return checked


def _require_json(request: Request, body: bytes) -> None:
    if not body:
        return
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "send the body as application/json")
    try:
        json.loads(body, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("body", "is not valid JSON") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _check_key(key: str) -> None:
    if not (1 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
