"""Switches that outlive a restart, undo, and forgetting what is old."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import to_db_time
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.control.updates import Topic
from storecrew.domain.ports.journal import UNDO
from storecrew.journal import audit, runs, updates
from storecrew.journal.claims import ACTIVE, new_run
from storecrew.journal.events import CLOCK
from storecrew.journal.rows import advisory_lock, control_row, dump, person
from storecrew.journal.schema.journal import (
    event_deliveries,
    events,
    key_values,
    proposals,
    runs as runs_table,
)


def set_paused(connection: Connection, value: bool, *, by: str, now: datetime) -> None:
    """Stop the crew, or let it go on; audited with who said so."""
    advisory_lock(connection, "key_values")
    if runs.paused(connection) is value:
        return
    connection.execute(sa.delete(key_values).where(key_values.c.name == "paused"))
    connection.execute(sa.insert(key_values), {"name": "paused", "value": "true" if value else ""})
    what = "pause" if value else "resume"
    subject = f"{what}/{audit.position(connection)}"
    actor = person(by)
    row = control_row(subject, {"type": what}, actor=actor, reason=what, now=now)
    audit.append(connection, [row])
    updates.publish_update(connection, Topic.CREW, {"paused": value}, now)


def begin_undo(
    connection: Connection, story: ProposalHistory, opposite: Proposal, *, by: str, now: datetime
) -> str:
    """Begin the run that undoes a proposal, once per proposal; return its id."""
    return begin_revert(connection, story, opposite, actor=person(by), now=now)


def begin_revert(
    connection: Connection, story: ProposalHistory, opposite: Proposal, *, actor: str, now: datetime
) -> str:
    """Begin the same undo run for any actor; an agent's undo is judged as an agent's proposal."""
    advisory_lock(connection, "undo")
    run_id = f"{UNDO}@{story.filed.id}"
    known = sa.select(runs_table.c.id).where(runs_table.c.id == run_id)
    if connection.execute(known).scalar() is not None:
        return run_id
    row = new_run(run_id, UNDO, actor, now)
    connection.execute(sa.insert(runs_table), {**row, "proposals": 1})
    filed = {
        "id": f"{run_id}/0",
        "run_id": run_id,
        "n": 0,
        "agent": UNDO,
        "body": dump(opposite),
        "at": to_db_time(now),
    }
    connection.execute(sa.insert(proposals), filed)
    return run_id


def prune(connection: Connection, before: datetime) -> int:
    """Forget events of before that moment, up to the oldest that is still needed; count them.

    Runs, proposals and the audit stay: they are the owner's books. So does the name of each
    agent's newest tick, or a restart would take it for one that never came.
    """
    pending = sa.select(sa.func.min(event_deliveries.c.event_seq)).where(
        event_deliveries.c.run_id.is_(None)
    )
    of_runs = (
        sa.select(sa.func.min(event_deliveries.c.event_seq))
        .join(runs_table, runs_table.c.id == event_deliveries.c.run_id)
        .where(runs_table.c.status.in_([*ACTIVE, RunStatus.FAILED]))
    )
    newest = sa.select(sa.func.max(events.c.seq))
    needed = [connection.execute(query).scalar() for query in (pending, of_runs)]
    known = [seq for seq in needed if seq is not None]
    keep_from = min(known, default=connection.execute(newest).scalar() or 0)
    recent = sa.select(sa.func.min(events.c.seq)).where(
        events.c.seq < keep_from, events.c.at >= to_db_time(before)
    )
    limit = connection.execute(recent).scalar() or keep_from
    old = sa.select(events.c.seq).where(events.c.seq < limit).limit(1)
    if connection.execute(old).scalar() is None:
        return 0
    _remember_ticks(connection, limit)
    connection.execute(sa.delete(event_deliveries).where(event_deliveries.c.event_seq < limit))
    return connection.execute(sa.delete(events).where(events.c.seq < limit)).rowcount


def _remember_ticks(connection: Connection, limit: int) -> None:
    """Keep the name of each agent's newest tick among the events that will be forgotten."""
    ticks = (
        sa.select(events.c.subject, sa.func.max(events.c.external_id).label("tick"))
        .where(events.c.source == CLOCK, events.c.seq < limit)
        .group_by(events.c.subject)
    )
    rows = [{"name": f"tick/{r.subject}", "value": r.tick} for r in connection.execute(ticks)]
    if rows:
        names = [row["name"] for row in rows]
        connection.execute(sa.delete(key_values).where(key_values.c.name.in_(names)))
        connection.execute(sa.insert(key_values), rows)
