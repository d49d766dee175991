"""Incidents: what went wrong and needs a person, opened once, told once, closed once."""

import json
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import from_db_time, to_db_time
from storecrew.domain.control.incidents import CloseIncident, Incident, OpenIncident
from storecrew.domain.errors import NotFound
from storecrew.journal import audit
from storecrew.journal.rows import AnyRow, advisory_lock, control_row, dump
from storecrew.journal.schema.incidents import incidents

OPEN, CLOSED = "open", "closed"


def open_incident(connection: Connection, action: OpenIncident, now: datetime) -> bool:
    """Put it on the list; False where it stands there open. One that was closed opens anew."""
    advisory_lock(connection, "incidents")
    row = _row(connection, action.incident)
    if row is not None and row.status == OPEN:
        return False
    values = {
        "id": action.incident,
        "title": action.title,
        "status": OPEN,
        "cause": action.cause,
        "observed": action.observed,
        "expected": action.expected,
        "plan": dump(action.plan),
        "opened_at": to_db_time(now),
        "closed_at": None,
        "resolution": "",
        "notified_at": None,
    }
    connection.execute(sa.delete(incidents).where(incidents.c.id == action.incident))
    connection.execute(sa.insert(incidents), values)
    return True


def close_incident(connection: Connection, action: CloseIncident, now: datetime) -> bool:
    """Say that the trouble is over; False where it is closed. Raises `NotFound`."""
    advisory_lock(connection, "incidents")
    row = _row(connection, action.incident)
    if row is None:
        raise NotFound("incident", action.incident)
    if row.status == CLOSED:
        return False
    change = sa.update(incidents).where(incidents.c.id == action.incident)
    values = {"status": CLOSED, "closed_at": to_db_time(now), "resolution": action.reason}
    connection.execute(change.values(values))
    return True


def close_by_person(
    connection: Connection, action: CloseIncident, *, by: str, now: datetime
) -> None:
    """Close it for a person, audited; closing it again changes nothing. Raises `NotFound`."""
    if close_incident(connection, action, now):
        subject = f"close_incident/{action.incident}/{to_db_time(now)}"
        said = {"type": "close_incident", "incident": action.incident}
        row = control_row(subject, said, actor=by, reason=action.reason or "closed", now=now)
        audit.append(connection, [row])


def incident(connection: Connection, name: str) -> Incident:
    """Return one incident, or raise `NotFound`."""
    row = _row(connection, name)
    if row is None:
        raise NotFound("incident", name)
    return _to_incident(row)


def list_incidents(connection: Connection, status: str | None, limit: int) -> Sequence[Incident]:
    """Return incidents of this status (all when None), newest first."""
    query = sa.select(incidents).order_by(incidents.c.opened_at.desc(), incidents.c.id)
    if status is not None:
        query = query.where(incidents.c.status == status)
    return [_to_incident(row) for row in connection.execute(query.limit(limit))]


def unnotified(connection: Connection) -> Sequence[Incident]:
    """Return open incidents that were not reported yet, oldest first."""
    query = (
        sa.select(incidents)
        .where(incidents.c.notified_at.is_(None), incidents.c.status == OPEN)
        .order_by(incidents.c.opened_at, incidents.c.id)
    )
    return [_to_incident(row) for row in connection.execute(query)]


def mark_notified(connection: Connection, name: str, now: datetime) -> None:
    """Record that the incident was reported."""
    change = sa.update(incidents).where(incidents.c.id == name)
    connection.execute(change.values(notified_at=to_db_time(now)))


def _row(connection: Connection, name: str) -> AnyRow | None:
    return connection.execute(sa.select(incidents).where(incidents.c.id == name)).one_or_none()


def _to_incident(row: AnyRow) -> Incident:
    return Incident(
        id=row.id,
        title=row.title,
        status=row.status,
        cause=row.cause,
        observed=row.observed,
        expected=row.expected,
        plan=tuple(json.loads(row.plan)),
        opened_at=from_db_time(row.opened_at),
        closed_at=from_db_time(row.closed_at) if row.closed_at else None,
        resolution=row.resolution,
    )
