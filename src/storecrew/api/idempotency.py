"""Responses under an Idempotency-Key: the first is given again, another body is refused."""

import logging
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from fastapi import Response
from starlette.exceptions import HTTPException

from storecrew.domain.control.idempotency import StoredResponse
from storecrew.domain.errors import InvalidInput, KeyReused, Retryable
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import IdempotencyStore

log = logging.getLogger(__name__)

ResponseHandler: TypeAlias = Callable[[], Coroutine[Any, Any, Response]]
"""Works out the answer to a request."""

MAX_KEY = 200
"""Characters of an Idempotency-Key; a UUID has 36."""
KEY_PARAMETER = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key and body get the first answer; another body is refused (422).",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY, "pattern": "^[ -~]+$"},
}
"""The header as the document describes it."""
_REMEMBERED = 4096
"""Answers kept in memory: minutes of a busy shop, a few megabytes."""


@dataclass
class IdempotentResponses:
    """Answers already given, by Idempotency-Key, and the keys that are being worked on."""

    book: IdempotencyStore
    clock: Clock
    _given: OrderedDict[str, tuple[str, Response]] = field(
        default_factory=OrderedDict[str, tuple[str, Response]]
    )
    _under_way: set[str] = field(default_factory=set[str])

    async def once(
        self, key: str, fingerprint: str, answer: ResponseHandler, *, keep: bool
    ) -> Response:
        """Return the first answer under this key; 409 while it is being worked out.

        With `keep` the answer is looked for, and kept, in the book as well, and another request
        under its key is refused. Without, the ledger judges another request.
        """
        if key in self._under_way:
            raise HTTPException(409, "a request with this Idempotency-Key is being worked on")
        self._under_way.add(key)
        try:
            known = self._given.get(key) or (await self._kept(key) if keep else None)
            if known is not None and known[0] == fingerprint:
                return known[1]
            if known is not None and keep:
                raise KeyReused(key)
            response = await answer()
            if keep:
                await self._keep(key, fingerprint, response)
        finally:
            self._under_way.discard(key)
        self._given[key] = (fingerprint, response)
        while len(self._given) > _REMEMBERED:
            self._given.popitem(last=False)
        return response

    async def _kept(self, key: str) -> tuple[str, Response] | None:
        found = await self.book.find(key)
        if found is None:
            return None
        return found.fingerprint, Response(found.body, found.status, media_type="application/json")

    async def _keep(self, key: str, fingerprint: str, response: Response) -> None:
        body = bytes(response.body).decode()
        reply = StoredResponse(fingerprint=fingerprint, status=response.status_code, body=body)
        try:
            await self.book.keep(key, reply, self.clock.now())
        except Retryable as error:  # it was done all the same, and this process remembers
            log.warning("the answer under a key could not be kept: %s", error)


def check_key(key: str) -> None:
    """Raise `InvalidInput` if the key is not 1 to 200 printable ASCII characters."""
    if not (1 <= len(key) <= MAX_KEY and key.isascii() and key.isprintable()):
        raise InvalidInput("Idempotency-Key", f"must be 1 to {MAX_KEY} printable ASCII characters")
