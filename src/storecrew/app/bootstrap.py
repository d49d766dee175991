"""Putting the product together: every adapter is chosen here, and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    AsyncExitStack,
    asynccontextmanager,
    contextmanager,
)
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from storecrew.app.access import Access
from storecrew.app.agent_files import follow_files
from storecrew.app.agent_service import AgentService
from storecrew.app.agent_settings import agent_options, configured_agents
from storecrew.app.audit_anchor import Anchor, AuditAnchors
from storecrew.app.background import (
    agent_service,
    is_shared,
    keep_watch,
    loop_settings,
    proved,
    set_to_work,
    start_orchestrator,
)
from storecrew.app.clocks import SystemClock
from storecrew.app.control_actions import PlaneOperations
from storecrew.app.control_plane import ProcessRole, Progress, ReadinessCheck, RunSummary
from storecrew.app.custom_agents import custom_agents
from storecrew.app.database_urls import database_url
from storecrew.app.folder_lock import AlreadyRunning, FolderLock
from storecrew.app.ids import uuid7
from storecrew.app.learning import model_service
from storecrew.app.mail_background import open_mail_service, work_on_mail
from storecrew.app.readiness import background_check, database_check, disk_check
from storecrew.app.service_manager import (
    ServiceManager,
    described,
    end_services,
    open_services,
    open_supervised_services,
)
from storecrew.app.settings import Settings
from storecrew.app.shop_folder import make_folder
from storecrew.app.web_pages import open_web_reader
from storecrew.domain.actions import Action
from storecrew.domain.background_tasks import BackgroundTasks
from storecrew.domain.control.agents import Budget, BusinessDay
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import EventEnvelope, PublishAck
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Decision, ProposalRecord
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.control.services import ServiceStatus, ServiceView, StatusListener
from storecrew.domain.control.updates import Topic
from storecrew.domain.control.usage import JournalCounts
from storecrew.domain.ports.clock import Clock, FixedClock
from storecrew.domain.ports.store import Store
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.access import SqlCredentialRepository
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.control_actions import SqlControlActions
from storecrew.journal.counts import count_journal
from storecrew.journal.idempotency import SqlIdempotencyStore
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.journal.services import SqlServiceRegistry
from storecrew.journal.skipped_inputs import SqlSkippedInputs
from storecrew.learning.service import ModelService
from storecrew.learning.serving import ServedModels
from storecrew.mail.service import MailService
from storecrew.models import basic_models
from storecrew.monitoring.self_check import service_failed
from storecrew.orchestrator.dry_run import explained, plan
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Explanation, Policy
from storecrew.sdk import Agent
from storecrew.stores.sql import SqlStore, open_store
from storecrew.web.reader import LiveWebReader

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
    access: Access
    services: ServiceManager
    crew: AgentService
    models: ModelService
    web: LiveWebReader
    mail: MailService
    background: BackgroundTasks
    serving: bool
    """Whether this process runs the loop."""
    duty: ProcessRole = ProcessRole.NONE
    """What this process is there for."""

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The crew by name."""
        return self.pipeline.registry.agents

    async def publish(self, events: Sequence[EventEnvelope]) -> Sequence[PublishAck]:
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
        run_id = await self.orchestrator.decide(proposal_id, yes, by=by, note=note, changed=action)
        await self._see_to(run_id)
        return run_id

    async def reject(self, proposal_id: str, *, by: str, note: str = "") -> None:
        """Say no."""
        await self.orchestrator.decide(proposal_id, ApprovalStatus.REJECTED, by=by, note=note)

    async def undo(self, proposal_id: str, *, by: str) -> str:
        """Begin the run that takes an applied proposal back, and return its id."""
        run_id = await self.orchestrator.undo(proposal_id, by=by)
        await self._see_to(run_id)
        return run_id

    async def explain(self, proposal_id: str) -> Explanation:
        """Return what the policy says of a proposal now, and what would change it."""
        story = await self.journal.story(proposal_id)
        changed = story.approval.changed if story.approval else None
        proposal = story.filed.proposal
        filed = replace(story.filed, proposal=replace(proposal, action=changed or proposal.action))
        day = self.pipeline.day(self.clock.now()).name
        return await explained(
            self.pipeline, filed, await self.journal.budget_spend(filed.agent, day)
        )

    async def pause(self, *, by: str) -> None:
        """Stop every run and every effect until `resume`."""
        await self.orchestrator.set_paused(True, by=by)

    async def resume(self, *, by: str) -> None:
        """Let runs and effects go on."""
        await self.orchestrator.set_paused(False, by=by)

    async def paused(self) -> bool:
        """Tell whether the plane is paused."""
        return await self.journal.paused()

    async def verify(self, anchor: Path | None = None) -> Sequence[Discrepancy]:
        """Prove the books, and the audit against its anchors; return what does not add up."""
        anchors = AuditAnchors(self.settings, self.journal, self.clock)
        return [*await proved(self.store, self.journal), *await anchors.check(anchor)]

    async def write_anchor(self, file: Path | None = None) -> Anchor:
        """Sign the audit's head, and append it to a file."""
        return await AuditAnchors(self.settings, self.journal, self.clock).write(file)

    async def plan(
        self, agents: Sequence[str] | None = None
    ) -> Sequence[tuple[ProposalRecord, Decision]]:
        """Return what these agents (all when None) would propose; nothing is changed."""
        custom_agents(self.settings)  # raises where one cannot be imported
        for name in agents or ():
            self.pipeline.registry.agent(name)
        return await plan(self.pipeline, agents or tuple(self.agents))

    async def once(
        self, as_of: datetime | None = None, progress: Progress | None = None
    ) -> RunSummary:
        """Wake the crew once, as of a moment, and wait until all is quiet.

        Waking it again as of the same moment does nothing new.
        """
        custom_agents(self.settings)  # raises where one cannot be imported
        clock = FixedClock(as_of or self.clock.now())
        store = replace(self.store, clock=clock)
        operations = PlaneOperations(
            book=SqlControlActions(self.journal.database),
            registry=self.pipeline.registry,
            clock=clock,
        )
        pipeline = replace(self.pipeline, clock=clock, store=store, operations=operations)
        settings = replace(loop_settings(self.settings), enabled=True, wait_for_batches=False)
        loop = Orchestrator(pipeline, InlineEngine(), settings)
        await self.models.refresh()
        with _exclusive(self.settings):
            await _lead(self.journal, self.settings)
            await loop.start(alone=True)
            await _until_quiet(loop, progress)
        counts = await self.journal.count_results(loop.started_runs)
        failed = tuple(sorted(set(loop.failed_runs.values())))
        return RunSummary(runs=len(loop.started_runs), failed=failed, **counts)

    async def idle(self) -> None:
        """Wait until no run is due or running."""
        if not self.serving:
            return
        while (await self.journal.snapshot("store", self.clock.now())).running:  # noqa: ASYNC110 - a row tells
            await asyncio.sleep(_LOOK_AGAIN)

    @property
    def replies(self) -> SqlIdempotencyStore:
        """Responses kept for repeated requests."""
        return SqlIdempotencyStore(self.journal.database)

    @property
    def incidents(self) -> SqlIncidentRepository:
        """What went wrong, in the shop and in the plane."""
        return SqlIncidentRepository(self.journal.database)

    @property
    def skipped(self) -> SqlSkippedInputs:
        """Counts of what came from outside and was not acted on."""
        return SqlSkippedInputs(self.journal.database)

    async def figures(self) -> JournalCounts:
        """Count what the journal holds."""
        budgets = {name: a.budget for name, a in self.agents.items() if a.budget != Budget()}
        day = BusinessDay.of(self.clock.now(), self.settings.policy.zone)
        return await self.journal.database.read(lambda c: count_journal(c, budgets, day))

    def begin_end(self) -> None:
        """Ask the services to end, before anything else does: the process was told to."""
        self.services.begin_end()

    async def checks(self) -> Sequence[ReadinessCheck]:
        """Look whether store and journal take writes, at the disk and at the scheduler."""
        return [
            await database_check("store", self.store.database.check_writable()),
            await database_check("journal", self.journal.database.check_writable()),
            disk_check(self.settings.data_dir),
            await self._scheduler_check(),
            background_check(self.background.failing),
        ]

    async def _scheduler_check(self) -> ReadinessCheck:
        if self.duty is ProcessRole.API:  # the loop runs elsewhere, and beats for its agents
            now = self.clock.now()
            ages = [pulse.age(now) for pulse in await self.crew.health.agent_health()]
            newest = min((each for each in ages if each is not None), default=None)
            heard = "no worker was ever" if newest is None else f"{newest:.0f} s ago a worker was"
            ok, detail = newest is not None and newest < _STALLED.seconds, f"{heard} heard of"
            return ReadinessCheck(name="scheduler", ok=ok, detail=detail)
        last = self.orchestrator.last_sweep
        if not self.serving or last is None:
            return ReadinessCheck(name="scheduler", ok=False, detail="the loop has not started")
        age = max(timedelta(0), self.clock.now() - last)  # a clock may step back
        return ReadinessCheck(
            name="scheduler", ok=age < _STALLED, detail=f"looked {age.seconds} s ago"
        )

    async def _see_to(self, run_id: str) -> None:
        """Carry a run out here, unless a serving process will."""
        if self.serving or self.duty is ProcessRole.API:
            return
        try:
            with _exclusive(self.settings):
                await _lead(self.journal, self.settings)
                await self.orchestrator.execute(run_id)
        except AlreadyRunning:
            while (await self.journal.run(run_id)).status is RunStatus.RUNNING:  # noqa: ASYNC110 - a row tells
                await asyncio.sleep(_LOOK_AGAIN)


@asynccontextmanager
async def open_plane(
    settings: Settings,
    *,
    clock: Clock | None = None,
    serve: bool = False,
    duty: ProcessRole | None = None,
    name: str = "",
) -> AsyncIterator[ControlPlane]:
    """Open the store and the journal; with `serve`, run the loop until the block is left.

    `duty` is finer: `serve` stands for everything. On a server several processes may work, each
    under its `name`. Raises `AlreadyRunning` where another works on the folder.
    """
    clock, duty = clock or SystemClock(), duty or (ProcessRole.ALL if serve else ProcessRole.NONE)
    works = duty in (ProcessRole.ALL, ProcessRole.WORKER)
    async with AsyncExitStack() as stack:
        _take_folder(settings, duty, stack)
        store, journal = await _open_databases(settings, clock, stack)
        if works:
            await follow_files(SqlAgentRepository(journal.database), settings, clock.now())
        models = await stack.enter_async_context(_model_service(settings, store, journal, clock))
        web = open_web_reader(settings, journal, clock, stack)
        mail = await open_mail_service(settings, store, journal, clock)
        crew = assemble(settings, store, journal, clock, models.models, duty is ProcessRole.NONE)
        pipeline = replace(crew, pages=web)
        orchestrator = await start_orchestrator(settings, pipeline, stack, works=works, name=name)
        stack.push_async_callback((background := BackgroundTasks()).close)
        if works:
            set_to_work(orchestrator, models, background, stack)
            keep_watch(settings, orchestrator, store, journal, background)
            work_on_mail(settings, mail, orchestrator, journal, background, stack)
        changed = partial(_tell_of_service, journal, orchestrator, clock)
        supervised = _supervision(settings, journal, clock, duty, changed, background)
        yield ControlPlane(
            settings=settings,
            clock=clock,
            store=store,
            journal=journal,
            orchestrator=orchestrator,
            pipeline=pipeline,
            access=Access(SqlCredentialRepository(journal.database), clock),
            services=await stack.enter_async_context(supervised),  # last: services end first
            crew=agent_service(settings, orchestrator, pipeline, journal),
            models=models,
            web=web,
            mail=mail,
            background=background,
            serving=works,
            duty=duty,
        )


def _supervision(
    settings: Settings,
    journal: SqlJournal,
    clock: Clock,
    duty: ProcessRole,
    changed: StatusListener,
    background: BackgroundTasks,
) -> AbstractAsyncContextManager[ServiceManager]:
    """Return the service manager to open; only a process for everything supervises."""
    registry = SqlServiceRegistry(journal.database)
    supervise = duty is ProcessRole.ALL
    return open_services(
        settings, registry, clock, supervise=supervise, changed=changed, background=background
    )


def _take_folder(settings: Settings, duty: ProcessRole, stack: AsyncExitStack) -> None:
    """Make the data folder; a process that works in it alone holds its lock.

    A mistake in a file of a service is reported first, before anything acts.
    """
    if duty is ProcessRole.ALL:
        described(settings)
    make_folder(settings.data_dir)
    works_alone = duty is ProcessRole.WORKER and not is_shared(settings)
    if duty is ProcessRole.ALL or works_alone:
        stack.enter_context(_exclusive(settings))


async def _open_databases(
    settings: Settings, clock: Clock, stack: AsyncExitStack
) -> tuple[SqlStore, SqlJournal]:
    """Open the shop's books and the crew's, to be closed with the stack."""
    url = database_url(settings, "orders.db")
    store = await open_store(url, clock=clock, currency=settings.store.currency)
    stack.push_async_callback(store.close)
    journal = await asyncio.to_thread(open_journal, database_url(settings, "registry.db"))
    stack.push_async_callback(journal.close)
    return store, journal


@asynccontextmanager
async def _model_service(
    settings: Settings, store: SqlStore, journal: SqlJournal, clock: Clock
) -> AsyncIterator[ModelService]:
    """Open the model service; trainings under way end when it is closed."""
    service = model_service(settings, store, journal, clock)
    try:
        yield service
    finally:
        await service.close()


async def _tell_of_service(
    journal: SqlJournal, orchestrator: Orchestrator, clock: Clock, view: ServiceView
) -> None:
    """Let those who watch know how a service is now, and the crew of one that failed."""
    body = {
        "service": view.id,
        "status": view.status.value,
        "pid": view.pid,
        "health": view.health.value,
        "detail": view.detail,
    }
    await journal.publish_update(Topic.SERVICE, body, clock.now())
    if view.status is ServiceStatus.FAILED:
        await orchestrator.publish([service_failed(view, clock.now())])


@asynccontextmanager
async def open_access(settings: Settings) -> AsyncIterator[Access]:
    """Open the book of those who may come in, and nothing else."""
    make_folder(settings.data_dir)
    journal = await asyncio.to_thread(open_journal, database_url(settings, "registry.db"))
    try:
        yield Access(SqlCredentialRepository(journal.database), SystemClock())
    finally:
        await journal.close()


async def end_what_is_left(settings: Settings) -> int:
    """Stop the services that a killed storecrew left running; return how many.

    Raises `AlreadyRunning` where a process runs the crew on this folder.
    """
    with _exclusive(settings):
        async with open_supervised_services(settings) as service:
            return await end_services(settings, service.registry, service.clock)


def assemble(
    settings: Settings,
    store: Store,
    journal: SqlJournal,
    clock: Clock,
    models: ServedModels | None = None,
    idle: bool = False,
) -> Pipeline:
    """Return the pipeline of the shipped crew over these parts; `idle` wakes no agent."""
    registry = Registry(configured_agents(settings, idle=idle))
    return Pipeline(
        store=store,
        journal=journal,
        policy=Policy(settings.policy),
        registry=registry,
        operations=PlaneOperations(
            book=SqlControlActions(journal.database), registry=registry, clock=clock
        ),
        models=models or basic_models(),
        clock=clock,
        wall=clock,
        currency=settings.store.currency,
        settings=agent_options(settings),
    )


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
    """Acquire leadership on a shared database until the journal closes, or fail."""
    if not await journal.try_acquire_leadership():
        raise AlreadyRunning(settings.data_dir, "on another machine")


async def _until_quiet(loop: Orchestrator, progress: Progress | None) -> None:
    while (await loop.sweep()).progress:
        if progress is not None:
            progress("runs", len(loop.started_runs), None)
