"""Taking turns: which pending wakes become runs now, in whose hands, within which budgets."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from storecrew.database import BulkStatement, from_db_time, to_db_time
from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.ports.journal import ClaimResult, ClaimSpec
from storecrew.journal import budgets
from storecrew.journal.events import REQUESTS
from storecrew.journal.rows import advisory_lock
from storecrew.journal.schema.journal import event_deliveries, events, runs

ACTIVE = (RunStatus.RUNNING, RunStatus.RETRYING)

_Key = tuple[int, str, int, int, int]
"""Of an agent's turn: priority, since when it waits, round, oldest event, place among intakes."""
_Batch = Sequence["Row[tuple[object, ...]]"]
_StartedRun = tuple[str, _Batch]
"""A run's id and what it is about."""
_UNCLAIMED = event_deliveries.c.run_id.is_(None)
_ACTIVE_COUNTS = (
    sa.select(runs.c.agent, sa.func.count().label("runs"))
    .where(runs.c.status.in_(ACTIVE))
    .group_by(runs.c.agent)
)
_WAITING = (
    sa.select(event_deliveries.c.agent, sa.func.min(event_deliveries.c.event_seq).label("first"))
    .where(_UNCLAIMED)
    .group_by(event_deliveries.c.agent)
)
_LAST_TURN = sa.select(sa.func.max(runs.c.created_at)).where(
    runs.c.agent == event_deliveries.c.agent
)
_OLDEST_WAITING = (
    sa.select(
        event_deliveries.c.agent,
        event_deliveries.c.at,
        _LAST_TURN.scalar_subquery().label("last_turn"),
    )
    .where(event_deliveries.c.agent.in_(sa.bindparam("agents", expanding=True)))
    .where(event_deliveries.c.event_seq.in_(sa.bindparam("firsts", expanding=True)))
    .where(_UNCLAIMED)
    .order_by(event_deliveries.c.event_seq.desc())
)
_BUSY_SUBJECTS = (
    sa.select(event_deliveries.c.subject)
    .join(runs, runs.c.id == event_deliveries.c.run_id)
    .where(runs.c.status.in_(ACTIVE), event_deliveries.c.agent == sa.bindparam("agent"))
)
_PENDING = (
    sa.select(event_deliveries, events.c.source, events.c.external_id)
    .join(events, events.c.seq == event_deliveries.c.event_seq)
    .where(_UNCLAIMED, event_deliveries.c.agent == sa.bindparam("agent"))
    .where(
        sa.or_(event_deliveries.c.subject == "", event_deliveries.c.subject.not_in(_BUSY_SUBJECTS))
    )
    .order_by(event_deliveries.c.event_seq)
    .limit(sa.bindparam("batch"))
)
_PENDING_BY_HAND = _PENDING.where(events.c.source == REQUESTS)
_ASSIGN = (
    sa.update(event_deliveries)
    .where(event_deliveries.c.agent == sa.bindparam("b_agent"))
    .where(event_deliveries.c.event_seq.in_(sa.bindparam("seqs", expanding=True)))
    .values(run_id=sa.bindparam("b_run"))
)
_ASSIGN_ONE = BulkStatement(
    sa.update(event_deliveries)
    .where(
        event_deliveries.c.agent == sa.bindparam("b_agent"),
        event_deliveries.c.event_seq == sa.bindparam("b_seq"),
    )
    .values(run_id=sa.bindparam("b_run"))
)
_INSERT = BulkStatement(sa.insert(runs))
_AT_ONCE = 500
"""Names in one statement; databases bound how many values a statement may carry."""


@dataclass
class _Claiming:
    """One taking: the state of it, agent after agent."""

    connection: Connection
    now: datetime
    worker: str
    active: dict[str, int]
    started: list[str] = field(default_factory=list[str])
    unwritten: dict[str, _StartedRun] = field(default_factory=dict[str, _StartedRun])
    """Runs that begin, by agent; before an agent's next turn its last one is written."""
    dues: list[datetime] = field(default_factory=list[datetime])

    def begin_next(self, spec: ClaimSpec) -> bool:
        """Begin one run of the agent, if one is due and it may have another."""
        if self.active.get(spec.agent, 0) >= spec.concurrency:
            return False
        batch = _next_batch(self.connection, spec)
        if not batch:
            return False
        due = from_db_time(batch[0].at) + spec.batch_window
        is_asked = any(row.source == REQUESTS for row in batch)  # who asks is not kept waiting
        if len(batch) < spec.batch and not (batch[0].alone or is_asked) and due > self.now:
            self.dues.append(due)
            return False
        run_id = _name(spec.agent, batch[0])
        self.unwritten[spec.agent] = run_id, batch
        self.started.append(run_id)
        self.active[spec.agent] = self.active.get(spec.agent, 0) + 1
        return True

    def write(self) -> None:
        """Write the runs that begin, and which events they are about."""
        rows, single = [], []
        for agent, (run_id, batch) in self.unwritten.items():
            rows.append(new_run(run_id, agent, f"agent:{agent}", self.now, self.worker))
            if len(batch) == 1:
                seq = batch[0].event_seq
                single.append({"b_agent": agent, "b_run": run_id, "b_seq": seq})
            else:
                seqs = [row.event_seq for row in batch]
                about = {"b_agent": agent, "b_run": run_id, "seqs": seqs}
                self.connection.execute(_ASSIGN, about)
        _INSERT.execute(self.connection, rows)
        _ASSIGN_ONE.execute(self.connection, single)
        self.unwritten.clear()


def claim_runs(
    connection: Connection,
    specs: Sequence[ClaimSpec],
    now: datetime,
    room: int,
    worker: str,
    day: BusinessDay | None,
) -> ClaimResult:
    """Turn pending wakes into at most `room` runs.

    The highest priority comes first. Among equals an agent's turn comes by its oldest event, but
    not before those that waited when it had its last run: arrival decides, and nobody starves.
    An agent never exceeds its concurrency or its budget, and events on a subject that it is still
    busy with wait, so that they are handled in order.
    """
    advisory_lock(connection, "runs")
    claimed = _claim(connection, worker, room) if worker else ()
    active = {row.agent: int(row.runs) for row in connection.execute(_ACTIVE_COUNTS)}
    turns = _Claiming(connection, now, worker, active)
    specs = [i for i in specs if active.get(i.agent, 0) < i.concurrency]
    queue = _queue(connection, specs) if specs else []
    heapq.heapify(queue)
    rounds = 0
    room -= len(claimed)
    while queue and len(turns.started) < room:
        key = heapq.heappop(queue)
        spec = specs[key[-1]]
        if spec.agent in turns.unwritten:
            turns.write()
        if day is not None and budgets.is_spent(connection, spec, day, now):
            continue
        if turns.begin_next(spec):
            rounds += 1  # who had a turn stands behind all others of its priority
            heapq.heappush(queue, (key[0], to_db_time(now), rounds, *key[-2:]))
    turns.write()
    due = min(turns.dues, default=None)
    return ClaimResult(runs=tuple(turns.started), next_due=due, claimed=claimed)


def _queue(connection: Connection, specs: Sequence[ClaimSpec]) -> list[_Key]:
    """Return the keys of the agents for which something waits; the smallest is next."""
    firsts = {row.agent: int(row.first) for row in connection.execute(_WAITING)}
    waiting = [(n, spec) for n, spec in enumerate(specs) if spec.agent in firsts]
    turns: dict[str, tuple[str, int]] = {}
    if len(waiting) > 1:
        turns = _waiting_since(connection, {i.agent: firsts[i.agent] for _, i in waiting})
    alone = ("", 0)
    return [(-i.priority, *turns.get(i.agent, alone), firsts[i.agent], n) for n, i in waiting]


def _waiting_since(connection: Connection, firsts: dict[str, int]) -> dict[str, tuple[str, int]]:
    """Return since when each agent waits for its turn, and 1 where that is since its last run."""
    since: dict[str, tuple[str, int]] = {}
    names = list(firsts)
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        heads = {"agents": some, "firsts": [firsts[name] for name in some]}
        for row in connection.execute(_OLDEST_WAITING, heads):  # an agent's oldest event comes last
            since[row.agent] = max((row.at, 0), (row.last_turn or "", 1))
    return since


def _claim(connection: Connection, worker: str, room: int) -> tuple[tuple[str, int], ...]:
    """Claim active runs that no worker holds."""
    orphans = (
        sa.select(runs.c.id)
        .where(runs.c.status == RunStatus.RUNNING, runs.c.worker == "")
        .order_by(runs.c.created_at, runs.c.id)
        .limit(room)
    )
    claim = sa.update(runs).where(runs.c.id.in_(orphans)).values(worker=worker)
    claimed = connection.execute(claim.returning(runs.c.id, runs.c.attempt))
    return tuple((row.id, row.attempt) for row in claimed)


def _next_batch(connection: Connection, spec: ClaimSpec) -> _Batch:
    parameters = {"agent": spec.agent, "batch": spec.batch}
    pending = _PENDING_BY_HAND if spec.manual_only else _PENDING
    rows = list(connection.execute(pending, parameters))
    if rows and rows[0].alone:
        return rows[:1]
    return [row for row in rows if not row.alone]


def _name(agent: str, first: "Row[tuple[object, ...]]") -> str:
    name = first.external_id if first.source == "clock" else f"{agent}@{first.event_seq}"
    return f"{name}~alone" if first.alone else name


def new_run(
    run_id: str, agent: str, actor: str, now: datetime, worker: str = ""
) -> dict[str, object]:
    """Return the row of a run that begins now."""
    return {
        "id": run_id,
        "agent": agent,
        "actor": actor,
        "status": RunStatus.RUNNING,
        "attempt": 1,
        "created_at": to_db_time(now),
        "error": "",
        "worker": worker,
    }
