"""The journal as the rest of the product sees it: every method is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from storecrew.database import DURABLE, Database, Durability, connect, migrate
from storecrew.domain.control.agents import BusinessDay, RegisteredAgent, Worker
from storecrew.domain.control.approvals import Approval, ApprovalDecision, ApprovalStatus
from storecrew.domain.control.audit import AuditEntry
from storecrew.domain.control.events import EventEnvelope, PublishAck, StoredEvent
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import JudgedProposal, Proposal, ProposalRecord
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory, Trace
from storecrew.domain.control.updates import LiveUpdate, Topic
from storecrew.domain.events import Event
from storecrew.domain.paging import Page
from storecrew.domain.ports.journal import (
    BudgetSpend,
    ClaimResult,
    ClaimSpec,
    RunFailure,
    SchedulerSnapshot,
    StepRecord,
    SubscribersOf,
)
from storecrew.journal import (
    agents,
    approvals,
    claims,
    events,
    health,
    integrity,
    proposals,
    reads,
    runs,
    switches,
    traces,
    updates,
)

MIGRATIONS = Path(__file__).parent / "migrations"


def open_journal(
    url: str,
    *,
    durability: Durability = DURABLE,
    inline: bool = False,
    schema: str = "journal",
) -> "SqlJournal":
    """Open the journal at a database URL, bringing its tables up to date.

    On Postgres everything lives in the schema; SQLite has one schema per file and ignores it.
    """
    engine = connect(url, schema=schema, durability=durability)
    try:
        migrate(engine, MIGRATIONS, name=schema)
    except BaseException:
        engine.dispose()  # who tries again opens connections of its own
        raise
    return SqlJournal(Database(engine, name="journal", inline=inline))


@dataclass(frozen=True)
class SqlJournal:
    """The control plane's memory. What a method returned survives a crash."""

    database: Database

    async def try_acquire_leadership(self) -> bool:
        """Become the one process that runs the crew on this journal; False where one does."""
        return await self.database.try_advisory_lock(f"storecrew-{self.database.name}")

    async def publish(
        self, items: Sequence[EventEnvelope], subscribers_of: SubscribersOf
    ) -> list[PublishAck]:
        """Record events, once per source and external id, with the wakes they cause."""

        def record(connection: Connection) -> list[PublishAck]:
            receipts = events.publish(connection, items, subscribers_of)
            updates.publish_event_updates(connection, items, receipts)
            return receipts

        return await self.database.write(record)

    async def relay(
        self, source: str, facts: Sequence[tuple[int, EventEnvelope]], subscribers_of: SubscribersOf
    ) -> int:
        """Record facts from an outbox and how far it has been read, together."""

        def record(connection: Connection) -> int:
            fresh, receipts = events.relay(connection, source, facts, subscribers_of)
            if fresh:
                closed = approvals.close_overtaken(connection, fresh, fresh[-1].at)
                updates.publish_event_updates(connection, fresh, receipts)
                superseded = ApprovalStatus.SUPERSEDED
                updates.publish_approval_updates(connection, closed, superseded, fresh[-1].at)
            return len(fresh)

        return await self.database.write(record)

    async def snapshot(
        self, source: str, now: datetime, *, worker: str = "", day: str = ""
    ) -> SchedulerSnapshot:
        """Look at all that may have to be acted on, by this worker and on this day of the shop."""
        return await self.database.read(lambda c: runs.snapshot(c, source, now, worker, day))

    async def registered(self) -> list[RegisteredAgent]:
        """Return every registered agent, in order of registration."""
        return await self.database.read(agents.registered)

    async def heartbeat(self, agents: Collection[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents are ready to run, because their worker is."""
        await self.database.write(lambda c: health.heartbeat(c, agents, now, worker))

    async def last_ticks(self, agents: Collection[str]) -> Mapping[str, str]:
        """Return the external id of each agent's newest tick; who never ticked is left out."""
        return await self.database.read(lambda c: events.last_ticks(c, agents))

    async def prune_heartbeats(self, on_duty: Collection[str]) -> None:
        """Forget the heartbeats of everybody but those on duty."""
        await self.database.write(lambda c: health.prune_heartbeats(c, on_duty))

    async def claim_runs(
        self,
        specs: Sequence[ClaimSpec],
        now: datetime,
        room: int,
        *,
        worker: str = "",
        day: BusinessDay | None = None,
    ) -> ClaimResult:
        """Begin the runs that are due, for this worker, within the budgets of this day."""

        def begin(connection: Connection) -> ClaimResult:
            taken = claims.claim_runs(connection, specs, now, room, worker, day)
            updates.publish_run_updates(connection, taken.runs, RunStatus.RUNNING, now)
            return taken

        return await self.database.write(begin)

    async def run(self, run_id: str) -> Run:
        """Return the run with its events, or raise `NotFound`."""
        return await self.database.read(lambda c: runs.load(c, run_id))

    async def load_for_execution(self, run_id: str) -> tuple[Run, bool]:
        """Return the run with its events, and whether the crew or its agent is paused."""
        return await self.database.read(lambda c: runs.load_for_execution(c, run_id))

    async def fail(self, failure: RunFailure) -> RunStatus:
        """Record that a run raised, and what follows."""

        def record(connection: Connection) -> RunStatus:
            status = runs.fail(connection, failure)
            updates.publish_run_updates(
                connection, [failure.run], status, failure.now, failure.error
            )
            return status

        return await self.database.write(record)

    async def reclaim_runs(self) -> int:
        """Begin a new attempt of each active run, as the process that executed it is gone."""
        return await self.database.write(runs.reclaim_runs)

    async def reclaim_expired(self, lease: timedelta) -> int:
        """Begin a new attempt of each run whose worker did not beat for so long."""
        return await self.database.write(lambda c: runs.reclaim_expired(c, lease))

    async def renew_lease(self, worker: Worker) -> None:
        """Let a worker's lease begin anew, by the database's clock."""
        await self.database.write(lambda c: runs.renew_lease(c, worker))

    async def release_lease(self, worker: str) -> None:
        """End a worker's lease: what it leaves behind is free at once."""
        await self.database.write(lambda c: runs.release_lease(c, worker))

    async def workers(self) -> list[Worker]:
        """Return the workers that are written down, the newest first."""
        return await self.database.read(runs.working)

    async def requeue_due_retries(self, now: datetime) -> int:
        """Let runs whose pause is over go on; return how many."""
        return await self.database.write(lambda c: runs.requeue_due_retries(c, now))

    async def record_step(self, step: StepRecord) -> list[JudgedProposal]:
        """Record a step of a run; return the proposals that may now be done."""
        return await self.database.write(lambda c: proposals.record_step(c, step))

    async def filed(self, run_id: str, start: int, limit: int) -> list[ProposalRecord]:
        """Return so many of the run's proposals, in order."""
        return await self.database.read(lambda c: proposals.filed(c, run_id, start, limit))

    async def budget_spend(self, agent: str, day: str) -> BudgetSpend:
        """Return what everybody, and this agent, were allowed to spend on a day so far."""
        return await self.database.read(lambda c: proposals.budget_spend(c, agent, day))

    async def decide(self, said: ApprovalDecision) -> str:
        """Record a person's answer; return the run that carries out a yes."""

        def record(connection: Connection) -> str:
            run_id = approvals.decide(connection, said)
            updates.publish_approval_updates(connection, [said.proposal], said.status, said.at)
            return run_id

        return await self.database.write(record)

    async def expire(self, now: datetime) -> int:
        """Expire approval requests that got no decision in time."""
        return await self.database.write(lambda c: approvals.expire(c, now))

    async def begin_undo(
        self, story: ProposalHistory, opposite: Proposal, *, by: str, now: datetime
    ) -> str:
        """Begin the run that undoes a proposal, once."""
        work = partial(switches.begin_undo, story=story, opposite=opposite, by=by, now=now)
        return await self.database.write(work)

    async def paused(self, agent: str = "") -> bool:
        """Return whether the crew, or this agent, is paused."""
        return await self.database.read(lambda c: runs.paused(c, agent))

    async def set_paused(self, value: bool, *, by: str, now: datetime) -> None:
        """Stop the crew, or let it go on."""
        await self.database.write(partial(switches.set_paused, value=value, by=by, now=now))

    async def prune(self, before: datetime) -> int:
        """Forget old events that nothing needs."""
        return await self.database.write(lambda c: switches.prune(c, before))

    async def runs(
        self, *, page: int, per_page: int, agent: str | None = None, status: RunStatus | None = None
    ) -> Page[Run]:
        """Return one page of runs, newest first, without their events."""
        return await self.database.read(
            partial(reads.runs_page, page=page, per_page=per_page, agent=agent, status=status)
        )

    async def proposals(
        self, *, page: int, per_page: int, run: str | None = None
    ) -> Page[ProposalHistory]:
        """Return one page of proposals and what became of them, newest first."""
        return await self.database.read(
            partial(reads.stories_page, page=page, per_page=per_page, run=run)
        )

    async def story(self, proposal_id: str) -> ProposalHistory:
        """Return one proposal and what became of it, or raise `NotFound`."""
        return await self.database.read(lambda c: reads.story(c, proposal_id))

    async def approvals(
        self,
        *,
        status: ApprovalStatus | None = ApprovalStatus.WAITING,
        page: int,
        per_page: int,
    ) -> Page[Approval]:
        """Return one page of questions of this status (all when None), newest first."""
        return await self.database.read(
            partial(reads.approvals_page, status=status, page=page, per_page=per_page)
        )

    async def approval(self, proposal_id: str) -> Approval:
        """Return the question about this proposal, or raise `NotFound`."""
        return await self.database.read(lambda c: approvals.request_approval(c, proposal_id))

    async def audit(self, *, page: int, per_page: int) -> Page[AuditEntry]:
        """Return one page of the audit, newest first."""
        return await self.database.read(partial(reads.audit_page, page=page, per_page=per_page))

    async def events(self, *, page: int, per_page: int) -> Page[StoredEvent]:
        """Return one page of the recorded events, newest first."""
        return await self.database.read(partial(reads.events_page, page=page, per_page=per_page))

    async def recent_events(
        self, kinds: Collection[type[Event]], since: datetime, until: datetime
    ) -> list[StoredEvent]:
        """Return events of these kinds between two moments, among the newest few thousand."""
        return await self.database.read(lambda c: events.recent_events(c, kinds, since, until))

    async def trace(self, anything: str) -> Trace:
        """Return what an event, run, proposal or effect's key belongs to, or raise `NotFound`."""
        return await self.database.read(lambda c: traces.trace(c, anything))

    async def count_results(self, run_ids: Collection[str]) -> dict[str, int]:
        """Count the `proposals` of these runs, and those `applied`, `asked` and `denied`."""
        return await self.database.read(lambda c: reads.count_results(c, run_ids))

    async def publish_update(self, topic: Topic, body: Mapping[str, Any], at: datetime) -> None:
        """Tell those who watch what changed outside of the journal."""
        await self.database.write(lambda c: updates.publish_update(c, topic, body, at))

    async def updates(
        self, since: int, *, topics: Collection[Topic] = tuple(Topic), limit: int = 500
    ) -> list[LiveUpdate] | None:
        """Return the updates after a position, oldest first; None where some are gone."""
        return await self.database.read(lambda c: updates.since(c, since, topics, limit))

    async def newest_update(self) -> int:
        """Return the position of the newest update; 0 where there is none."""
        return await self.database.read(updates.newest)

    async def verify(self, effects: Collection[str]) -> list[Discrepancy]:
        """Return what does not add up, given the keys under which the store changed."""
        return await self.database.read(lambda c: integrity.check(c, effects))

    async def close(self) -> None:
        """Release every connection."""
        await self.database.close()
