"""Putting the product together: every adapter is chosen here, and nowhere else."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from storecrew.app.clocks import FixedClock, SystemClock
from storecrew.app.crew import CREW
from storecrew.app.ids import uuid7
from storecrew.app.lock import AlreadyRunning, FolderLock
from storecrew.app.plane import Check, Progress, Summary
from storecrew.app.settings import Settings
from storecrew.database import connect_for_library
from storecrew.domain.actions import Action
from storecrew.domain.commerce import Discrepancy
from storecrew.domain.errors import StorecrewError
from storecrew.domain.events import Published
from storecrew.domain.ports import Clock, Engine, Store
from storecrew.domain.proposals import Decision, Filed
from storecrew.domain.runs import ApprovalStatus, Receipt, RunStatus
from storecrew.journal import SqlJournal, open_journal
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import LoopSettings, Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.planning import plan
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy
from storecrew.sdk import Agent
from storecrew.stores.sql import SqlStore, open_store

_STALLED = timedelta(seconds=30)
"""A loop that did not look for so long is not ready."""
_LOOK_AGAIN = 0.05
"""Seconds between two looks at a row that another process writes."""


@dataclass(frozen=True, kw_only=True)
class ControlPlane:
    """The assembled product. `open_plane` makes one."""

    settings: Settings
    clock: Clock
    store: SqlStore
    journal: SqlJournal
    orchestrator: Orchestrator
    pipeline: Pipeline
    serving: bool
    """Whether this process runs the loop."""

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The crew by name."""
        return self.pipeline.registry.agents

    async def publish(self, events: Sequence[Published]) -> Sequence[Receipt]:
        """Record facts and return after their commit what they wake."""
        return await self.orchestrator.publish(events)

    async def request_run(
        self, agent: str, *, by: str, parameters: Mapping[str, Any] | None = None
    ) -> str:
        """Ask for a run and return its id; raises `NotFound` for an unknown agent."""
        key = str(uuid7(self.clock.now()))
        return await self.orchestrator.request_run(
            agent, key=key, by=by, parameters=parameters or {}
        )

    async def approve(
        self, proposal_id: str, *, by: str, note: str = "", action: Action | None = None
    ) -> str:
        """Say yes, perhaps to another action, and return the run that carries it out."""
        yes = ApprovalStatus.APPROVED
        run_id = await self.orchestrator.answer(proposal_id, yes, by=by, note=note, changed=action)
        await self._see_to(run_id)
        return run_id

    async def reject(self, proposal_id: str, *, by: str, note: str = "") -> None:
        """Say no."""
        await self.orchestrator.answer(proposal_id, ApprovalStatus.REJECTED, by=by, note=note)

    async def undo(self, proposal_id: str, *, by: str) -> str:
        """Begin the run that takes an applied proposal back, and return its id."""
        run_id = await self.orchestrator.undo(proposal_id, by=by)
        await self._see_to(run_id)
        return run_id

    async def pause(self, *, by: str) -> None:
        """Stop every run and every effect until `resume`."""
        await self.orchestrator.set_paused(True, by=by)

    async def resume(self, *, by: str) -> None:
        """Let runs and effects go on."""
        await self.orchestrator.set_paused(False, by=by)

    async def paused(self) -> bool:
        """Tell whether the plane is paused."""
        return await self.journal.paused()

    async def verify(self) -> Sequence[Discrepancy]:
        """Prove the books, or return what does not add up."""
        found = list(await self.store.verify())
        return found + await self.journal.verify(await self.store.applied_keys())

    async def plan(self, agents: Sequence[str] | None = None) -> Sequence[tuple[Filed, Decision]]:
        """Return what these agents (all when None) would propose; nothing is changed."""
        for name in agents or ():
            self.pipeline.registry.agent(name)
        return await plan(self.pipeline, agents or tuple(self.agents))

    async def once(
        self, as_of: datetime | None = None, progress: Progress | None = None
    ) -> Summary:
        """Wake the crew once, as of a moment, and wait until all is quiet.

        Waking it again as of the same moment does nothing new.
        """
        clock = FixedClock(as_of or self.clock.now())
        store = replace(self.store, clock=clock)
        pipeline = replace(self.pipeline, clock=clock, store=store)
        settings = replace(loop_settings(self.settings), enabled=True, patient=False)
        loop = Orchestrator(pipeline, InlineEngine(), settings)
        with _exclusive(self.settings):
            await _lead(self.journal, self.settings)
            await loop.start(alone=True)
            await _until_quiet(loop, progress)
        counts = await self.journal.tally(loop.begun)
        return Summary(runs=len(loop.begun), **counts)

    async def idle(self) -> None:
        """Wait until no run is due or running."""
        if not self.serving:
            return
        while (await self.journal.glance("store", self.clock.now())).running:  # noqa: ASYNC110 - a row tells
            await asyncio.sleep(_LOOK_AGAIN)

    async def checks(self) -> Sequence[Check]:
        """Look at the store, the journal and the scheduler."""
        return [
            await _check("store", self.store.order_counts()),
            await _check("journal", self.journal.paused()),
            self._scheduler_check(),
        ]

    def _scheduler_check(self) -> Check:
        last = self.orchestrator.last_sweep
        if not self.serving or last is None:
            return Check(name="scheduler", ok=False, detail="the loop has not started")
        age = max(timedelta(0), self.clock.now() - last)  # a clock may step back
        return Check(name="scheduler", ok=age < _STALLED, detail=f"looked {age.seconds} s ago")

    async def _see_to(self, run_id: str) -> None:
        """Carry a run out here, unless a serving process will."""
        if self.serving:
            return
        try:
            with _exclusive(self.settings):
                await _lead(self.journal, self.settings)
                await self.orchestrator.carry_out(run_id)
        except AlreadyRunning:
            while (await self.journal.run(run_id)).status is RunStatus.RUNNING:  # noqa: ASYNC110 - a row tells
                await asyncio.sleep(_LOOK_AGAIN)


@asynccontextmanager
async def open_plane(
    settings: Settings, *, clock: Clock | None = None, serve: bool = False
) -> AsyncIterator[ControlPlane]:
    """Open the shop's books and the crew's; with `serve`, run the loop until the block is left.

    Raises `AlreadyRunning` when another process runs the loop on the same data folder.
    """
    clock = clock or SystemClock()
    async with AsyncExitStack() as stack:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        if serve:
            stack.enter_context(_exclusive(settings))
        store = await open_store(
            database_url(settings, "orders.db"), clock=clock, currency=settings.store.currency
        )
        stack.push_async_callback(store.close)
        journal = await asyncio.to_thread(open_journal, database_url(settings, "registry.db"))
        stack.push_async_callback(journal.close)
        if serve:
            await _lead(journal, settings)
        engine = durable_engine(settings) if serve else InlineEngine()
        pipeline = assemble(settings, store, journal, clock)
        orchestrator = Orchestrator(pipeline, engine, loop_settings(settings))
        await orchestrator.start(alone=serve)
        stack.push_async_callback(orchestrator.stop)
        if serve:
            loop = asyncio.create_task(orchestrator.serve(), name="orchestrator")
            stack.push_async_callback(_finish, loop, orchestrator)
        yield ControlPlane(
            settings=settings,
            clock=clock,
            store=store,
            journal=journal,
            orchestrator=orchestrator,
            pipeline=pipeline,
            serving=serve,
        )


def assemble(settings: Settings, store: Store, journal: SqlJournal, clock: Clock) -> Pipeline:
    """Return the pipeline of the shipped crew over these parts."""
    crew = [agent for agent in CREW if settings.runs(agent.name)]
    return Pipeline(
        store=store,
        journal=journal,
        policy=Policy(settings.policy),
        registry=Registry(crew),
        models=basic_models(),
        clock=clock,
        wall=clock,
        currency=settings.store.currency,
        settings={agent.name: settings.options(agent.name) for agent in crew},
    )


def loop_settings(settings: Settings) -> LoopSettings:
    """Return how the loop paces itself under these settings."""
    process = settings.orchestrator
    return LoopSettings(
        interval=timedelta(seconds=process.interval_seconds),
        max_concurrent=process.max_concurrent,
        enabled=process.enabled,
        retention=timedelta(days=settings.retention.days),
    )


def database_url(settings: Settings, file: str) -> str:
    """Return the URL of one of the databases: the configured server, else a file."""
    if settings.database.url is not None:
        return settings.database.url.get_secret_value()
    if file == "registry.db" and settings.database.path is not None:
        return f"sqlite:///{settings.database.path}"
    return f"sqlite:///{settings.data_dir / file}"


def durable_engine(settings: Settings) -> Engine:
    """Return the engine whose runs survive a crash of this process."""
    # DBOS takes a quarter of a second to import, which commands that run nothing need not pay
    from storecrew.orchestrator.durable import DurableEngine

    url = database_url(settings, "engine.db")
    executor = f"{socket.gethostname()}:{settings.data_dir.resolve()}"
    return DurableEngine(connect_for_library(url), executor_id=executor)


@contextmanager
def _exclusive(settings: Settings) -> Iterator[None]:
    """Hold the data folder's lock for a while."""
    lock = FolderLock(settings.data_dir)
    lock.acquire()
    try:
        yield
    finally:
        lock.release()


async def _lead(journal: SqlJournal, settings: Settings) -> None:
    """Make sure that nobody else runs the crew on a shared database until the journal closes."""
    if not await journal.lead():
        raise AlreadyRunning(settings.data_dir, "on another machine")


async def _until_quiet(loop: Orchestrator, progress: Progress | None) -> None:
    while (await loop.sweep()).progress:
        if progress is not None:
            progress("runs", len(loop.begun), None)


async def _finish(task: "asyncio.Task[None]", orchestrator: Orchestrator) -> None:
    orchestrator.request_stop()
    await task


async def _check(name: str, look: Any) -> Check:
    try:
        await look
    except StorecrewError as error:
        return Check(name=name, ok=False, detail=str(error))
    return Check(name=name, ok=True)
