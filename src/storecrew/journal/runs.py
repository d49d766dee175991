"""Runs: which pending wakes become one, and how each ends."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storecrew.database import moment, stamp
from storecrew.domain.errors import NotFound
from storecrew.domain.journal import Failure, Glance, Intake, Taken
from storecrew.domain.runs import ApprovalStatus, Run, RunStatus
from storecrew.journal.events import cursor
from storecrew.journal.rows import take_turns, to_event, to_run
from storecrew.journal.tables import approvals, controls, events, runs, wakes

ACTIVE = (RunStatus.RUNNING, RunStatus.RETRYING)


_ACTIVE_COUNTS = (
    sa.select(runs.c.agent, sa.func.count().label("runs"))
    .where(runs.c.status.in_(ACTIVE))
    .group_by(runs.c.agent)
)
_WAITING_AGENTS = sa.select(wakes.c.agent).where(wakes.c.run_id.is_(None)).distinct()
_BUSY = (
    sa.select(wakes.c.subject)
    .join(runs, runs.c.id == wakes.c.run_id)
    .where(runs.c.status.in_(ACTIVE), wakes.c.agent == sa.bindparam("agent"))
)
_PENDING = (
    sa.select(wakes, events.c.source, events.c.external_id)
    .join(events, events.c.seq == wakes.c.event_seq)
    .where(wakes.c.run_id.is_(None), wakes.c.agent == sa.bindparam("agent"))
    .where(sa.or_(wakes.c.subject == "", wakes.c.subject.not_in(_BUSY)))
    .order_by(wakes.c.event_seq)
    .limit(sa.bindparam("batch"))
)
_ASSIGN = (
    sa.update(wakes)
    .where(wakes.c.agent == sa.bindparam("b_agent"))
    .where(wakes.c.event_seq.in_(sa.bindparam("seqs", expanding=True)))
    .values(run_id=sa.bindparam("b_run"))
)


def take(connection: Connection, intakes: Sequence[Intake], now: datetime, room: int) -> Taken:
    """Turn pending wakes into at most `room` runs, in the order of the intakes.

    An agent never exceeds its concurrency, and events on a subject that it is still busy with
    wait, so that they are handled in order.
    """
    take_turns(connection, "runs")
    waiting = set(connection.execute(_WAITING_AGENTS).scalars())
    active = {row.agent: int(row.runs) for row in connection.execute(_ACTIVE_COUNTS)}
    begun: list[str] = []
    dues: list[datetime] = []
    for intake in intakes:
        if intake.agent not in waiting:
            continue
        free = min(intake.concurrency - active.get(intake.agent, 0), room - len(begun))
        for _ in range(free):
            batch = _next_batch(connection, intake)
            if not batch:
                break
            due = moment(batch[0].at) + intake.within
            if len(batch) < intake.batch and not batch[0].alone and due > now:
                dues.append(due)
                break
            begun.append(_begin(connection, intake.agent, batch, now))
    return Taken(runs=tuple(begun), next_due=min(dues, default=None))


def _next_batch(connection: Connection, intake: Intake) -> "list[Row[tuple[object, ...]]]":
    parameters = {"agent": intake.agent, "batch": intake.batch}
    rows = list(connection.execute(_PENDING, parameters))
    if rows and rows[0].alone:
        return rows[:1]
    return [row for row in rows if not row.alone]


def _begin(
    connection: Connection,
    agent: str,
    batch: "list[Row[tuple[object, ...]]]",
    now: datetime,
) -> str:
    first = batch[0]
    name = first.external_id if first.source == "clock" else f"{agent}@{first.event_seq}"
    run_id = f"{name}~alone" if first.alone else name
    connection.execute(sa.insert(runs), new_run(run_id, agent, f"agent:{agent}", now))
    seqs = [row.event_seq for row in batch]
    connection.execute(_ASSIGN, {"b_agent": agent, "b_run": run_id, "seqs": seqs})
    return run_id


def new_run(run_id: str, agent: str, actor: str, now: datetime) -> dict[str, object]:
    """Return the row of a run that begins now."""
    return {
        "id": run_id,
        "agent": agent,
        "actor": actor,
        "status": RunStatus.RUNNING,
        "attempt": 1,
        "created_at": stamp(now),
        "error": "",
    }


_RUN = sa.select(runs).where(runs.c.id == sa.bindparam("id"))
_RUN_EVENTS = (
    sa.select(events)
    .join(wakes, wakes.c.event_seq == events.c.seq)
    .where(wakes.c.run_id == sa.bindparam("id"))
    .order_by(events.c.seq)
)


def load(connection: Connection, run_id: str) -> Run:
    """Return the run with its events, or raise `NotFound`."""
    row = connection.execute(_RUN, {"id": run_id}).one_or_none()
    if row is None:
        raise NotFound("run", run_id)
    return to_run(row, [to_event(e) for e in connection.execute(_RUN_EVENTS, {"id": run_id})])


_FINISH = (
    sa.update(runs)
    .where(runs.c.id == sa.bindparam("b_id"))
    .values(status=RunStatus.DONE, finished_at=sa.bindparam("b_at"), error="", not_before=None)
)


def finish(connection: Connection, run_id: str, now: datetime) -> None:
    """Record that the run came to its end."""
    connection.execute(_FINISH, {"b_id": run_id, "b_at": stamp(now)})


def fail(connection: Connection, failure: Failure) -> RunStatus:
    """Record a failure: to be retried, else split into its events, else parked as failed.

    Only a run that had not proposed yet is split: what was filed is always settled by its run.
    """
    of_run = runs.c.id == failure.run
    if failure.retry_at is not None:
        status, not_before = RunStatus.RETRYING, stamp(failure.retry_at)
        connection.execute(
            sa.update(runs)
            .where(of_run)
            .values(
                status=status,
                not_before=not_before,
                error=failure.error,
                attempt=runs.c.attempt + 1,
            )
        )
        return status
    woken_by = wakes.c.run_id == failure.run
    count = connection.execute(sa.select(sa.func.count()).where(woken_by)).scalar_one()
    proposed = connection.execute(sa.select(runs.c.proposals).where(of_run)).scalar_one()
    status = RunStatus.SPLIT if count > 1 and proposed is None else RunStatus.FAILED
    ended = {"status": status, "error": failure.error, "finished_at": stamp(failure.now)}
    connection.execute(sa.update(runs).where(of_run).values(ended))
    if status is RunStatus.SPLIT:
        connection.execute(sa.update(wakes).where(woken_by).values(run_id=None, alone=True))
    return status


_RUNNING = (
    sa.select(runs.c.id, runs.c.attempt)
    .where(runs.c.status == RunStatus.RUNNING)
    .order_by(runs.c.created_at, runs.c.id)
)
_NEXT_RETRY = sa.select(sa.func.min(runs.c.not_before)).where(runs.c.status == RunStatus.RETRYING)
_NEXT_EXPIRY = sa.select(sa.func.min(approvals.c.expires_at)).where(
    approvals.c.status == ApprovalStatus.WAITING
)
_ANY_WAITING = sa.select(wakes.c.event_seq).where(wakes.c.run_id.is_(None)).limit(1)


def glance(connection: Connection, source: str, now: datetime) -> Glance:
    """Look at all that a sweep may have to act on."""
    retry = connection.execute(_NEXT_RETRY).scalar()
    expiry = connection.execute(_NEXT_EXPIRY).scalar()
    return Glance(
        paused=paused(connection),
        cursor=cursor(connection, source),
        waiting=connection.execute(_ANY_WAITING).scalar() is not None,
        retries_due=retry is not None and retry <= stamp(now),
        next_expiry=moment(expiry) if expiry else None,
        running=tuple((row.id, row.attempt) for row in connection.execute(_RUNNING)),
        next_retry=moment(retry) if retry else None,
    )


_REVIVE = (
    sa.update(runs)
    .where(runs.c.status == RunStatus.RETRYING, runs.c.not_before <= sa.bindparam("b_now"))
    .values(status=RunStatus.RUNNING, not_before=None)
)


def revive(connection: Connection, now: datetime) -> int:
    """Let runs whose pause is over go on; return how many."""
    return connection.execute(_REVIVE, {"b_now": stamp(now)}).rowcount


def take_over(connection: Connection) -> int:
    """Begin a new attempt of each run under way; return how many."""
    under_way = sa.update(runs).where(runs.c.status == RunStatus.RUNNING)
    return connection.execute(under_way.values(attempt=runs.c.attempt + 1)).rowcount


_PAUSED = sa.select(controls.c.value).where(controls.c.name == "paused")


def paused(connection: Connection) -> bool:
    """Tell whether somebody stopped the crew."""
    return connection.execute(_PAUSED).scalar() == "true"
