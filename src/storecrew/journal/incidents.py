"""Incidents of every kind: each is opened once, alerted once, and closed once."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain.control.incidents import Incident, IncidentKind, OpenIncident
from storecrew.domain.errors import NotFound
from storecrew.journal import audit
from storecrew.journal.rows import AnyRow, advisory_lock, control_row, dump
from storecrew.journal.schema.incidents import incidents

OPEN, CLOSED = "open", "closed"


def open_incident(connection: Connection, action: OpenIncident, now: datetime) -> bool:
    """Open what an agent reports; False where it is open. One that was closed opens anew."""
    advisory_lock(connection, "incidents")
    row = _row(connection, action.incident)
    if row is not None and row.status == OPEN:
        return False
    connection.execute(sa.delete(incidents).where(incidents.c.id == action.incident))
    incident = Incident(
        id=action.incident,
        kind=action.kind,
        subject=action.subject,
        title=action.title,
        status=OPEN,
        cause=action.cause,
        observed=action.observed,
        expected=action.expected,
        plan=action.plan,
        opened_at=now,
    )
    _insert(connection, incident)
    return True


def open_agent_incident(
    connection: Connection, agent: str, kind: IncidentKind, detail: str, now: datetime
) -> bool:
    """Open an incident of an agent's health, audited; False where one of the agent is open."""
    advisory_lock(connection, "incidents")
    if connection.execute(sa.select(incidents.c.id).where(_open_of(agent))).scalar() is not None:
        return False
    advisory_lock(connection, "audit")
    incident = Incident(
        id=f"{agent}/{audit.position(connection) + 1}",
        kind=kind,
        subject=_subject(agent),
        title=f"agent {agent} is unwell",
        status=OPEN,
        cause="",
        observed=detail,
        expected="",
        opened_at=now,
    )
    _insert(connection, incident)
    action = {"type": "open_incident", "agent": agent, "kind": kind}
    subject = f"incident/{incident.id}"
    row = control_row(subject, action, actor="system", reason=detail, now=now)
    audit.append(connection, [row])
    return True


def report_incident(connection: Connection, action: OpenIncident, *, now: datetime) -> bool:
    """Open an incident that the plane itself found, audited; False where it is open."""
    if not open_incident(connection, action, now):
        return False
    _audit(connection, "open_incident", action.incident, action.title, now)
    return True


def resolve_incident(connection: Connection, name: str, *, reason: str, now: datetime) -> bool:
    """Close an incident whose trouble is over, audited; False where none is open."""
    of = sa.and_(incidents.c.id == name, incidents.c.status == OPEN)
    if not _close(connection, of, reason, now):
        return False
    _audit(connection, "close_incident", name, reason, now)
    return True


def _audit(connection: Connection, what: str, name: str, reason: str, now: datetime) -> None:
    advisory_lock(connection, "audit")
    subject = f"{what}/{name}/{to_db_time(now)}"
    action = {"type": what, "incident": name}
    row = control_row(subject, action, actor="system", reason=reason, now=now)
    audit.append(connection, [row])


def close_incident(connection: Connection, name: str, reason: str, now: datetime) -> bool:
    """Close an incident; False where it is closed. Raises `NotFound`."""
    advisory_lock(connection, "incidents")
    if _row(connection, name) is None:
        raise NotFound("incident", name)
    of = sa.and_(incidents.c.id == name, incidents.c.status == OPEN)
    return _close(connection, of, reason, now)


def close_agent_incident(
    connection: Connection, agent: str, now: datetime, *, silently: bool = False
) -> bool:
    """Close the open incident of the agent's health; False where none is open."""
    return _close(connection, _open_of(agent), "", now, silently=silently)


def _close(
    connection: Connection,
    of: sa.ColumnElement[bool],
    reason: str,
    now: datetime,
    *,
    silently: bool = False,
) -> bool:
    """Close incidents; without an alert of the beginning there is none of the end."""
    at = to_db_time(now)
    is_unknown = sa.and_(incidents.c.notified_at.is_(None), incidents.c.claimed_by == "")
    values = {
        "status": CLOSED,
        "closed_at": at,
        "resolution": reason,
        "end_notified_at": at if silently else sa.case((is_unknown, at)),
        "claimed_by": "",
        "claimed_at": None,
    }
    return connection.execute(sa.update(incidents).where(of).values(values)).rowcount > 0


def close_by_person(
    connection: Connection, incident_id: str, *, reason: str, by: str, now: datetime
) -> None:
    """Close it for a person, audited; closing it again changes nothing. Raises `NotFound`."""
    if close_incident(connection, incident_id, reason, now):
        subject = f"close_incident/{incident_id}/{to_db_time(now)}"
        action = {"type": "close_incident", "incident": incident_id}
        row = control_row(subject, action, actor=by, reason=reason or "closed", now=now)
        audit.append(connection, [row])


def incident(connection: Connection, incident_id: str) -> Incident:
    """Return one incident, or raise `NotFound`."""
    row = _row(connection, incident_id)
    if row is None:
        raise NotFound("incident", incident_id)
    return _to_incident(row)


def list_incidents(
    connection: Connection,
    *,
    status: str | None = None,
    kinds: Collection[IncidentKind] = tuple(IncidentKind),
    limit: int = 200,
) -> Sequence[Incident]:
    """Return incidents of these kinds and this status (all when None), newest first."""
    found = [
        _to_incident(row)
        for kind in kinds  # each kind alone is read in the order of its index
        for row in connection.execute(_newest(kind, status).limit(limit))
    ]
    found.sort(key=lambda each: each.id)
    return sorted(found, key=lambda each: each.opened_at, reverse=True)[:limit]


def _newest(kind: IncidentKind, status: str | None) -> "sa.Select[tuple[AnyRow]]":
    query = sa.select(incidents).where(incidents.c.kind == kind)
    if status is not None:
        query = query.where(incidents.c.status == status)
    return query.order_by(incidents.c.opened_at.desc(), incidents.c.id)


def unnotified(connection: Connection) -> Sequence[Incident]:
    """Return open incidents, and closed ones whose end was not alerted yet, oldest first."""
    is_known = sa.or_(incidents.c.status == OPEN, incidents.c.notified_at.is_not(None))
    query = (
        sa.select(incidents)
        .where(incidents.c.end_notified_at.is_(None), is_known)
        .order_by(incidents.c.opened_at, incidents.c.id)
    )
    return [_to_incident(row) for row in connection.execute(query)]


def _subject(agent: str) -> str:
    return f"agent:{agent}"


def _open_of(agent: str) -> sa.ColumnElement[bool]:
    return sa.and_(incidents.c.subject == _subject(agent), incidents.c.status == OPEN)


def _row(connection: Connection, name: str) -> AnyRow | None:
    return connection.execute(sa.select(incidents).where(incidents.c.id == name)).one_or_none()


def _insert(connection: Connection, incident: Incident) -> None:
    values = vars(incident) | {
        "plan": dump(incident.plan),
        "opened_at": to_db_time(incident.opened_at),
        "claimed_by": "",
    }
    connection.execute(sa.insert(incidents), values)


def _to_incident(row: AnyRow) -> Incident:
    fields = row._asdict() | {"kind": IncidentKind(row.kind), "plan": tuple(json.loads(row.plan))}
    for name in ("opened_at", "closed_at", "notified_at", "end_notified_at"):
        fields[name] = from_db_time(fields[name]) if fields[name] else None
    del fields["claimed_by"], fields["claimed_at"]
    return Incident(**fields)


def _is(incident: Incident) -> sa.ColumnElement[bool]:
    """Match the incident as it was read, not one that was opened under its id since."""
    return sa.and_(
        incidents.c.id == incident.id, incidents.c.opened_at == to_db_time(incident.opened_at)
    )


@dataclass(frozen=True)
class SqlIncidentRepository:
    """The journal's part about incidents, over its database."""

    database: Database

    incidents = reading(list_incidents)
    incident = reading(incident)
    close_incident = writing(close_by_person)
    open_agent_incident = writing(open_agent_incident)
    close_agent_incident = writing(close_agent_incident)
    report_incident = writing(report_incident)
    resolve_incident = writing(resolve_incident)
    unnotified = reading(unnotified)

    async def claim_notification(
        self, incident: Incident, by: str, now: datetime, hold: timedelta
    ) -> bool:
        """Reserve the right to alert of an incident for a while; False where another has it.

        Also where another alerted of it since it was read.
        """
        notified_at = to_db_time(incident.notified_at) if incident.notified_at else None
        is_as_read = [
            incidents.c.notified_at.is_not_distinct_from(notified_at),
            incidents.c.end_notified_at.is_(None),
        ]
        is_free = sa.or_(
            incidents.c.claimed_at.is_(None), incidents.c.claimed_at < to_db_time(now - hold)
        )
        query = sa.update(incidents).where(_is(incident), *is_as_read, is_free)
        claimed = query.values(claimed_by=by, claimed_at=to_db_time(now))
        return await self.database.write(lambda c: c.execute(claimed).rowcount > 0)

    async def mark_notified(self, incident: Incident, now: datetime) -> None:
        """Record that the alert of the incident, or of its end, was sent."""
        word = "notified_at" if incident.closed_at is None else "end_notified_at"
        await self._release(incident, {word: to_db_time(now)})

    async def release_notification(self, incident: Incident) -> None:
        """Let another try to alert of it, as no channel answered."""
        await self._release(incident, {})

    async def _release(self, incident: Incident, changes: dict[str, str]) -> None:
        query = sa.update(incidents).where(_is(incident))
        released = query.values(changes | {"claimed_by": "", "claimed_at": None})
        await self.database.write(lambda c: c.execute(released))
