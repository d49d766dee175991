"""The loop: facts in from the shop and the clock, runs out to the engine, nothing lost between."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from storecrew.domain.actions import Action
from storecrew.domain.control.agents import Worker, is_remote
from storecrew.domain.control.approvals import ApprovalDecision, ApprovalStatus
from storecrew.domain.control.events import EventEnvelope, PublishAck, RunRequested
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import (
    AgentTimeout,
    Deferred,
    Paused,
    Retryable,
    StaleAttempt,
    StorecrewError,
)
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.engine import Engine
from storecrew.domain.ports.journal import ClaimResult, Journal, RunFailure, SchedulerSnapshot
from storecrew.domain.undo import compensation
from storecrew.orchestrator.loop_settings import LEASE, LEASE_RENEWAL, LoopSettings, SweepResult
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import AgentFactory, Registry
from storecrew.orchestrator.schedules import ScheduleDispatcher
from storecrew.sdk.context import UsageMeter

log = structlog.get_logger()

STORE = "store"
"""The source under which the store's outbox is relayed."""
_RELAYED_AT_ONCE = 500


class Orchestrator:
    """Decides who wakes when, and sees each run to its end. One per process."""

    def __init__(
        self,
        pipeline: Pipeline,
        engine: Engine,
        settings: LoopSettings | None = None,
        *,
        factory: AgentFactory | None = None,
        worker: Worker | None = None,
    ) -> None:
        """Without a way to recruit, agents that others register stay unknown here.

        A worker shares the journal with others: it beats, and leads only while nobody else does.
        """
        self._pipeline = pipeline
        self._settings = settings or LoopSettings()
        self._journal: Journal = pipeline.journal
        self._registry: Registry = pipeline.registry
        self._engine = engine
        self._factory = factory
        self._worker = worker
        self._leadership_token = worker.id if worker else ""
        self._is_leader = worker is None
        self._registered_agents = ""
        self._inflight: set[str] = set()
        self._failures: dict[str, RunFailure] = {}
        self._ticker = ScheduleDispatcher(self._journal, self._registry)
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._heartbeat_at: datetime | None = None
        self._waits: tuple[tuple[object, ...], datetime] | None = None
        """What there was when all that waited was patient, and until when it is."""
        self.last_sweep: datetime | None = None
        self.started_runs: list[str] = []
        """Runs that this process began, in order, for a report of what came of them."""
        self.failed_runs: dict[str, str] = {}
        """Runs whose last attempt here failed, with their agents; one that waits did not fail."""

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        return self._pipeline.clock

    @property
    def is_leader(self) -> bool:
        """Whether this process relays, ticks and tidies; the only one always does."""
        return self._is_leader

    async def start(self, *, alone: bool) -> None:
        """Open the engine. `alone` says that no other process runs the crew on this journal: then
        runs that a crash interrupted are taken up again, each as a new attempt."""
        self._loop = asyncio.get_running_loop()
        if alone:
            await self._journal.reclaim_runs()
        if self._worker is not None:
            await self._journal.renew_lease(self._worker)
        await self.sync_agents()
        await self._engine.start(self._attempt)

    async def sync_agents(self) -> None:
        """Put on duty who was registered, and take off it who was dismissed."""
        if self._factory is not None:
            self._registry.add_remote(await self._journal.registered(), self._factory)

    async def stop(self, patience: timedelta = timedelta(seconds=10)) -> None:
        """Start nothing more, give runs under way a while, then stop; the rest resumes later."""
        self.request_stop()
        try:
            async with asyncio.timeout(patience.total_seconds()):
                while self._inflight:
                    with suppress(Retryable):
                        await self._record_failures()
                    await self._wait(None)
        except TimeoutError:
            log.warning("runs_left_for_the_next_start", runs=sorted(self._inflight))
        await self._engine.stop()
        if self._worker is not None:
            with suppress(Retryable):  # else its lease runs out
                await self._journal.release_lease(self._worker.id)

    def request_stop(self) -> None:
        """Let the loop end; nothing new is started."""
        self._stopping = True
        self.wake_up()

    def wake_up(self) -> None:
        """Let the loop look at once; safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._awake.set)

    # --- what others ask for ---------------------------------------------------------------

    async def publish(self, events: Sequence[EventEnvelope]) -> list[PublishAck]:
        """Record facts, then let the loop look."""
        receipts = await self._journal.publish(events, self._registry.subscribers_of)
        self.wake_up()
        return receipts

    async def request_run(
        self, agent: str, *, key: str, by: str, parameters: Mapping[str, Any]
    ) -> str:
        """Ask for a run, once per key; return its id."""
        self._registry.agent(agent)
        event = RunRequested(agent=agent, by=by, parameters=parameters)
        request = EventEnvelope(
            source="request",
            external_id=key,
            event=event,
            at=self._pipeline.clock.now(),
            actor=by,
        )
        [receipt] = await self.publish([request])
        return f"{agent}@{receipt.event_id}"

    async def decide(
        self,
        proposal: str,
        status: ApprovalStatus,
        *,
        by: str,
        note: str = "",
        changed: Action | None = None,
    ) -> str:
        """Record a person's answer; return the run that carries out a yes."""
        now = self._pipeline.wall.now()
        decision = ApprovalDecision(
            proposal=proposal, status=status, by=by, at=now, note=note, changed=changed
        )
        run_id = await self._journal.decide(decision)
        self.wake_up()
        return run_id

    async def undo(self, proposal: str, *, by: str) -> str:
        """Begin the run that takes an applied proposal back, or raise `NotUndoable`."""
        story = await self._journal.story(proposal)
        back = compensation(story)
        undoing = Proposal(action=back, reason=f"undo {proposal}", evidence={"undoes": proposal})
        run_id = await self._journal.begin_undo(
            story, undoing, by=by, now=self._pipeline.clock.now()
        )
        self.wake_up()
        return run_id

    async def set_paused(self, value: bool, *, by: str) -> None:
        """Stop every run and effect, or let them go on; it outlives a restart."""
        await self._journal.set_paused(value, by=by, now=self._pipeline.clock.now())
        self.wake_up()

    # --- the loop --------------------------------------------------------------------------

    async def serve(self) -> None:
        """Sweep whenever there is something to do, until stopped."""
        lease = asyncio.create_task(self._renew_lease(), name="lease") if self._worker else None
        pruned_at: datetime | None = None
        while not self._stopping:
            try:
                swept = await self.sweep()
                await self._heartbeat()
                if pruned_at is None or self._now() - pruned_at > timedelta(days=1):
                    await self._prune()
                    pruned_at = self._now()
            except Exception as error:  # noqa: BLE001 - the loop outlives it; readiness tells
                log.warning("sweep_failed", error=repr(error))
                swept = SweepResult(progress=False, next_due=None)
            if swept.progress:
                await self._gather()
            else:
                await self._wait(swept.next_due)
        if lease is not None:
            lease.cancel()

    async def _renew_lease(self) -> None:
        """Renew the lease, lead while no other worker does, and reclaim runs of lost workers."""
        assert self._worker is not None  # noqa: S101 - only a worker has a lease
        while True:
            try:
                await self._journal.renew_lease(self._worker)
                await self.elect()
                if self._is_leader and await self._journal.reclaim_expired(LEASE):
                    self.wake_up()
            except Exception as error:  # noqa: BLE001 - the loop outlives it; others take over
                log.warning("beat_failed", worker=self._leadership_token, error=repr(error))
            await asyncio.sleep(LEASE_RENEWAL.total_seconds())

    async def elect(self) -> None:
        """Try to become the leader, or step down where leadership was lost."""
        led, self._is_leader = self._is_leader, await self._journal.try_acquire_leadership()
        if self._is_leader and not led:
            self._ticker.forget()
            log.info("leads", worker=self._leadership_token)
            self.wake_up()

    async def _heartbeat(self) -> None:
        """Record now and then that the agents which run in this process are ready to."""
        now, last = self._now(), self._heartbeat_at
        if last is not None and abs(now - last) < self._settings.heartbeat_interval:
            return
        registered = self._registry.registered
        here = [
            n for n in self._registry.agents if n not in registered or not is_remote(registered[n])
        ]
        if last is None and self._is_leader:
            await self._journal.prune_heartbeats(tuple(self._registry.agents))
        await self._journal.heartbeat(here, now, worker=self._leadership_token)
        self._heartbeat_at = now

    async def sweep(self) -> SweepResult:
        """Do all that is due now: relay, tick, revive, take, submit."""
        await self._record_failures()
        now = self._now()
        day = self._pipeline.day(now)
        held = frozenset(self._inflight)
        snapshot = await self._journal.snapshot(
            STORE, now, worker=self._leadership_token, day=day.name
        )
        await self._follow(snapshot.crew)
        moved, expired = await self._run_leader_duties(snapshot)
        self.last_sweep = now
        if snapshot.paused:
            return SweepResult(progress=moved > 0, next_due=None)
        ticked, next_tick = await self._tick(now, snapshot)
        revived = (
            await self._journal.requeue_due_retries(now)
            if self._is_leader and snapshot.retries_due
            else 0
        )
        news = bool(moved or ticked or revived or snapshot.unclaimed)
        taken = await self._claim_runs(snapshot, now, news=news)
        submitted = await self._submit(snapshot, taken, revived, held)
        dues = [d for d in (next_tick, taken.next_due, snapshot.next_retry) if d is not None]
        progress = bool(moved or expired or ticked or revived or submitted)
        return SweepResult(progress=progress, next_due=min(dues, default=None))

    async def _claim_runs(
        self, snapshot: SchedulerSnapshot, now: datetime, *, news: bool
    ) -> ClaimResult:
        """Begin the runs that are due, unless all that waits is known to wait for its batch."""
        day = self._pipeline.day(now)
        state = (
            snapshot.newest,
            snapshot.crew,
            snapshot.suspended,
            frozenset(self._inflight),
            day.name,
        )
        if not news and self._waits is not None:
            before, until = self._waits
            if before == state and now < until:
                return ClaimResult(runs=(), next_due=until)
        room = self._settings.max_concurrent - len(self._inflight)
        if room <= 0 or not (snapshot.waiting or news):
            return ClaimResult(runs=(), next_due=None)
        specs = self._registry.claim_specs(
            wait_for_batches=self._settings.wait_for_batches,
            manual_only=not self._settings.enabled,
            without=snapshot.suspended,
        )
        taken = await self._journal.claim_runs(
            specs, now, room, worker=self._leadership_token, day=day
        )
        fruitless = not taken.runs and not taken.claimed and self._worker is None
        self._waits = (state, taken.next_due) if fruitless and taken.next_due else None
        return taken

    async def _follow(self, crew: str) -> None:
        """Reload the agents where one was registered or deregistered."""
        if crew != self._registered_agents:
            await self.sync_agents()
            self._registered_agents, self._heartbeat_at = crew, None

    async def _run_leader_duties(self, snapshot: SchedulerSnapshot) -> tuple[int, int]:
        """Relay facts and close overdue questions; that is one process's work."""
        if not self._is_leader:
            return 0, 0
        return await self._relay(snapshot.cursor), await self._expire(snapshot)

    async def _relay(self, cursor: int) -> int:
        """Bring the store's new facts into the journal."""
        facts = await self._pipeline.store.outbox(cursor, limit=_RELAYED_AT_ONCE)
        if not facts:
            return 0
        return await self._journal.relay(STORE, facts, self._registry.subscribers_of)

    async def _expire(self, snapshot: SchedulerSnapshot) -> int:
        """Close questions whose time is over."""
        wall = self._pipeline.wall.now()
        if snapshot.next_expiry is None or snapshot.next_expiry > wall:
            return 0
        return await self._journal.expire(wall)

    async def _tick(
        self, now: datetime, snapshot: SchedulerSnapshot
    ) -> tuple[int, datetime | None]:
        if not (self._is_leader and self._settings.enabled):
            return 0, None
        return await self._ticker.tick(now, snapshot.suspended)

    async def _submit(
        self, snapshot: SchedulerSnapshot, taken: ClaimResult, revived: int, held: frozenset[str]
    ) -> int:
        """Hand runs that are under way and not in our hands to the engine.

        What was in our hands before the glance may have ended since, so it is left alone.
        """
        waiting = [*snapshot.running, *((run_id, 1) for run_id in taken.runs), *taken.claimed]
        if revived and self._worker is None:
            state = await self._journal.snapshot(STORE, self._now())
            waiting = list(state.running)
        count = 0
        for run_id, attempt in waiting:
            if run_id in held or run_id in self._inflight or self._stopping:
                continue
            count += 1
            await self.execute(run_id, attempt)
        return count

    async def execute(self, run_id: str, attempt: int = 1) -> None:
        """Hand one run to the engine, now."""
        self._inflight.add(run_id)
        try:
            await self._engine.submit(f"{run_id}#{attempt}")
        except BaseException:
            self._inflight.discard(run_id)  # or nobody would hand it over again
            raise
        self.started_runs.append(run_id)

    async def _attempt(self, engine_id: str) -> None:
        """Carry a run out; a failure is recorded and decides what follows. Never raises."""
        run_id, _, number = engine_id.rpartition("#")
        attempt, meter = int(number), UsageMeter()
        try:
            await self._pipeline.execute(run_id, attempt, meter, worker=self._leadership_token)
        except Exception as error:  # noqa: BLE001 - the boundary of a run
            self._failures[run_id] = self._failure(run_id, attempt, error, meter)
            if self._failures[run_id].agent:
                self.failed_runs[run_id] = self._failures[run_id].agent
            if isinstance(error, Deferred):
                log.info("run_waits", run=run_id, until=error.until.isoformat())
            else:
                log.warning("run_failed", run=run_id, attempt=attempt, error=repr(error))
        else:
            self._inflight.discard(run_id)
            self.failed_runs.pop(run_id, None)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
        self.wake_up()

    def _failure(
        self, run_id: str, attempt: int, error: Exception, meter: UsageMeter
    ) -> RunFailure:
        pause = timedelta(seconds=min(300, 2**attempt))
        again = isinstance(error, Retryable) or attempt < self._settings.attempts
        now = self._now()
        if isinstance(error, Paused):
            pause = timedelta(seconds=1)
        if isinstance(error, Deferred):
            pause = max(timedelta(0), error.until - now)
        text = str(error) if isinstance(error, StorecrewError) else repr(error)
        agent = "" if run_id.endswith("/settle") else run_id.partition("@")[0]
        blameless = isinstance(error, Paused | StaleAttempt | Deferred)
        innocent = agent not in self._registry.agents or blameless
        return RunFailure(
            run=run_id,
            attempt=attempt,
            error=text,
            retry_at=now + pause if again else None,
            now=now,
            agent="" if innocent else agent,
            hung=isinstance(error, AgentTimeout),
            tokens=meter.tokens,
            subscribers_of=self._registry.subscribers_of,
        )

    async def _record_failures(self) -> None:
        """Write down which runs failed; kept in hand until the journal has it."""
        for run_id, failure in list(self._failures.items()):
            await self._journal.fail(failure)
            del self._failures[run_id]
            self._inflight.discard(run_id)

    async def _prune(self) -> None:
        before = self._now() - self._settings.retention
        events = await self._journal.prune(before) if self._is_leader else 0
        records = await self._engine.prune(before)
        if events or records:
            log.info("pruned", events=events, engine_records=records)

    async def _gather(self) -> None:
        try:
            async with asyncio.timeout(self._settings.gather.total_seconds()):
                await self._ended.wait()
        except TimeoutError:
            return
        finally:
            self._ended.clear()

    async def _wait(self, due: datetime | None) -> None:
        pause = min(self._settings.poll, self._settings.interval)
        if due is not None:
            pause = max(timedelta(0), min(pause, due - self._now()))
        try:
            async with asyncio.timeout(pause.total_seconds()):
                await self._awake.wait()
        except TimeoutError:
            return
        finally:
            self._awake.clear()

    def _now(self) -> datetime:
        return self._pipeline.clock.now()
