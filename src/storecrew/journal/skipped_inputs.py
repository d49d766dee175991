"""Counts of input that was not acted on, by source and reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain.control.skipped_inputs import SkippedInput
from storecrew.domain.input_text import one_line
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.skipped_inputs import skipped_inputs

_LONGEST = 300


def _record(connection: Connection, source: str, reason: str, sample: str, now: datetime) -> None:
    """Count one; the sample replaces the earlier one."""
    advisory_lock(connection, "skipped_inputs")
    key = (skipped_inputs.c.source == source, skipped_inputs.c.reason == reason)
    newest = {"last_at": to_db_time(now), "sample": one_line(sample, _LONGEST)}
    counted = sa.update(skipped_inputs).where(*key)
    known = counted.values(newest | {"count": skipped_inputs.c.count + 1})
    if connection.execute(known).rowcount == 0:
        row = {"source": source, "reason": reason, "count": 1}
        connection.execute(sa.insert(skipped_inputs), row | newest)


def _counts(connection: Connection, source: str | None = None) -> Sequence[SkippedInput]:
    """Return the counts of one source (of all when None), the newest first."""
    query = sa.select(skipped_inputs).order_by(
        skipped_inputs.c.last_at.desc(), skipped_inputs.c.source, skipped_inputs.c.reason
    )
    if source is not None:
        query = query.where(skipped_inputs.c.source == source)
    return [
        SkippedInput(**{**row._mapping, "last_at": from_db_time(row.last_at)})
        for row in connection.execute(query)
    ]


@dataclass(frozen=True)
class SqlSkippedInputs:
    """Implements `domain.ports.repositories.SkippedInputRepository` over the journal."""

    database: Database

    record = writing(_record)
    counts = reading(_counts)
