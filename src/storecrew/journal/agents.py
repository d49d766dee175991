"""The crew itself: who was registered, who stands still, and what was asked of whom."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain import codec
from storecrew.domain.control.agents import (
    AgentManifest,
    AgentOrigin,
    BusinessDay,
    RegisteredAgent,
    Suspension,
)
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.updates import Topic
from storecrew.domain.errors import AlreadyRegistered, NotFound
from storecrew.journal import audit, budgets, updates
from storecrew.journal.events import REQUESTS
from storecrew.journal.incidents import close_agent_incident
from storecrew.journal.rows import advisory_lock, control_row, dump, to_run
from storecrew.journal.schema.agents import agent_suspensions, agents, heartbeats
from storecrew.journal.schema.journal import event_deliveries, events, key_values, runs


def register(connection: Connection, factory: RegisteredAgent) -> bool:
    """Register an agent, audited; False where it is registered exactly so already."""
    advisory_lock(connection, "key_values")
    name, body = factory.declaration.agent_id, dump(factory.declaration)
    known = connection.execute(sa.select(agents.c.body).where(agents.c.agent == name)).scalar()
    if known is not None:
        if known != body:
            raise AlreadyRegistered(name)
        return False
    last = sa.select(sa.func.coalesce(sa.func.max(agents.c.n), 0))
    row = {
        "agent": name,
        "n": connection.execute(last).scalar_one() + 1,
        "origin": factory.origin,
        "body": body,
        "token_hash": factory.token_hash,
        "signing_key": factory.signing_key,
        "at": to_db_time(factory.at),
        "by": factory.by,
    }
    connection.execute(sa.insert(agents), row)
    _changed(connection, "register", name, by=factory.by, now=factory.at)
    return True


def deregister(connection: Connection, agent: str, *, by: str, now: datetime) -> None:
    """Take a registered agent off duty, audited; its wakes that no run has taken are dropped."""
    advisory_lock(connection, "key_values")
    if not connection.execute(sa.delete(agents).where(agents.c.agent == agent)).rowcount:
        raise NotFound("agent", agent)
    for table in (agent_suspensions, heartbeats):
        connection.execute(sa.delete(table).where(table.c.agent == agent))
    close_agent_incident(connection, agent, now, silently=True)
    idle = sa.delete(event_deliveries).where(
        event_deliveries.c.agent == agent, event_deliveries.c.run_id.is_(None)
    )
    connection.execute(idle)
    _changed(connection, "dismiss", agent, by=by, now=now)


def _changed(connection: Connection, what: str, agent: str, *, by: str, now: datetime) -> None:
    """Tell the audit, every worker and those who watch that the crew is another now."""
    _audit(connection, what, agent, by=by, now=now)
    connection.execute(sa.delete(key_values).where(key_values.c.name == "crew"))
    value = str(audit.position(connection))
    connection.execute(sa.insert(key_values), {"name": "crew", "value": value})
    updates.publish_update(connection, Topic.CREW, {"agent": agent, "change": what}, now)


def _audit(connection: Connection, what: str, agent: str, *, by: str, now: datetime) -> None:
    action = {"type": f"{what}_agent", "agent": agent}
    subject = f"{what}/{agent}/{audit.position(connection)}"
    audit.append(connection, [control_row(subject, action, actor=by, reason=what, now=now)])


def registered(connection: Connection) -> list[RegisteredAgent]:
    """Return every registered agent, in order of registration."""
    return [
        _to_registered(row) for row in connection.execute(sa.select(agents).order_by(agents.c.n))
    ]


def _to_registered(row: Any) -> RegisteredAgent:
    return RegisteredAgent(
        declaration=codec.decode(AgentManifest, json.loads(row.body)),
        origin=AgentOrigin(row.origin),
        at=from_db_time(row.at),
        by=row.by,
        token_hash=row.token_hash,
        signing_key=row.signing_key,
    )


def is_paused(connection: Connection, agent: str) -> bool:
    """Return whether a person paused this agent."""
    of_agent = sa.and_(
        agent_suspensions.c.agent == agent, agent_suspensions.c.why == Suspension.PAUSED
    )
    return (
        connection.execute(sa.select(agent_suspensions.c.agent).where(of_agent)).scalar()
        is not None
    )


def set_suspended(
    connection: Connection, agent: str, value: bool, *, by: str, now: datetime
) -> None:
    """Pause one agent, or let it go on; audited with who said so."""
    advisory_lock(connection, "key_values")
    of_agent = sa.and_(
        agent_suspensions.c.agent == agent, agent_suspensions.c.why == Suspension.PAUSED
    )
    if is_paused(connection, agent) is value:
        return
    if value:
        row = {"agent": agent, "why": Suspension.PAUSED, "day": "", "part": ""}
        connection.execute(sa.insert(agent_suspensions), row)
    else:
        connection.execute(sa.delete(agent_suspensions).where(of_agent))
    what = "pause" if value else "resume"
    _audit(connection, what, agent, by=by, now=now)
    updates.publish_update(connection, Topic.CREW, {"agent": agent, "paused": value}, now)


_OF_STATUS = sa.select(sa.func.count()).where(
    runs.c.status == sa.bindparam("of"), runs.c.created_at >= sa.bindparam("began")
)


def statistics(connection: Connection, day: BusinessDay) -> dict[str, int]:
    """Count the runs of a day by what became of them, and what waits for one."""
    began = to_db_time(day.began)
    counts = {
        f"runs_{status}": connection.execute(
            _OF_STATUS, {"of": status, "began": began}
        ).scalar_one()
        for status in RunStatus
    }
    pending = (
        sa.select(sa.func.count())
        .select_from(event_deliveries)
        .where(event_deliveries.c.run_id.is_(None))
    )
    counts["runs_today"] = sum(counts.values())
    counts["wakes_waiting"] = connection.execute(pending).scalar_one()
    counts["agents_halted"] = len(
        set(connection.execute(sa.select(agent_suspensions.c.agent)).scalars())
    )
    return counts


_LAST_RUN = (
    sa.select(runs)
    .where(runs.c.agent == sa.bindparam("agent"))
    .order_by(runs.c.created_at.desc(), runs.c.id)
    .limit(1)
)


def last_runs(connection: Connection, agents: Collection[str]) -> dict[str, Run]:
    """Return each agent's newest run, without its events; who never ran is left out."""
    rows = {name: connection.execute(_LAST_RUN, {"agent": name}).one_or_none() for name in agents}
    return {name: to_run(row) for name, row in rows.items() if row is not None}


def request(connection: Connection, run: str) -> Mapping[str, Any] | None:
    """Return when and for whom a run was asked for, and the run it became part of."""
    agent, _, number = run.rpartition("@")
    if not (agent and number.isascii() and number.isdigit() and len(number) < 19):
        return None
    query = (
        sa.select(events.c.at, events.c.body, events.c.actor, event_deliveries.c.run_id)
        .join(event_deliveries, event_deliveries.c.event_seq == events.c.seq)
        .where(
            events.c.seq == int(number),
            events.c.source == REQUESTS,
            event_deliveries.c.agent == agent,
        )
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    parameters = json.loads(row.body).get("parameters", {})
    return {
        "agent": agent,
        "at": from_db_time(row.at),
        "by": row.actor,
        "parameters": parameters,
        "run": row.run_id,
    }


@dataclass(frozen=True)
class SqlAgentRepository:
    """The journal's part about the crew itself, over its database."""

    database: Database

    register = writing(register)
    deregister = writing(deregister)
    registered = reading(registered)

    async def suspend(self, agent: str, *, by: str, now: datetime) -> None:
        """Pause one agent."""
        await self.database.write(lambda c: set_suspended(c, agent, True, by=by, now=now))

    async def resume(self, agent: str, *, by: str, now: datetime) -> None:
        """Let a paused agent go on."""
        await self.database.write(lambda c: set_suspended(c, agent, False, by=by, now=now))

    async def suspensions(self) -> Mapping[str, tuple[Suspension, str]]:
        """Return who stands still, why, and on which day (empty for a pause)."""
        query = sa.select(agent_suspensions).order_by(
            agent_suspensions.c.why.desc()
        )  # a pause outweighs a spent budget
        return await self.database.read(
            lambda c: {row.agent: (Suspension(row.why), row.day) for row in c.execute(query)}
        )

    last_runs = reading(last_runs)
    statistics = reading(statistics)
    used = reading(budgets.used)
    request = reading(request)
