"""The loop: facts in from the shop and the clock, runs out to the engine, nothing lost between."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from storecrew.domain.actions import Action
from storecrew.domain.errors import NotUndoable, Paused, Retryable, StorecrewError
from storecrew.domain.events import ClockTicked, Published, RunRequested
from storecrew.domain.journal import Answer, Failure, Glance, Journal
from storecrew.domain.ports import Engine
from storecrew.domain.proposals import Proposal
from storecrew.domain.runs import ApprovalStatus, Receipt
from storecrew.domain.undo import opposite
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry

log = structlog.get_logger()

STORE = "store"
"""The source under which the store's outbox is relayed."""
_RELAYED_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How the loop paces itself."""

    interval: timedelta = timedelta(seconds=10)
    """Longest pause between sweeps for overdue, hung and retried work."""
    poll: timedelta = timedelta(milliseconds=250)
    """How often the store's outbox is looked at, as another process may have written to it."""
    gather: timedelta = timedelta(milliseconds=100)
    """Longest pause after a sweep that did something, so that what comes meanwhile is taken
    together; the end of a run cuts it short, as its agent may have more to do."""
    max_concurrent: int = 10
    """Runs at once; more would only wait for the database."""
    attempts: int = 3
    """Tries of a run that fails by itself before its events are parked in sight."""
    enabled: bool = True
    """Whether schedules and events start runs; those asked for by a person always do."""
    patient: bool = True
    """Whether agents may wait for their batch to fill; not where nothing more will come."""
    retention: timedelta = timedelta(days=90)
    """How long events and finished engine records are kept."""


@dataclass(frozen=True, kw_only=True)
class Swept:
    """What one sweep did, and when there is something to do again."""

    progress: bool
    next_due: datetime | None


class Orchestrator:
    """Decides who wakes when, and sees each run to its end. One per data directory."""

    def __init__(
        self, pipeline: Pipeline, engine: Engine, settings: LoopSettings | None = None
    ) -> None:
        self._pipeline = pipeline
        self._settings = settings or LoopSettings()
        self._journal: Journal = pipeline.journal
        self._registry: Registry = pipeline.registry
        self._engine = engine
        self._inflight: set[str] = set()
        self._failures: dict[str, Failure] = {}
        self._last_ticks: dict[str, str] = {}
        self._awake = asyncio.Event()
        self._ended = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self.last_sweep: datetime | None = None
        self.begun: list[str] = []
        """Runs that this process began, in order, for a report of what came of them."""

    async def start(self, *, alone: bool) -> None:
        """Open the engine. `alone` says that nobody else runs the crew on this journal: then
        runs that a crash interrupted are taken up again, each as a new attempt."""
        self._loop = asyncio.get_running_loop()
        if alone:
            await self._journal.take_over()
        for name in self._registry.agents:
            self._last_ticks[name] = await self._journal.last_tick(name) or ""
        await self._engine.start(self._attempt)

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
        pruned_at: datetime | None = None
        while not self._stopping:
            try:
                swept = await self.sweep()
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

    async def sweep(self) -> Swept:
        """Do all that is due now: relay, tick, revive, take, submit."""
        await self._record_failures()
        now = self._now()
        held = frozenset(self._inflight)
        glance = await self._journal.glance(STORE, now)
        moved = await self._relay(glance.cursor)
        expired = await self._expire(glance)
        self.last_sweep = now
        if glance.paused:
            return Swept(progress=moved > 0, next_due=None)
        ticked, next_tick = await self._tick(now)
        revived = await self._journal.revive(now) if glance.retries_due else 0
        room = self._settings.max_concurrent - len(self._inflight)
        next_batch = None
        begun: tuple[str, ...] = ()
        if room > 0 and (glance.waiting or moved or ticked):
            intakes = self._registry.intakes(patient=self._settings.patient)
            taken = await self._journal.take(intakes, now, room)
            begun, next_batch = taken.runs, taken.next_due
        submitted = await self._submit(glance, begun, revived, held)
        dues = [due for due in (next_tick, next_batch, glance.next_retry) if due is not None]
        progress = bool(moved or expired or ticked or revived or submitted)
        return Swept(progress=progress, next_due=min(dues, default=None))

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

    async def _tick(self, now: datetime) -> tuple[int, datetime | None]:
        """Publish the newest tick of each schedule; ticks missed meanwhile count as one."""
        if not self._settings.enabled:
            return 0, None
        due: list[Published] = []
        following: list[datetime] = []
        for agent in self._registry.agents.values():
            if agent.schedule is None:
                continue
            following.append(agent.schedule.after(now))
            latest = agent.schedule.latest(now)
            tick = f"{agent.name}@{latest.isoformat(timespec='seconds')}"
            if tick > self._last_ticks.get(agent.name, ""):
                event = ClockTicked(agent=agent.name, due=latest)
                due.append(
                    Published(source="clock", external_id=tick, event=event, at=now, actor="system")
                )
        if due:
            await self._journal.publish(due, self._registry.wakes_for)
            self._last_ticks |= {p.event.subject.removeprefix("agent:"): p.external_id for p in due}
        return len(due), min(following, default=None)

    async def _submit(
        self, glance: Glance, begun: Sequence[str], revived: int, held: frozenset[str]
    ) -> int:
        """Hand runs that are under way and not in our hands to the engine.

        What was in our hands before the glance may have ended since, so it is left alone.
        """
        waiting = list(glance.running)
        if revived:
            waiting = list((await self._journal.glance(STORE, self._now())).running)
        else:
            waiting += [(run_id, 1) for run_id in begun]
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
        run_id, _, attempt = engine_id.rpartition("#")
        try:
            await self._pipeline.carry_out(run_id, int(attempt))
        except Exception as error:  # noqa: BLE001 - the boundary of a run
            self._failures[run_id] = self._failure(run_id, int(attempt), error)
            log.warning("run_failed", run=run_id, attempt=int(attempt), error=repr(error))
        else:
            self._inflight.discard(run_id)
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ended.set)
        self.wake()

    def _failure(self, run_id: str, attempt: int, error: Exception) -> Failure:
        pause = timedelta(seconds=min(300, 2**attempt))
        again = isinstance(error, Retryable) or attempt < self._settings.attempts
        if isinstance(error, Paused):
            pause = timedelta(seconds=1)
        now = self._now()
        text = str(error) if isinstance(error, StorecrewError) else repr(error)
        return Failure(run=run_id, error=text, retry_at=now + pause if again else None, now=now)

    async def _record_failures(self) -> None:
        """Write down which runs failed; kept in hand until the journal has it."""
        for run_id, failure in list(self._failures.items()):
            await self._journal.fail(failure)
            del self._failures[run_id]
            self._inflight.discard(run_id)

    async def _prune(self) -> None:
        before = self._now() - self._settings.retention
        events = await self._journal.prune(before)
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
