"""The registry of services: what is wanted of each, and what was last seen of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, from_db_time, reading, to_db_time, writing
from storecrew.domain import codec
from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ProcessId,
    ServiceExists,
    ServiceHealth,
    ServiceNotManaged,
    ServiceOrigin,
    ServiceRecord,
    ServiceSpec,
    ServiceStatus,
    view_of,
)
from storecrew.domain.errors import NotFound
from storecrew.journal import audit
from storecrew.journal.rows import AnyRow, advisory_lock, dump
from storecrew.journal.schema.journal import key_values
from storecrew.journal.schema.services import processes, services

FILES = "storecrew:services_dir"
"""Who registers what stands in files."""
_LEASE = "supervisor"
"""Name of the control that tells which process supervises."""


@dataclass(frozen=True, kw_only=True)
class SupervisorLease:
    """Which process supervises, on which machine, and where it answers."""

    process: ProcessId
    host: str
    address: str


_ALL = (
    sa.select(
        services,
        processes.c.status,
        processes.c.since,
        processes.c.pid,
        processes.c.start_ticks,
        processes.c.boot_id,
        processes.c.restarts,
        processes.c.exit_code,
        processes.c.health,
        processes.c.health_at,
        processes.c.adopted,
        processes.c.detail,
        processes.c.cpu_limit,
        processes.c.revision.label("acted_on"),
    )
    .outerjoin(processes, processes.c.service == services.c.id)
    .order_by(services.c.id)
)
_NEWEST = sa.select(sa.func.coalesce(sa.func.max(services.c.revision), 0))


def _entries(connection: Connection) -> list[ServiceRecord]:
    """Return every service with what was last recorded of it, by id."""
    return [_to_entry(row) for row in connection.execute(_ALL)]


def down(connection: Connection) -> list[str]:
    """Return the services that should run and do not, as last recorded."""
    views = [view_of(one, one.observed, supervised=True) for one in _entries(connection)]
    return [view.id for view in views if view.is_down]


def _entry(connection: Connection, service: str) -> ServiceRecord:
    """Return one service, or raise `NotFound`."""
    row = connection.execute(_ALL.where(services.c.id == service)).one_or_none()
    if row is None:
        raise NotFound("service", service)
    return _to_entry(row)


def _revision(connection: Connection) -> int:
    """Return the registry's revision, which grows with each change of desired state."""
    return int(connection.execute(_NEWEST).scalar_one())


def _to_entry(row: AnyRow) -> ServiceRecord:
    return ServiceRecord(
        spec=codec.decode(ServiceSpec, json.loads(row.body)),
        origin=ServiceOrigin(row.origin),
        registered_at=from_db_time(row.registered_at),
        desired=DesiredState(row.desired),
        generation=row.generation,
        revision=row.revision,
        observed=_to_observed(row) if row.status else None,
    )


def _to_observed(row: AnyRow) -> ObservedState:
    process = (
        None
        if row.pid is None
        else ProcessId(pid=row.pid, start_ticks=row.start_ticks, boot_id=row.boot_id)
    )
    return ObservedState(
        service=row.id,
        status=ServiceStatus(row.status),
        since=from_db_time(row.since),
        process=process,
        restarts=row.restarts,
        exit_code=row.exit_code,
        health=ServiceHealth(row.health),
        health_at=from_db_time(row.health_at) if row.health_at else None,
        adopted=row.adopted,
        detail=row.detail,
        cpu_limit=row.cpu_limit,
        revision=row.acted_on,
    )


def _register(
    connection: Connection, spec: ServiceSpec, origin: ServiceOrigin, *, by: str, now: datetime
) -> ServiceRecord:
    """Take in a new service; raises `ServiceExists`."""
    advisory_lock(connection, "services")
    known = sa.select(services.c.id).where(services.c.id == spec.id)
    if connection.execute(known).scalar() is not None:
        raise ServiceExists(spec.id)
    connection.execute(sa.insert(services), _new_row(connection, spec, origin, now))
    _audit(connection, "register", spec, by=by, now=now)
    return _entry(connection, spec.id)


def _announce(connection: Connection, spec: ServiceSpec, *, by: str, now: datetime) -> bool:
    """Take in a service that runs already, or where it has moved to; True where it is new."""
    advisory_lock(connection, "services")
    row = connection.execute(_ALL.where(services.c.id == spec.id)).one_or_none()
    if row is None:
        connection.execute(sa.insert(services), _new_row(connection, spec, ServiceOrigin.SDK, now))
        _audit(connection, "announce", spec, by=by, now=now)
        return True
    known = _to_entry(row)
    if known.origin is ServiceOrigin.SDK and known.spec != spec:
        revision = _revision(connection) + 1
        change = sa.update(services).where(services.c.id == spec.id)
        connection.execute(change.values(body=dump(spec), revision=revision))
        _audit(connection, "announce", spec, by=by, now=now)
    return False


def _new_row(
    connection: Connection, spec: ServiceSpec, origin: ServiceOrigin, now: datetime
) -> dict[str, Any]:
    return {
        "id": spec.id,
        "body": dump(spec),
        "origin": origin.value,
        "registered_at": to_db_time(now),
        "desired": _at_first(spec, origin).value,
        "generation": 0,
        "revision": _revision(connection) + 1,
    }


def _at_first(spec: ServiceSpec, origin: ServiceOrigin) -> DesiredState:
    return (
        DesiredState.RUNNING
        if spec.auto_start and origin is not ServiceOrigin.SDK
        else DesiredState.STOPPED
    )


def _keep_files(
    connection: Connection, specs: Sequence[ServiceSpec], *, now: datetime
) -> list[ServiceRecord]:
    """Take in what the files describe, over what was known; return those that are gone.

    Those whose file was taken away are forgotten; another origin's service keeps its id,
    and a file that claims it raises `ServiceExists`.
    """
    advisory_lock(connection, "services")
    known = {entry.spec.id: entry for entry in _entries(connection)}
    for spec in specs:
        old = known.get(spec.id)
        if old is None:
            connection.execute(
                sa.insert(services), _new_row(connection, spec, ServiceOrigin.YAML, now)
            )
            _audit(connection, "register", spec, by=FILES, now=now)
        elif old.origin is not ServiceOrigin.YAML:
            raise ServiceExists(spec.id)
        elif old.spec != spec:
            change = sa.update(services).where(services.c.id == spec.id)
            connection.execute(change.values(body=dump(spec)))
            _audit(connection, "change", spec, by=FILES, now=now)
    here = {spec.id for spec in specs}
    gone = [e for e in known.values() if e.origin is ServiceOrigin.YAML and e.spec.id not in here]
    for entry in gone:
        connection.execute(sa.delete(services).where(services.c.id == entry.spec.id))
        connection.execute(sa.delete(processes).where(processes.c.service == entry.spec.id))
        _audit(connection, "forget", entry.spec, by=FILES, now=now)
    return gone


def restart(connection: Connection, service: str, *, by: str, now: datetime) -> ServiceRecord:
    """Record that a service shall be stopped and started once; return how it was before.

    Raises `NotFound` or `ServiceNotManaged`.
    """
    before = _entry(connection, service)
    _request(connection, service, DesiredState.RUNNING, restart=True, by=by, now=now)
    return before


def _request(
    connection: Connection,
    service: str,
    desired: DesiredState,
    *,
    restart: bool = False,
    by: str,
    now: datetime,
) -> ServiceRecord:
    """Record the desired state; raises `NotFound` or `ServiceNotManaged`."""
    advisory_lock(connection, "services")
    entry = _entry(connection, service)
    if entry.origin is ServiceOrigin.SDK:
        raise ServiceNotManaged(service)
    change = sa.update(services).where(services.c.id == service)
    connection.execute(
        change.values(
            desired=desired.value,
            generation=entry.generation + restart,
            revision=_revision(connection) + 1,
        )
    )
    verb = "start" if desired is DesiredState.RUNNING else "stop"
    _audit(connection, "restart" if restart else verb, entry.spec, by=by, now=now)
    return _entry(connection, service)


def _record(connection: Connection, rows: Sequence[ObservedState]) -> None:
    """Keep what was seen; services that are gone are left out."""
    known = set(connection.execute(sa.select(services.c.id)).scalars())
    kept = [_process_row(seen) for seen in rows if seen.service in known]
    if kept:
        names = [row["service"] for row in kept]
        connection.execute(sa.delete(processes).where(processes.c.service.in_(names)))
        connection.execute(sa.insert(processes), kept)


def _process_row(seen: ObservedState) -> dict[str, Any]:
    process = seen.process
    return {
        "service": seen.service,
        "status": seen.status.value,
        "since": to_db_time(seen.since),
        "pid": process.pid if process else None,
        "start_ticks": process.start_ticks if process else None,
        "boot_id": process.boot_id if process else None,
        "restarts": seen.restarts,
        "exit_code": seen.exit_code,
        "health": seen.health.value,
        "health_at": to_db_time(seen.health_at) if seen.health_at else None,
        "adopted": seen.adopted,
        "detail": seen.detail,
        "cpu_limit": seen.cpu_limit,
        "revision": seen.revision,
    }


def _acquire_lease(connection: Connection, charge: SupervisorLease) -> bool:
    """Note who supervises from now on; True after an end in order.

    After one, each service is wanted as its `auto_start` says; after a crash as somebody
    last said.
    """
    advisory_lock(connection, "services")
    in_order = _lease(connection) is None
    connection.execute(sa.delete(key_values).where(key_values.c.name == _LEASE))
    connection.execute(sa.insert(key_values), {"name": _LEASE, "value": dump(charge)})
    if in_order:
        for entry in _entries(connection):
            change = sa.update(services).where(services.c.id == entry.spec.id)
            connection.execute(change.values(desired=_at_first(entry.spec, entry.origin).value))
    return in_order


def _lease(connection: Connection) -> SupervisorLease | None:
    """Return who supervises, or did when it was killed."""
    query = sa.select(key_values.c.value).where(key_values.c.name == _LEASE)
    value = connection.execute(query).scalar()
    return None if value is None else codec.decode(SupervisorLease, json.loads(value))


def _audit(connection: Connection, verb: str, spec: ServiceSpec, *, by: str, now: datetime) -> None:
    """Append a service's change to the audit, without the values of its environment."""
    advisory_lock(connection, "audit")
    action: dict[str, Any] = {"type": f"{verb}_service", "service": spec.id}
    if verb in ("register", "change"):
        action["executable"] = spec.executable
    row = {
        "at": to_db_time(now),
        "kind": "service",
        "subject": f"{verb}/{spec.id}/{audit.position(connection) + 1}",
        "actor": by,
        "action": dump(action),
        "result": "recorded",
        "reason": f"{verb} service",
        "before": "{}",
        "after": "{}",
        "policy_version": "",
        "approved_by": "",
    }
    audit.append(connection, [row])


@dataclass(frozen=True)
class SqlServiceRegistry:
    """The registry in the journal's database. What a method returned survives a crash."""

    database: Database

    entries = reading(_entries)
    entry = reading(_entry)
    revision = reading(_revision)
    register = writing(_register)
    announce = writing(_announce)
    keep_files = writing(_keep_files)
    request = writing(_request)
    record = writing(_record)
    acquire_lease = writing(_acquire_lease)
    lease = reading(_lease)

    async def release_lease(self) -> None:
        """Release the supervisor's lease."""
        await self.database.write(
            lambda c: c.execute(sa.delete(key_values).where(key_values.c.name == _LEASE)) and None
        )
