"""Runs: how each ends, and the look at all that waits."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import from_db_time, to_db_time
from storecrew.domain.control.agents import Suspension, Worker
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.runs import Run, RunFailed, RunStatus
from storecrew.domain.errors import NotFound
from storecrew.domain.ports.journal import RunFailure, SchedulerSnapshot
from storecrew.journal import audit, health, updates
from storecrew.journal.events import cursor, publish
from storecrew.journal.rows import control_row, to_event, to_run
from storecrew.journal.schema.agents import agent_suspensions, heartbeats, workers
from storecrew.journal.schema.journal import approvals, event_deliveries, events, key_values, runs

_ALL_PAUSED = sa.exists().where(key_values.c.name == "paused", key_values.c.value == "true")
_AGENT_PAUSED = sa.exists().where(
    agent_suspensions.c.agent == runs.c.agent, agent_suspensions.c.why == Suspension.PAUSED
)
_RUN = sa.select(runs, sa.or_(_ALL_PAUSED, _AGENT_PAUSED).label("stands")).where(
    runs.c.id == sa.bindparam("id")
)
_RUN_EVENTS = (
    sa.select(events)
    .join(event_deliveries, event_deliveries.c.event_seq == events.c.seq)
    .where(event_deliveries.c.run_id == sa.bindparam("id"))
    .order_by(events.c.seq)
)


def load(connection: Connection, run_id: str) -> Run:
    """Return the run with its events, or raise `NotFound`."""
    return load_for_execution(connection, run_id)[0]


def load_for_execution(connection: Connection, run_id: str) -> tuple[Run, bool]:
    """Return the run with its events, and whether it has to stand still, or raise `NotFound`."""
    row = connection.execute(_RUN, {"id": run_id}).one_or_none()
    if row is None:
        raise NotFound("run", run_id)
    found = [to_event(event) for event in connection.execute(_RUN_EVENTS, {"id": run_id})]
    return to_run(row, found), bool(row.stands)


_FINISH = (
    sa.update(runs)
    .where(runs.c.id == sa.bindparam("b_id"))
    .values(
        status=RunStatus.DONE,
        finished_at=sa.bindparam("b_at"),
        error="",
        not_before=None,
        proposals=sa.func.coalesce(runs.c.proposals, 0),
        tokens=runs.c.tokens + sa.bindparam("b_tokens"),
    )
)


_RECOVERED = (
    sa.update(heartbeats)
    .where(heartbeats.c.failures > 0)
    .where(
        heartbeats.c.agent
        == sa.select(runs.c.agent).where(runs.c.id == sa.bindparam("b_id")).scalar_subquery()
    )
    .values(failures=0, error="")
)


def finish(
    connection: Connection, run_id: str, now: datetime, *, tokens: int = 0, recovers: bool = True
) -> None:
    """Record that the run came to its end, so its agent is well if it was not.

    A run that ends without having filed anything counts as having proposed nothing.
    """
    connection.execute(_FINISH, {"b_id": run_id, "b_at": to_db_time(now), "b_tokens": tokens})
    if recovers:
        connection.execute(_RECOVERED, {"b_id": run_id})


def fail(connection: Connection, failure: RunFailure) -> RunStatus:
    """Record a failure: to be retried, else split into its events, else parked as failed.

    Only a run that had not proposed yet is split: what was filed is always settled by its run.
    An attempt that was taken over from, or a run that has ended, is left as it is.
    """
    of_run = runs.c.id == failure.run
    state = sa.select(runs.c.status, runs.c.attempt, runs.c.proposals).where(of_run)
    run = connection.execute(state).one()
    if run.attempt != failure.attempt or run.status != RunStatus.RUNNING:
        return RunStatus(run.status)
    status = _after(connection, failure, proposed=run.proposals is not None)
    changes: dict[str, object] = {"status": status, "error": failure.error}
    if failure.retry_at is not None:
        changes |= {"not_before": to_db_time(failure.retry_at), "attempt": failure.attempt + 1}
    else:
        changes["finished_at"] = to_db_time(failure.now)
    changes["tokens"] = runs.c.tokens + failure.tokens
    connection.execute(sa.update(runs).where(of_run).values(changes))
    if status is RunStatus.RETRYING_INDIVIDUALLY:
        of_wakes = event_deliveries.c.run_id == failure.run
        connection.execute(
            sa.update(event_deliveries).where(of_wakes).values(run_id=None, alone=True)
        )
    if failure.agent:
        health.note_failure(connection, failure, escalate=status is RunStatus.FAILED)
    if failure.hung:
        _audit_cancelled(connection, failure)
    if status is RunStatus.FAILED and failure.agent:
        _publish_failed(connection, failure)
    return status


def _publish_failed(connection: Connection, failure: RunFailure) -> None:
    """Tell of a run that failed for good, but not those who failed while hearing of such."""
    event = RunFailed(agent=failure.agent, run=failure.run, reason=failure.error)
    if failure.agent in failure.subscribers_of(event):
        return
    item = EventEnvelope(
        source="orchestrator", external_id=f"failed/{failure.run}", event=event, at=failure.now
    )
    updates.publish_event_updates(
        connection, [item], publish(connection, [item], failure.subscribers_of)
    )


def _after(connection: Connection, failure: RunFailure, *, proposed: bool) -> RunStatus:
    """Return what becomes of the run."""
    if failure.retry_at is not None:
        return RunStatus.RETRYING
    woken_by = event_deliveries.c.run_id == failure.run
    count = connection.execute(sa.select(sa.func.count()).where(woken_by)).scalar_one()
    return RunStatus.RETRYING_INDIVIDUALLY if count > 1 and not proposed else RunStatus.FAILED


def _audit_cancelled(connection: Connection, failure: RunFailure) -> None:
    subject = f"cancel/{failure.run}#{failure.attempt}"
    action = {"type": "cancel_run", "run": failure.run, "attempt": failure.attempt}
    row = control_row(subject, action, actor="system", reason=failure.error, now=failure.now)
    audit.append(connection, [row])


_RUNNING = (
    sa.select(runs.c.id, runs.c.attempt, runs.c.worker)
    .where(runs.c.status == RunStatus.RUNNING)
    .where(runs.c.worker.in_([sa.bindparam("worker"), ""]))
    .order_by(runs.c.created_at, runs.c.id)
)
_PAUSED_AGENTS = sa.select(agent_suspensions.c.agent).where(
    agent_suspensions.c.why == Suspension.PAUSED
)
_NEXT_RETRY = sa.select(sa.func.min(runs.c.not_before)).where(
    runs.c.status == RunStatus.RETRYING, runs.c.agent.not_in(_PAUSED_AGENTS)
)
_NEXT_EXPIRY = sa.select(sa.func.min(approvals.c.expires_at)).where(
    approvals.c.status == ApprovalStatus.WAITING
)
_NEWEST = sa.select(sa.func.max(events.c.seq))
_ANY_WAITING = (
    sa.select(event_deliveries.c.event_seq).where(event_deliveries.c.run_id.is_(None)).limit(1)
)


_HALTED = sa.select(agent_suspensions.c.agent).where(
    sa.or_(
        agent_suspensions.c.why == Suspension.PAUSED, agent_suspensions.c.day == sa.bindparam("day")
    )
)
_SWITCHES = sa.select(key_values.c.name, key_values.c.value).where(
    key_values.c.name.in_(["paused", "crew"])
)


def snapshot(
    connection: Connection, source: str, now: datetime, *, worker: str = "", day: str = ""
) -> SchedulerSnapshot:
    """Look at all that a sweep may have to act on."""
    retry = connection.execute(_NEXT_RETRY).scalar()
    expiry = connection.execute(_NEXT_EXPIRY).scalar()
    switches = {row.name: row.value for row in connection.execute(_SWITCHES)}
    running = list(connection.execute(_RUNNING, {"worker": worker}))
    return SchedulerSnapshot(
        paused=switches.get("paused") == "true",
        cursor=cursor(connection, source),
        waiting=connection.execute(_ANY_WAITING).scalar() is not None,
        retries_due=retry is not None and retry <= to_db_time(now),
        next_expiry=from_db_time(expiry) if expiry else None,
        running=tuple((row.id, row.attempt) for row in running if row.worker == worker),
        next_retry=from_db_time(retry) if retry else None,
        unclaimed=any(row.worker != worker for row in running),
        crew=switches.get("crew", ""),
        suspended=frozenset(connection.execute(_HALTED, {"day": day}).scalars()),
        newest=connection.execute(_NEWEST).scalar() or 0,
    )


_REVIVE = (
    sa.update(runs)
    .where(runs.c.status == RunStatus.RETRYING, runs.c.not_before <= sa.bindparam("b_now"))
    .where(runs.c.agent.not_in(_PAUSED_AGENTS))
    .values(status=RunStatus.RUNNING, not_before=None, worker="")
)


def requeue_due_retries(connection: Connection, now: datetime) -> int:
    """Let runs whose pause is over go on; return how many."""
    return connection.execute(_REVIVE, {"b_now": to_db_time(now)}).rowcount


def reclaim_runs(connection: Connection) -> int:
    """Begin a new attempt of each run under way; return how many."""
    _count_budgets_anew(connection)
    under_way = sa.update(runs).where(runs.c.status == RunStatus.RUNNING)
    return connection.execute(under_way.values(attempt=runs.c.attempt + 1, worker="")).rowcount


def _count_budgets_anew(connection: Connection) -> None:
    """Let who starts find out again which budgets are spent: they may have been raised."""
    connection.execute(
        sa.delete(agent_suspensions).where(agent_suspensions.c.why == Suspension.SPENT)
    )


_FORGOTTEN_AFTER = timedelta(days=1)


def reclaim_expired(connection: Connection, lease: timedelta) -> int:
    """Free the runs of workers that did not beat for so long, each as a new attempt.

    Workers of which nothing was heard for a day are forgotten.
    """
    yesterday = _clock(connection) - _FORGOTTEN_AFTER.total_seconds()
    connection.execute(sa.delete(workers).where(workers.c.beat_at < yesterday))
    living = sa.select(workers.c.id).where(
        workers.c.beat_at > _clock(connection) - lease.total_seconds()
    )
    lost = (
        sa.update(runs)
        .where(runs.c.status == RunStatus.RUNNING, runs.c.worker != "")
        .where(runs.c.worker.not_in(living))
    )
    return connection.execute(lost.values(attempt=runs.c.attempt + 1, worker="")).rowcount


def renew_lease(connection: Connection, worker: Worker) -> None:
    """Let a worker's lease begin anew, by the database's clock; a new one is written down."""
    now = _clock(connection)
    beat = sa.update(workers).where(workers.c.id == worker.id).values(beat_at=now)
    if connection.execute(beat).rowcount:
        return
    _count_budgets_anew(connection)
    row = {"id": worker.id, "host": worker.host, "pid": worker.pid}
    row["started_at"] = to_db_time(worker.started_at)
    connection.execute(sa.insert(workers).values(**row, beat_at=now))


def release_lease(connection: Connection, worker: str) -> None:
    """End a worker's lease."""
    connection.execute(sa.delete(workers).where(workers.c.id == worker))


def working(connection: Connection) -> list[Worker]:
    """Return the workers that are written down, the newest first."""
    age = (_clock(connection) - workers.c.beat_at).label("age")
    query = sa.select(workers, age).order_by(workers.c.started_at.desc())
    return [
        Worker(
            id=row.id,
            host=row.host,
            pid=row.pid,
            started_at=from_db_time(row.started_at),
            beat_seconds=max(0.0, float(row.age)),
        )
        for row in connection.execute(query)
    ]


def _clock(connection: Connection) -> "sa.ColumnElement[float]":
    """Return the database's own time in seconds: leases of many machines need one clock."""
    if connection.dialect.name == "postgresql":
        now = sa.func.extract("epoch", sa.func.clock_timestamp())
        return sa.cast(now, sa.Double)
    return sa.literal_column("(julianday('now') - 2440587.5) * 86400.0", sa.Double)


_THIS_PAUSED = sa.exists().where(
    agent_suspensions.c.agent == sa.bindparam("agent"), agent_suspensions.c.why == Suspension.PAUSED
)
_STANDS = sa.select(sa.or_(_ALL_PAUSED, _THIS_PAUSED))


def paused(connection: Connection, agent: str = "") -> bool:
    """Return whether the crew, or this agent, is paused."""
    return bool(connection.execute(_STANDS, {"agent": agent}).scalar_one())
