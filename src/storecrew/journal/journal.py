"""The journal as the rest of the product sees it: every method is one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy.engine import Connection

from storecrew.database import DURABLE, Database, Durability, connect, migrate, reading, writing
from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.approvals import ApprovalDecision, ApprovalStatus
from storecrew.domain.control.events import EventEnvelope, PublishAck
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.ports.journal import (
    BudgetSpend,
    ClaimResult,
    ClaimSpec,
    RunFailure,
    SubscribersOf,
)
from storecrew.journal import (
    agents,
    approvals,
    audit,
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

    snapshot = reading(runs.snapshot)
    registered = reading(agents.registered)
    heartbeat = writing(health.heartbeat)
    last_ticks = reading(events.last_ticks)
    prune_heartbeats = writing(health.prune_heartbeats)

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

    run = reading(runs.load)
    load_for_execution = reading(runs.load_for_execution)

    async def fail(self, failure: RunFailure) -> RunStatus:
        """Record that a run raised, and what follows."""

        def record(connection: Connection) -> RunStatus:
            status = runs.fail(connection, failure)
            updates.publish_run_updates(
                connection, [failure.run], status, failure.now, failure.error
            )
            return status

        return await self.database.write(record)

    reclaim_runs = writing(runs.reclaim_runs)
    reclaim_expired = writing(runs.reclaim_expired)
    renew_lease = writing(runs.renew_lease)
    release_lease = writing(runs.release_lease)
    workers = reading(runs.working)
    requeue_due_retries = writing(runs.requeue_due_retries)
    record_step = writing(proposals.record_step)
    filed = reading(proposals.filed)

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

    expire = writing(approvals.expire)
    begin_undo = writing(switches.begin_undo)
    paused = reading(runs.paused)
    set_paused = writing(switches.set_paused)
    prune = writing(switches.prune)
    story = reading(reads.story)
    approval = reading(approvals.request_approval)
    audit_head = reading(audit.head)
    audit_hashes = reading(audit.hashes)
    audit = reading(reads.audit_page)
    recent_events = reading(events.recent_events)
    trace = reading(traces.trace)
    count_results = reading(reads.count_results)
    publish_update = writing(updates.publish_update)
    newest_update = reading(updates.newest)
    verify = reading(integrity.check)

    async def close(self) -> None:
        """Release every connection."""
        await self.database.close()

    # last, as these names are also those of modules that the lines above refer to
    runs = reading(reads.runs_page)
    proposals = reading(reads.stories_page)
    events = reading(reads.events_page)
    approvals = reading(reads.approvals_page)
    postponed_purchases = reading(reads.postponed_purchases)
    updates = reading(updates.updates_since)
