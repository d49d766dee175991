"""Updates: one row per transaction and topic, in the order of the commits, for a while."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import from_db_time, to_db_time
from storecrew.domain.control.events import EventEnvelope, PublishAck
from storecrew.domain.control.updates import LiveUpdate, Topic
from storecrew.journal.rows import advisory_lock, dump
from storecrew.journal.schema.journal import Seq, metadata

KEPT = 10_000
"""Updates that can be replayed: minutes of a busy shop, hours of a quiet one."""
_SWEPT_EVERY = 500
"""Old rows are removed after so many new ones, so that most writes do not pay for it."""
_LISTED = 100
"""Things named in one update; of more only the number is told."""

updates = sa.Table(
    "updates",
    metadata,
    sa.Column("seq", Seq, primary_key=True, autoincrement=False),
    sa.Column("topic", sa.Text, nullable=False),
    sa.Column("at", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),
)

_NEWEST = sa.select(sa.func.coalesce(sa.func.max(updates.c.seq), 0))
_OLDEST = sa.select(sa.func.min(updates.c.seq))
_APPEND = (
    sa.insert(updates)
    .from_select(
        ["seq", "topic", "at", "body"],
        sa.select(
            _NEWEST.scalar_subquery() + 1,
            *(sa.bindparam(name, type_=sa.Text) for name in ("b_topic", "b_at", "b_body")),
        ),
    )
    .returning(updates.c.seq)
)


def publish_update(
    connection: Connection, topic: Topic, body: Mapping[str, Any], at: datetime
) -> None:
    """Append an update; the last thing that a transaction does, as its order is the commits'."""
    advisory_lock(connection, "updates")
    row = {"b_topic": topic, "b_at": to_db_time(at), "b_body": dump(body)}
    seq = connection.execute(_APPEND, row).scalar_one()
    if seq % _SWEPT_EVERY == 0:
        connection.execute(sa.delete(updates).where(updates.c.seq <= seq - KEPT))


def publish_event_updates(
    connection: Connection, items: Sequence[EventEnvelope], receipts: Sequence[PublishAck]
) -> None:
    """Tell which facts were new."""
    fresh = [
        {"seq": r.event_id, "type": type(p.event).__name__, "subject": p.event.subject}
        for p, r in zip(items, receipts, strict=True)
        if not r.duplicate
    ]
    if fresh:
        publish_update(connection, Topic.EVENT, _named("events", fresh), items[-1].at)


def publish_run_updates(
    connection: Connection, run_ids: Sequence[str], status: str, at: datetime, error: str = ""
) -> None:
    """Tell where these runs stand now."""
    if run_ids:
        runs = [{"id": i, "status": status, **({"error": error} if error else {})} for i in run_ids]
        publish_update(connection, Topic.RUN, _named("runs", runs), at)


def publish_approval_updates(
    connection: Connection, proposals: Sequence[str], status: str, at: datetime
) -> None:
    """Tell where these questions stand now."""
    if proposals:
        changes = [{"proposal_id": proposal, "status": status} for proposal in proposals]
        publish_update(connection, Topic.APPROVAL, _named("approvals", changes), at)


def _named(what: str, things: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {what: list(things[:_LISTED]), "count": len(things)}


def updates_since(
    connection: Connection,
    since: int,
    *,
    topics: Collection[Topic] = tuple(Topic),
    limit: int = 500,
) -> list[LiveUpdate] | None:
    """Return the updates after a position, oldest first; None where some were removed already."""
    oldest = connection.execute(_OLDEST).scalar()
    newest = connection.execute(_NEWEST).scalar_one()
    if since > newest or (oldest is not None and since < oldest - 1):
        return None
    query = (
        sa.select(updates)
        .where(updates.c.seq > since, updates.c.topic.in_(list(topics)))
        .order_by(updates.c.seq)
        .limit(limit)
    )
    return [_to_update(row) for row in connection.execute(query)]


def newest(connection: Connection) -> int:
    """Return the position of the newest update; 0 where there is none."""
    found: int = connection.execute(_NEWEST).scalar_one()
    return found


def _to_update(row: "sa.Row[Any]") -> LiveUpdate:
    return LiveUpdate(
        seq=row.seq, topic=Topic(row.topic), at=from_db_time(row.at), body=json.loads(row.body)
    )
