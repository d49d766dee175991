"""The loop: facts in from the shop and the clock, runs out to the engine, nothing lost between."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import structlog

from storecrew.domain.actions import Action
from storecrew.domain.crew import Worker, is_remote
from storecrew.domain.errors import (
    AgentHung,
    NotUndoable,
    NotYet,
    Paused,
    Retryable,
    RunTakenOver,
    StorecrewError,
)
from storecrew.domain.events import Published, RunRequested
from storecrew.domain.journal import Answer, Failure, Glance, Journal, Taken
from storecrew.domain.ports import Clock, Engine
from storecrew.domain.proposals import Proposal
from storecrew.domain.runs import ApprovalStatus, Receipt
from storecrew.domain.undo import opposite
from storecrew.orchestrator.pace import LEASE, LEASE_BEAT, LoopSettings, Swept
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Recruit, Registry
from storecrew.orchestrator.ticker import Ticker
from storecrew.sdk.context import Meter

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
        recruit: Recruit | None = None,
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
        self._recruit = recruit
        self._worker = worker
        self._mark = worker.id if worker else ""
        self._leads = worker is None
        self._crew = ""
        self._inflight: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._ticker = Ticker(self._journal, self._registry)
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._beat_at: datetime | None = None
        self._waits: tuple[tuple[object, ...], datetime] | None = None
        """What there was when all that waited was patient, and until when it is."""
        self.last_sweep: datetime | None = None
        self.begun: list[str] = []
        """Runs that this process began, in order, for a report of what came of them."""

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        return self._pipeline.clock

    @property
    def leads(self) -> bool:
        """Whether this process relays, ticks and tidies; the only one always does."""
        return self._leads

    async def start(self, *, alone: bool) -> None:
        """Open the engine. `alone` says that nobody else runs the crew on this journal: then
        runs that a crash interrupted are taken up again, each as a new attempt."""
        self._loop = asyncio.get_running_loop()
        if alone:
            await self._journal.take_over()
        if self._worker is not None:
            await self._journal.keep_lease(self._worker)
        await self.muster()
        await self._engine.start(self._attempt)

    async def muster(self) -> None:
        """Put on duty who was registered, and take off it who was dismissed."""
        if self._recruit is not None:
            self._registry.enlist(await self._journal.enlisted(), self._recruit)

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
                await self._journal.give_up(self._worker.id)

    def request_stop(self) -> None:
        """Let the loop end; nothing new is started."""
        self._stopping = True
        self.wake()

    def wake(self) -> None:
        """Let the loop look at once; safe from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._awake.set)

    # --- what others ask for ---------------------------------------------------------------

    async def publish(self, events: Sequence[Published]) -> list[Receipt]:
        """Record facts, then let the loop look."""
        receipts = await self._journal.publish(events, self._registry.wakes_for)
        self.wake()
        return receipts

    async def request_run(
        self, agent: str, *, key: str, by: str, parameters: Mapping[str, Any]
    ) -> str:
        """Ask for a run, once per key; return its id."""
        self._registry.agent(agent)
        event = RunRequested(agent=agent, by=by, parameters=parameters)
        asked = Published(
            source="request",
            external_id=key,
            event=event,
            at=self._pipeline.clock.now(),
            actor=by,
        )
        [receipt] = await self.publish([asked])
        return f"{agent}@{receipt.event_id}"

    async def answer(
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
        said = Answer(proposal=proposal, status=status, by=by, at=now, note=note, changed=changed)
        run_id = await self._journal.answer(said)
        self.wake()
        return run_id

    async def undo(self, proposal: str, *, by: str) -> str:
        """Begin the run that takes an applied proposal back, or raise `NotUndoable`."""
        story = await self._journal.story(proposal)
        if story.outcome is None:
            raise NotUndoable(proposal, "nothing was done")
        done = story.filed.proposal.action
        if story.approval is not None and story.approval.changed is not None:
            done = story.approval.changed
        back = opposite(done, story.outcome)
        if isinstance(back, str):
            raise NotUndoable(proposal, back)
        wish = Proposal(action=back, reason=f"undo {proposal}", evidence={"undoes": proposal})
        run_id = await self._journal.begin_undo(story, wish, by=by, now=self._pipeline.clock.now())
        self.wake()
        return run_id

    async def set_paused(self, value: bool, *, by: str) -> None:
        """Stop every run and effect, or let them go on; it outlives a restart."""
        await self._journal.set_paused(value, by=by, now=self._pipeline.clock.now())
        self.wake()

    # --- the loop --------------------------------------------------------------------------

    async def serve(self) -> None:
        """Sweep whenever there is something to do, until stopped."""
        lease = asyncio.create_task(self._keep_lease(), name="lease") if self._worker else None
        pruned_at: datetime | None = None
        while not self._stopping:
            try:
                swept = await self.sweep()
                await self._beat()
                if pruned_at is None or self._now() - pruned_at > timedelta(days=1):
                    await self._prune()
                    pruned_at = self._now()
            except Exception as error:  # noqa: BLE001 - the loop outlives it; readiness tells
                log.warning("sweep_failed", error=repr(error))
                swept = Swept(progress=False, next_due=None)
            if swept.progress:
                await self._gather()
            else:
                await self._wait(swept.next_due)
        if lease is not None:
            lease.cancel()

    async def _keep_lease(self) -> None:
        """Beat, lead while nobody else does, and take over from those that fell silent."""
        assert self._worker is not None  # noqa: S101 - only a worker has a lease
        while True:
            try:
                await self._journal.keep_lease(self._worker)
                await self.seek_lead()
                if self._leads and await self._journal.take_over_lost(LEASE):
                    self.wake()
            except StorecrewError as error:  # who cannot beat is taken over from; that is right
                log.warning("beat_failed", worker=self._mark, error=repr(error))
            await asyncio.sleep(LEASE_BEAT.total_seconds())

    async def seek_lead(self) -> None:
        """Lead from now on where nobody else does; who no longer holds the lead lets go of it."""
        led, self._leads = self._leads, await self._journal.lead()
        if self._leads and not led:
            self._ticker.forget()
            log.info("leads", worker=self._mark)
            self.wake()

    async def _beat(self) -> None:
        """Record now and then that the agents which run in this process are ready to."""
        now, last = self._now(), self._beat_at
        if last is not None and abs(now - last) < self._settings.beat:
            return
        enlisted = self._registry.enlisted
        here = [n for n in self._registry.agents if n not in enlisted or not is_remote(enlisted[n])]
        if last is None and self._leads:
            await self._journal.retire(tuple(self._registry.agents))
        await self._journal.beat(here, now, worker=self._mark)
        self._beat_at = now

    async def sweep(self) -> Swept:
        """Do all that is due now: relay, tick, revive, take, submit."""
        await self._record_failures()
        now = self._now()
        day = self._pipeline.day(now)
        held = frozenset(self._inflight)
        glance = await self._journal.glance(STORE, now, worker=self._mark, day=day.name)
        await self._follow(glance.crew)
        moved, expired = await self._lead(glance)
        self.last_sweep = now
        if glance.paused:
            return Swept(progress=moved > 0, next_due=None)
        ticked, next_tick = await self._tick(now, glance)
        revived = await self._journal.revive(now) if self._leads and glance.retries_due else 0
        news = bool(moved or ticked or revived or glance.unclaimed)
        taken = await self._take(glance, now, news=news)
        submitted = await self._submit(glance, taken, revived, held)
        dues = [d for d in (next_tick, taken.next_due, glance.next_retry) if d is not None]
        progress = bool(moved or expired or ticked or revived or submitted)
        return Swept(progress=progress, next_due=min(dues, default=None))

    async def _take(self, glance: Glance, now: datetime, *, news: bool) -> Taken:
        """Begin the runs that are due, unless all that waits is known to wait for its batch."""
        day = self._pipeline.day(now)
        state = (glance.newest, glance.crew, glance.halted, frozenset(self._inflight), day.name)
        if not news and self._waits is not None:
            before, until = self._waits
            if before == state and now < until:
                return Taken(runs=(), next_due=until)
        room = self._settings.max_concurrent - len(self._inflight)
        if room <= 0 or not (glance.waiting or news):
            return Taken(runs=(), next_due=None)
        intakes = self._registry.intakes(
            patient=self._settings.patient,
            by_hand=not self._settings.enabled,
            without=glance.halted,
        )
        taken = await self._journal.take(intakes, now, room, worker=self._mark, day=day)
        fruitless = not taken.runs and not taken.claimed and self._worker is None
        self._waits = (state, taken.next_due) if fruitless and taken.next_due else None
        return taken

    async def _follow(self, crew: str) -> None:
        """Muster again where somebody was registered or dismissed."""
        if crew != self._crew:
            await self.muster()
            self._crew, self._beat_at = crew, None

    async def _lead(self, glance: Glance) -> tuple[int, int]:
        """Relay facts and close overdue questions; that is one process's work."""
        if not self._leads:
            return 0, 0
        return await self._relay(glance.cursor), await self._expire(glance)

    async def _relay(self, cursor: int) -> int:
        """Bring the store's new facts into the journal."""
        facts = await self._pipeline.store.outbox(cursor, limit=_RELAYED_AT_ONCE)
        if not facts:
            return 0
        return await self._journal.relay(STORE, facts, self._registry.wakes_for)

    async def _expire(self, glance: Glance) -> int:
        """Close questions whose time is over."""
        wall = self._pipeline.wall.now()
        if glance.next_expiry is None or glance.next_expiry > wall:
            return 0
        return await self._journal.expire(wall)

    async def _tick(self, now: datetime, glance: Glance) -> tuple[int, datetime | None]:
        if not (self._leads and self._settings.enabled):
            return 0, None
        return await self._ticker.tick(now, glance.halted)

    async def _submit(
        self, glance: Glance, taken: Taken, revived: int, held: frozenset[str]
    ) -> int:
        """Hand runs that are under way and not in our hands to the engine.

        What was in our hands before the glance may have ended since, so it is left alone.
        """
        waiting = [*glance.running, *((run_id, 1) for run_id in taken.runs), *taken.claimed]
        if revived and self._worker is None:
            look = await self._journal.glance(STORE, self._now())
            waiting = list(look.running)
        count = 0
        for run_id, attempt in waiting:
            if run_id in held or run_id in self._inflight or self._stopping:
                continue
            count += 1
            await self.carry_out(run_id, attempt)
        return count

    async def carry_out(self, run_id: str, attempt: int = 1) -> None:
        """Hand one run to the engine, now."""
        self._inflight.add(run_id)
        try:
            await self._engine.submit(f"{run_id}#{attempt}")
        except BaseException:
            self._inflight.discard(run_id)  # or nobody would hand it over again
            raise
        self.begun.append(run_id)

    async def _attempt(self, engine_id: str) -> None:
        """Carry a run out; a failure is recorded and decides what follows. Never raises."""
        run_id, _, number = engine_id.rpartition("#")
        attempt, meter = int(number), Meter()
        try:
            await self._pipeline.carry_out(run_id, attempt, meter, worker=self._mark)
        except Exception as error:  # noqa: BLE001 - the boundary of a run
            self._failures[run_id] = self._failure(run_id, attempt, error, meter)
            if isinstance(error, NotYet):
                log.info("run_waits", run=run_id, until=error.until.isoformat())
            else:
                log.warning("run_failed", run=run_id, attempt=attempt, error=repr(error))
        else:
            self._inflight.discard(run_id)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
        self.wake()

    def _failure(self, run_id: str, attempt: int, error: Exception, meter: Meter) -> Failure:
        pause = timedelta(seconds=min(300, 2**attempt))
        again = isinstance(error, Retryable) or attempt < self._settings.attempts
        now = self._now()
        if isinstance(error, Paused):
            pause = timedelta(seconds=1)
        if isinstance(error, NotYet):
            pause = max(timedelta(0), error.until - now)
        text = str(error) if isinstance(error, StorecrewError) else repr(error)
        agent = "" if run_id.endswith("/settle") else run_id.partition("@")[0]
        blameless = isinstance(error, Paused | RunTakenOver | NotYet)
        innocent = agent not in self._registry.agents or blameless
        return Failure(
            run=run_id,
            attempt=attempt,
            error=text,
            retry_at=now + pause if again else None,
            now=now,
            agent="" if innocent else agent,
            hung=isinstance(error, AgentHung),
            tokens=meter.tokens,
            wakes_for=self._registry.wakes_for,
        )

    async def _record_failures(self) -> None:
        """Write down which runs failed; kept in hand until the journal has it."""
        for run_id, failure in list(self._failures.items()):
            await self._journal.fail(failure)
            del self._failures[run_id]
            self._inflight.discard(run_id)

    async def _prune(self) -> None:
        before = self._now() - self._settings.retention
        events = await self._journal.prune(before) if self._leads else 0
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
