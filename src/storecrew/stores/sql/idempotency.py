"""Idempotency: the same key never acts twice, and never stands for two actions."""

import hashlib
import json
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.actions import Command
from storecrew.domain.codec import encode
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import InvalidInput
from storecrew.domain.input_text import check_encoded, check_text
from storecrew.stores.sql.handler_result import HandlerResult
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.schema import tables as t

_LONGEST = 500
_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode
_SEEN = sa.select(
    t.applied_commands.c.key, t.applied_commands.c.fingerprint, t.applied_commands.c.outcome
).where(t.applied_commands.c.key.in_(sa.bindparam("among", expanding=True)))


def fingerprint(keyed: Command) -> str:
    """Return what tells two actions apart, or raise `InvalidInput` for text no database keeps."""
    if not 1 <= len(keyed.key) <= _LONGEST:
        raise InvalidInput("key", f"has 1 to {_LONGEST} characters")
    text = _canonical(encode(keyed.action))
    check_encoded(text)
    check_text("key", keyed.key)
    check_text("actor", keyed.actor)
    return hashlib.sha256(text.encode()).hexdigest()


def seen(connection: Connection, keys: set[str]) -> dict[str, tuple[str, HandlerResult]]:
    """Return the fingerprint and the answer of each key that was used before."""
    found: dict[str, tuple[str, HandlerResult]] = {}
    for among in chunks(keys):
        for key, print_, outcome in connection.execute(_SEEN, {"among": among}):
            found[key] = print_, HandlerResult.from_json(json.loads(outcome))
    return found


def outcome(connection: Connection, key: str) -> Outcome | None:
    """Return the outcome recorded under this key, or None if nothing was done under it."""
    found = seen(connection, {key}).get(key)
    return None if found is None else found[1].to_outcome(key)


def applied(connection: Connection, prefix: str = "") -> Sequence[str]:
    """Return the keys under which an effect happened, in order."""
    happened = sa.select(t.applied_commands.c.key).where(t.applied_commands.c.applied)
    if prefix:
        happened = happened.where(
            sa.func.substr(t.applied_commands.c.key, 1, len(prefix)) == prefix
        )
    return connection.scalars(happened.order_by(t.applied_commands.c.key)).all()
