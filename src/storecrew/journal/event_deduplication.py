"""Finds duplicates of events: the same id from the same source is one event."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.control.events import EventEnvelope
from storecrew.journal.schema.journal import events

_IDS_AT_ONCE = 500
_RECORDED = sa.select(events.c.external_id, events.c.seq).where(
    events.c.source == sa.bindparam("source"),
    events.c.external_id.in_(sa.bindparam("ids", expanding=True)),
)


def recorded_events(
    connection: Connection, items: Sequence[EventEnvelope]
) -> dict[tuple[str, str], int]:
    """Return which of these events are in the journal, each with its number there.

    An event is known by its source and its id there, so that a webhook, a request or a tick that
    is delivered again is found. The caller holds the lock that orders writers of events.
    """
    by_source: dict[str, list[str]] = {}
    for item in items:
        by_source.setdefault(item.source, []).append(item.external_id)
    recorded = {}
    for source, ids in by_source.items():
        for start in range(0, len(ids), _IDS_AT_ONCE):
            chunk = ids[start : start + _IDS_AT_ONCE]
            for external_id, seq in connection.execute(_RECORDED, {"source": source, "ids": chunk}):
                recorded[source, external_id] = seq
    return recorded
