"""The health of agents: their heartbeats and failures."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain.control.health import AgentHealth
from storecrew.domain.control.incidents import IncidentKind
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal.incidents import open_agent_incident
from storecrew.journal.schema.agents import agents, heartbeats

_AT_ONCE = 500


def heartbeat(
    connection: Connection, agents: Collection[str], now: datetime, *, worker: str = ""
) -> None:
    """Record that these agents were heard of, in one statement."""
    rows = [
        {"agent": name, "beat_at": to_db_time(now), "worker": worker, "failures": 0, "error": ""}
        for name in sorted(agents)  # two workers that beat at once wait for each other in order
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
        kind = IncidentKind.AGENT_HUNG
        open_agent_incident(connection, failure.agent, kind, failure.error, failure.now)


def _insert(connection: Connection) -> "postgresql.Insert | sqlite.Insert":
    if connection.dialect.name == "postgresql":
        return postgresql.insert(heartbeats)
    return sqlite.insert(heartbeats)


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


@dataclass(frozen=True)
class SqlHealthRepository:
    """The journal's part about health, over its database."""

    database: Database

    agent_health = reading(agent_health)
    heartbeat = writing(heartbeat)
