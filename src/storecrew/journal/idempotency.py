"""Answers under an Idempotency-Key, in the journal's database."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, reading, to_db_time, writing
from storecrew.domain.control.idempotency import StoredResponse
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.access import idempotent_responses

KEPT = timedelta(days=2)
"""How long an answer is kept: longer than anybody retries."""


def _find(connection: Connection, key: str) -> StoredResponse | None:
    """Return the answer that was given under this key."""
    row = connection.execute(
        sa.select(idempotent_responses).where(idempotent_responses.c.key == key)
    ).one_or_none()
    if row is None:
        return None
    return StoredResponse(fingerprint=row.fingerprint, status=row.status, body=row.body)


def _keep(connection: Connection, key: str, reply: StoredResponse, now: datetime) -> None:
    """Keep an answer; the first under a key stays. Forgets those that are too old."""
    advisory_lock(connection, "idempotent_responses")
    connection.execute(
        sa.delete(idempotent_responses).where(idempotent_responses.c.at < to_db_time(now - KEPT))
    )
    if _find(connection, key) is None:
        row = {
            "key": key,
            "fingerprint": reply.fingerprint,
            "status": reply.status,
            "body": reply.body,
            "at": to_db_time(now),
        }
        connection.execute(sa.insert(idempotent_responses), row)


@dataclass(frozen=True)
class SqlIdempotencyStore:
    """The answers of the last days."""

    database: Database

    find = reading(_find)
    keep = writing(_keep)
