"""Reads of the outbox: the store's events in order."""

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.codec import read_event
from storecrew.domain.control.events import EventEnvelope
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import OUTBOX_LOCK

_LATER_FACT = sa.select(t.outbox.c.id).where(t.outbox.c.id > sa.bindparam("after")).limit(1)
_FACTS = (
    sa.select(t.outbox)
    .where(t.outbox.c.id > sa.bindparam("after"))
    .order_by(t.outbox.c.id)
    .limit(sa.bindparam("most", type_=sa.Integer))
)
_HOLD_WRITERS = sa.select(sa.func.pg_advisory_xact_lock(OUTBOX_LOCK))
_OUTBOX = "store"


def outbox(connection: Connection, after: int, limit: int) -> Sequence[tuple[int, EventEnvelope]]:
    """Return facts after that position, in order, none of them passed by a slower writer."""
    if connection.dialect.name != "sqlite":
        if connection.execute(_LATER_FACT, {"after": after}).first() is None:
            return []
        connection.execute(_HOLD_WRITERS)
    return [
        (
            row.id,
            EventEnvelope(
                source=_OUTBOX,
                external_id=str(row.id),
                event=read_event(row.event),
                at=row.at,
                actor=row.actor,
            ),
        )
        for row in connection.execute(_FACTS, {"after": after, "most": limit})
    ]
