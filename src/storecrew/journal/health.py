"""Heartbeats and incidents: what is known of each agent, and who was told."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, to_db_time
from storecrew.domain.control.health import AgentHealth, AgentIncident, AgentIncidentKind
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import audit
from storecrew.journal.rows import advisory_lock, control_row
from storecrew.journal.schema.agents import agent_incidents, agents, heartbeats

_AT_ONCE = 500


def heartbeat(connection: Connection, names: Collection[str], now: datetime, worker: str) -> None:
    """Record that these agents were heard of, in one statement."""
    rows = [
        {"agent": name, "beat_at": to_db_time(now), "worker": worker, "failures": 0, "error": ""}
        for name in sorted(names)  # two workers that beat at once wait for each other in order
    ]
    for start in range(0, len(rows), _AT_ONCE):
        insert = _insert(connection).values(rows[start : start + _AT_ONCE])
        fresh = {"beat_at": insert.excluded.beat_at, "worker": insert.excluded.worker}
        connection.execute(insert.on_conflict_do_update(index_elements=["agent"], set_=fresh))


def prune_heartbeats(connection: Connection, on_duty: Collection[str]) -> None:
    """Forget the heartbeats of everybody but those on duty."""
    known = set(connection.execute(sa.select(heartbeats.c.agent)).scalars())
    for name in known - set(on_duty):
        connection.execute(sa.delete(heartbeats).where(heartbeats.c.agent == name))


def note_failure(connection: Connection, failure: RunFailure, *, escalate: bool) -> None:
    """Count a failure of an agent; a run that hung to the end is an incident at once."""
    row = {
        "agent": failure.agent,
        "beat_at": None,
        "worker": "",
        "failures": 1,
        "error": failure.error,
    }
    insert = _insert(connection).values(row)
    more = {"failures": heartbeats.c.failures + 1, "error": failure.error}
    connection.execute(insert.on_conflict_do_update(index_elements=["agent"], set_=more))
    if failure.hung and escalate:
        open_incident(connection, failure.agent, AgentIncidentKind.HUNG, failure.error, failure.now)


def _insert(connection: Connection) -> "postgresql.Insert | sqlite.Insert":
    if connection.dialect.name == "postgresql":
        return postgresql.insert(heartbeats)
    return sqlite.insert(heartbeats)


def open_incident(
    connection: Connection, agent: str, kind: AgentIncidentKind, detail: str, now: datetime
) -> bool:
    """Open an incident, audited; False where one of the agent is open already."""
    advisory_lock(connection, "incidents")
    if connection.execute(_open_of(agent)).scalar() is not None:
        return False
    advisory_lock(connection, "audit")
    identifier = f"{agent}/{audit.position(connection) + 1}"
    row = {"id": identifier, "agent": agent, "kind": kind, "detail": detail, "held_by": ""}
    connection.execute(sa.insert(agent_incidents), row | {"opened_at": to_db_time(now)})
    action = {"type": "open_incident", "agent": agent, "kind": kind}
    subject = f"incident/{identifier}"
    rows = [control_row(subject, action, actor="system", reason=detail, now=now)]
    audit.append(connection, rows)
    return True


def close_incident(connection: Connection, agent: str, now: datetime, silently: bool) -> bool:
    """Close the agent's incident; False where none is open."""
    ended = {"closed_at": to_db_time(now), "held_by": "", "held_at": None}
    if silently:
        ended["end_notified_at"] = to_db_time(now)
    of_agent = sa.and_(agent_incidents.c.agent == agent, agent_incidents.c.closed_at.is_(None))
    return connection.execute(sa.update(agent_incidents).where(of_agent).values(ended)).rowcount > 0


def _open_of(agent: str) -> "sa.Select[tuple[str]]":
    return sa.select(agent_incidents.c.id).where(
        agent_incidents.c.agent == agent, agent_incidents.c.closed_at.is_(None)
    )


def agent_health(connection: Connection) -> list[AgentHealth]:
    """Return every agent on duty with what is known of it, by name.

    On duty is who has a heartbeat or a failure, and who was registered.
    """
    registered = {row.agent: None for row in connection.execute(sa.select(agents.c.agent))}
    known = {row.agent: row for row in connection.execute(sa.select(heartbeats))}
    return [_pulse(name, known.get(name)) for name in sorted(registered | known)]


def _pulse(name: str, row: Any) -> AgentHealth:
    if row is None:
        return AgentHealth(agent=name, beat_at=None)
    beat_at = from_db_time(row.beat_at) if row.beat_at else None
    return AgentHealth(agent=name, beat_at=beat_at, failures=row.failures, error=row.error)


def unnotified(connection: Connection) -> list[AgentIncident]:
    """Return open incidents, and ended ones whose end was not reported yet."""
    unfinished = sa.or_(
        agent_incidents.c.closed_at.is_(None),
        sa.and_(
            agent_incidents.c.notified_at.is_not(None), agent_incidents.c.end_notified_at.is_(None)
        ),
    )
    query = (
        sa.select(agent_incidents)
        .where(unfinished)
        .order_by(agent_incidents.c.opened_at, agent_incidents.c.id)
    )
    return [_to_incident(row) for row in connection.execute(query)]


def _to_incident(row: Any) -> AgentIncident:
    return AgentIncident(
        id=row.id,
        agent=row.agent,
        kind=AgentIncidentKind(row.kind),
        detail=row.detail,
        opened_at=from_db_time(row.opened_at),
        closed_at=from_db_time(row.closed_at) if row.closed_at else None,
        notified_at=from_db_time(row.notified_at) if row.notified_at else None,
        end_notified_at=from_db_time(row.end_notified_at) if row.end_notified_at else None,
    )


@dataclass(frozen=True)
class SqlHealthRepository:
    """The journal's part about health, over its database."""

    database: Database

    async def agent_health(self) -> list[AgentHealth]:
        """Return every agent on duty with what is known of it, by name."""
        return await self.database.read(agent_health)

    async def heartbeat(self, agents: Sequence[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents were heard of."""
        await self.database.write(lambda c: heartbeat(c, agents, now, worker))

    async def open(self, agent: str, kind: AgentIncidentKind, detail: str, now: datetime) -> bool:
        """Open an incident; False where one of the agent is open already."""
        return await self.database.write(lambda c: open_incident(c, agent, kind, detail, now))

    async def close(self, agent: str, now: datetime, *, silently: bool = False) -> bool:
        """Close the agent's incident, False where none is open. `silently` suppresses its alert."""
        return await self.database.write(lambda c: close_incident(c, agent, now, silently))

    async def unnotified(self) -> list[AgentIncident]:
        """Return open incidents, and ended ones whose end was not reported yet."""
        return await self.database.read(unnotified)

    async def claim_notification(
        self, incident: AgentIncident, by: str, now: datetime, hold: timedelta
    ) -> bool:
        """Reserve the right to tell of an incident for a while; False where another has it.

        Also where another told of it since it was read.
        """
        told_at = to_db_time(incident.notified_at) if incident.notified_at else None
        as_read = [
            agent_incidents.c.id == incident.id,
            agent_incidents.c.notified_at.is_not_distinct_from(told_at),
            agent_incidents.c.end_notified_at.is_(None),
        ]
        is_free = sa.or_(
            agent_incidents.c.held_at.is_(None), agent_incidents.c.held_at < to_db_time(now - hold)
        )
        query = sa.update(agent_incidents).where(*as_read, is_free)
        taken = query.values(held_by=by, held_at=to_db_time(now))
        return await self.database.write(lambda c: c.execute(taken).rowcount > 0)

    async def mark_notified(self, incident: AgentIncident, now: datetime) -> None:
        """Record that the incident, or its end, was reported."""
        of = sa.update(agent_incidents).where(agent_incidents.c.id == incident.id)
        word = "notified_at" if incident.closed_at is None else "end_notified_at"
        done = of.values({word: to_db_time(now), "held_by": "", "held_at": None})
        await self.database.write(lambda c: c.execute(done))

    async def release_notification(self, incident: str) -> None:
        """Let another try to tell of it, as telling failed."""
        of = sa.update(agent_incidents).where(agent_incidents.c.id == incident)
        await self.database.write(lambda c: c.execute(of.values(held_by="", held_at=None)))
