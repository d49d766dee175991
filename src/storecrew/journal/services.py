"""The registry of services: what is wanted of each, and what was last seen of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import Database, moment, stamp
from storecrew.domain import codec
from storecrew.domain.errors import NotFound
from storecrew.domain.services import (
    Entry,
    IdTaken,
    NotOurs,
    Observed,
    Origin,
    ProcessId,
    ServiceHealth,
    ServiceSpec,
    ServiceStatus,
    Wanted,
)
from storecrew.journal import audit
from storecrew.journal.rows import AnyRow, dump, take_turns
from storecrew.journal.service_tables import processes, services
from storecrew.journal.tables import controls

FILES = "storecrew:services_dir"
"""Who registers what stands in files."""
_CHARGE = "supervisor"
"""Name of the control that tells which process supervises."""


@dataclass(frozen=True, kw_only=True)
class Charge:
    """Which process supervises, on which machine, and where it answers."""

    process: ProcessId
    host: str
    address: str


@dataclass(frozen=True)
class SqlServices:
    """The registry in the journal's database. What a method returned survives a crash."""

    database: Database

    async def entries(self) -> Sequence[Entry]:
        """Return every service with what was last recorded of it, by id."""
        return await self.database.read(_entries)

    async def entry(self, service: str) -> Entry:
        """Return one service, or raise `NotFound`."""
        return await self.database.read(lambda c: _entry(c, service))

    async def revision(self) -> int:
        """Return a number that grows with each wish and registration."""
        return await self.database.read(_revision)

    async def register(self, spec: ServiceSpec, origin: Origin, *, by: str, now: datetime) -> Entry:
        """Take in a new service; raises `IdTaken`."""
        work = partial(_register, spec=spec, origin=origin, by=by, now=now)
        return await self.database.write(work)

    async def announce(self, spec: ServiceSpec, *, by: str, now: datetime) -> bool:
        """Take in a service that runs already, or where it has moved to; True where it is new."""
        return await self.database.write(lambda c: _announce(c, spec, by, now))

    async def keep_files(self, specs: Sequence[ServiceSpec], *, now: datetime) -> Sequence[Entry]:
        """Take in what the files describe, over what was known; return those that are gone.

        Those whose file was taken away are forgotten; another origin's service keeps its id,
        and a file that claims it raises `IdTaken`.
        """
        return await self.database.write(lambda c: _keep_files(c, specs, now))

    async def wish(
        self, service: str, wanted: Wanted, *, restart: bool = False, by: str, now: datetime
    ) -> Entry:
        """Record what somebody wants; raises `NotFound` or `NotOurs`."""
        work = partial(_wish, service=service, wanted=wanted, restart=restart, by=by, now=now)
        return await self.database.write(work)

    async def record(self, rows: Sequence[Observed]) -> None:
        """Keep what was seen; services that are gone are left out."""
        await self.database.write(lambda c: _record(c, rows))

    async def take_charge(self, charge: Charge) -> bool:
        """Note who supervises from now on; True after an end in order.

        After one, each service is wanted as its `auto_start` says; after a crash as somebody
        last said.
        """
        return await self.database.write(lambda c: _take_charge(c, charge))

    async def charge(self) -> Charge | None:
        """Return who supervises, or did when it was killed."""
        return await self.database.read(_charge)

    async def leave_charge(self) -> None:
        """Note that nobody supervises any more."""
        await self.database.write(
            lambda c: c.execute(sa.delete(controls).where(controls.c.name == _CHARGE)) and None
        )


_ALL = (
    sa.select(
        services,
        processes.c.status,
        processes.c.since,
        processes.c.pid,
        processes.c.born,
        processes.c.boot,
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


def _entries(connection: Connection) -> list[Entry]:
    return [_to_entry(row) for row in connection.execute(_ALL)]


def _entry(connection: Connection, service: str) -> Entry:
    row = connection.execute(_ALL.where(services.c.id == service)).one_or_none()
    if row is None:
        raise NotFound("service", service)
    return _to_entry(row)


def _revision(connection: Connection) -> int:
    return int(connection.execute(_NEWEST).scalar_one())


def _to_entry(row: AnyRow) -> Entry:
    return Entry(
        spec=codec.decode(ServiceSpec, json.loads(row.body)),
        origin=Origin(row.origin),
        registered_at=moment(row.registered_at),
        wanted=Wanted(row.wanted),
        generation=row.generation,
        revision=row.revision,
        observed=_to_observed(row) if row.status else None,
    )


def _to_observed(row: AnyRow) -> Observed:
    process = None if row.pid is None else ProcessId(pid=row.pid, born=row.born, boot=row.boot)
    return Observed(
        service=row.id,
        status=ServiceStatus(row.status),
        since=moment(row.since),
        process=process,
        restarts=row.restarts,
        exit_code=row.exit_code,
        health=ServiceHealth(row.health),
        health_at=moment(row.health_at) if row.health_at else None,
        adopted=row.adopted,
        detail=row.detail,
        cpu_limit=row.cpu_limit,
        revision=row.acted_on,
    )


def _register(
    connection: Connection, spec: ServiceSpec, origin: Origin, *, by: str, now: datetime
) -> Entry:
    take_turns(connection, "services")
    known = sa.select(services.c.id).where(services.c.id == spec.id)
    if connection.execute(known).scalar() is not None:
        raise IdTaken(spec.id)
    connection.execute(sa.insert(services), _new_row(connection, spec, origin, now))
    _audit(connection, "register", spec, by=by, now=now)
    return _entry(connection, spec.id)


def _announce(connection: Connection, spec: ServiceSpec, by: str, now: datetime) -> bool:
    take_turns(connection, "services")
    row = connection.execute(_ALL.where(services.c.id == spec.id)).one_or_none()
    if row is None:
        connection.execute(sa.insert(services), _new_row(connection, spec, Origin.SDK, now))
        _audit(connection, "announce", spec, by=by, now=now)
        return True
    known = _to_entry(row)
    if known.origin is Origin.SDK and known.spec != spec:
        revision = _revision(connection) + 1
        change = sa.update(services).where(services.c.id == spec.id)
        connection.execute(change.values(body=dump(spec), revision=revision))
        _audit(connection, "announce", spec, by=by, now=now)
    return False


def _new_row(
    connection: Connection, spec: ServiceSpec, origin: Origin, now: datetime
) -> dict[str, Any]:
    return {
        "id": spec.id,
        "body": dump(spec),
        "origin": origin.value,
        "registered_at": stamp(now),
        "wanted": _at_first(spec, origin).value,
        "generation": 0,
        "revision": _revision(connection) + 1,
    }


def _at_first(spec: ServiceSpec, origin: Origin) -> Wanted:
    return Wanted.RUNNING if spec.auto_start and origin is not Origin.SDK else Wanted.STOPPED


def _keep_files(connection: Connection, specs: Sequence[ServiceSpec], now: datetime) -> list[Entry]:
    take_turns(connection, "services")
    known = {entry.spec.id: entry for entry in _entries(connection)}
    for spec in specs:
        old = known.get(spec.id)
        if old is None:
            connection.execute(sa.insert(services), _new_row(connection, spec, Origin.YAML, now))
            _audit(connection, "register", spec, by=FILES, now=now)
        elif old.origin is not Origin.YAML:
            raise IdTaken(spec.id)
        elif old.spec != spec:
            change = sa.update(services).where(services.c.id == spec.id)
            connection.execute(change.values(body=dump(spec)))
            _audit(connection, "change", spec, by=FILES, now=now)
    here = {spec.id for spec in specs}
    gone = [e for e in known.values() if e.origin is Origin.YAML and e.spec.id not in here]
    for entry in gone:
        connection.execute(sa.delete(services).where(services.c.id == entry.spec.id))
        connection.execute(sa.delete(processes).where(processes.c.service == entry.spec.id))
        _audit(connection, "forget", entry.spec, by=FILES, now=now)
    return gone


def restart(connection: Connection, service: str, *, by: str, now: datetime) -> Entry:
    """Record that a service shall be stopped and started once; return how it was before.

    Raises `NotFound` or `NotOurs`.
    """
    before = _entry(connection, service)
    _wish(connection, service, Wanted.RUNNING, restart=True, by=by, now=now)
    return before


def _wish(
    connection: Connection,
    service: str,
    wanted: Wanted,
    *,
    restart: bool,
    by: str,
    now: datetime,
) -> Entry:
    take_turns(connection, "services")
    entry = _entry(connection, service)
    if entry.origin is Origin.SDK:
        raise NotOurs(service)
    change = sa.update(services).where(services.c.id == service)
    connection.execute(
        change.values(
            wanted=wanted.value,
            generation=entry.generation + restart,
            revision=_revision(connection) + 1,
        )
    )
    verb = "start" if wanted is Wanted.RUNNING else "stop"
    _audit(connection, "restart" if restart else verb, entry.spec, by=by, now=now)
    return _entry(connection, service)


def _record(connection: Connection, rows: Sequence[Observed]) -> None:
    known = set(connection.execute(sa.select(services.c.id)).scalars())
    kept = [_process_row(seen) for seen in rows if seen.service in known]
    if kept:
        names = [row["service"] for row in kept]
        connection.execute(sa.delete(processes).where(processes.c.service.in_(names)))
        connection.execute(sa.insert(processes), kept)


def _process_row(seen: Observed) -> dict[str, Any]:
    process = seen.process
    return {
        "service": seen.service,
        "status": seen.status.value,
        "since": stamp(seen.since),
        "pid": process.pid if process else None,
        "born": process.born if process else None,
        "boot": process.boot if process else None,
        "restarts": seen.restarts,
        "exit_code": seen.exit_code,
        "health": seen.health.value,
        "health_at": stamp(seen.health_at) if seen.health_at else None,
        "adopted": seen.adopted,
        "detail": seen.detail,
        "cpu_limit": seen.cpu_limit,
        "revision": seen.revision,
    }


def _take_charge(connection: Connection, charge: Charge) -> bool:
    take_turns(connection, "services")
    in_order = _charge(connection) is None
    connection.execute(sa.delete(controls).where(controls.c.name == _CHARGE))
    connection.execute(sa.insert(controls), {"name": _CHARGE, "value": dump(charge)})
    if in_order:
        for entry in _entries(connection):
            change = sa.update(services).where(services.c.id == entry.spec.id)
            connection.execute(change.values(wanted=_at_first(entry.spec, entry.origin).value))
    return in_order


def _charge(connection: Connection) -> Charge | None:
    query = sa.select(controls.c.value).where(controls.c.name == _CHARGE)
    value = connection.execute(query).scalar()
    return None if value is None else codec.decode(Charge, json.loads(value))


def _audit(connection: Connection, verb: str, spec: ServiceSpec, *, by: str, now: datetime) -> None:
    """Append what somebody did to a service; the values of its environment are left out."""
    take_turns(connection, "audit")
    action: dict[str, Any] = {"type": f"{verb}_service", "service": spec.id}
    if verb in ("register", "change"):
        action["executable"] = spec.executable
    row = {
        "at": stamp(now),
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
