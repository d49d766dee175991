"""Setting the crew to work: the orchestrator, its engine, its agents and its alerts."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from storecrew.app.agent_service import AgentService
from storecrew.app.alerts import alerts_of
from storecrew.app.audit_anchor import AuditAnchors
from storecrew.app.database_urls import database_url
from storecrew.app.ids import uuid7
from storecrew.app.remote import RemoteAgentClient
from storecrew.app.secret_box import SecretBox
from storecrew.app.settings import Settings
from storecrew.database import connect_for_library
from storecrew.domain.background_tasks import BackgroundTasks, Work
from storecrew.domain.control.agents import AgentOrigin, RegisteredAgent, Worker
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.errors import StorecrewError
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.engine import Engine
from storecrew.domain.ports.store import Store
from storecrew.journal import SqlJournal
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.control_actions import SqlControlActions
from storecrew.journal.health import SqlHealthRepository
from storecrew.journal.key_values import SqlKeyValues
from storecrew.learning.service import ModelService
from storecrew.monitoring.self_check import SelfCheck
from storecrew.orchestrator import autogen
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.sdk import Agent
from storecrew.web.ssrf_guard import OutboundPolicy

_FINISH = 15.0
"""Seconds that runs and letters under way have when the process ends."""
_MODELS_SETTLE = 120.0
"""Seconds from the start to the first look at what must be learnt."""
_MODELS_EVERY = 60.0
"""Seconds between two looks for newer versions of the models."""
_CHECK_SECONDS = 15.0
"""Seconds between two rounds of alerts, and between two looks whether the databases are due."""
_Check = Callable[[], Awaitable[object]]
_log = structlog.get_logger(__name__)


def is_shared(settings: Settings) -> bool:
    """Tell whether several processes may run the crew: a server, unlike files, has many callers."""
    return settings.database.url is not None


async def start_orchestrator(
    settings: Settings, pipeline: Pipeline, stack: AsyncExitStack, *, works: bool, name: str
) -> Orchestrator:
    """Start an orchestrator, to be stopped with the stack; only one that works has an engine."""
    clock = pipeline.clock
    outbound = OutboundPolicy(settings.remote_agents.allow_private)
    caller = RemoteAgentClient(outbound, clock, lambda key: SecretBox.of(settings).decrypt(key))
    stack.push_async_callback(caller.close)
    shared = is_shared(settings)
    orchestrator = Orchestrator(
        pipeline,
        durable_engine(settings, name) if works else InlineEngine(),
        loop_settings(settings),
        factory=partial(_agent_factory, caller),
        worker=_worker(clock) if works and shared else None,
    )
    await orchestrator.start(alone=works and not shared)
    stack.push_async_callback(orchestrator.stop)
    return orchestrator


async def _proved(
    store: Store, journal: SqlJournal, clock: Clock, settings: Settings
) -> Sequence[Discrepancy]:
    anchors = AuditAnchors(settings, journal, clock)
    return [*await proved(store, journal), *await anchors.check()]


def set_to_work(
    orchestrator: Orchestrator,
    models: ModelService,
    background: BackgroundTasks,
    stack: AsyncExitStack,
) -> None:
    """Run the loop until the stack is left, and keep its models fresh."""
    background.start("models", partial(_keep_fresh, models, lambda: orchestrator.is_leader))
    run_until_left(background, "orchestrator", orchestrator.serve, orchestrator.request_stop, stack)


def run_until_left(
    background: BackgroundTasks,
    name: str,
    work: Work,
    request_stop: Callable[[], None],
    stack: AsyncExitStack,
) -> None:
    """Run work that ends when it is asked to; leaving the stack asks, and waits a while."""
    asked, ended = asyncio.Event(), asyncio.Event()

    async def run() -> None:
        await work()
        if asked.is_set():
            ended.set()
            await asyncio.Event().wait()

    async def finish() -> None:
        asked.set()
        request_stop()
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), _FINISH)

    background.start(name, run)
    stack.push_async_callback(finish)


def keep_watch(
    settings: Settings,
    orchestrator: Orchestrator,
    store: Store,
    journal: SqlJournal,
    background: BackgroundTasks,
) -> None:
    """Send alerts and verify the databases each night, where this process leads."""
    alerts = alerts_of(settings, journal.database, orchestrator.clock)
    self_check = SelfCheck(
        clock=orchestrator.clock,
        zone=settings.policy.zone,
        publish=orchestrator.publish,
        prove=partial(_proved, store, journal, orchestrator.clock, settings),
        notes=SqlKeyValues(journal.database),
    )
    anchors = AuditAnchors(settings, journal, orchestrator.clock)
    checks: Mapping[str, _Check] = {
        "alerts": alerts.poll,
        "self_check": self_check.check,
        "anchors": anchors.write_daily,
    }
    for name, check in checks.items():
        background.start(name, partial(_repeat, name, check, orchestrator))


async def _repeat(name: str, check: _Check, orchestrator: Orchestrator) -> None:
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        try:
            if orchestrator.is_leader:
                await check()
        except StorecrewError as error:  # the next check finds what this one missed
            _log.warning("check failed", check=name, error=str(error))


async def proved(store: Store, journal: SqlJournal) -> Sequence[Discrepancy]:
    """Prove the shop's books and the crew's, or return what does not add up."""
    on_plane = await SqlControlActions(journal.database).applied_keys()
    keys = [*await store.applied_keys(), *on_plane]
    return [*await store.verify(), *await journal.verify(keys)]


async def _keep_fresh(models: ModelService, leads: Callable[[], bool]) -> None:
    """Take up new versions of the models, and train what is due."""
    await models.refresh()
    await asyncio.sleep(_MODELS_SETTLE)  # a plane that just started has more urgent things to do
    while True:
        try:
            await models.refresh()
            for skill in await models.due() if leads() else ():
                await models.train_quietly(skill, by="system")
        except StorecrewError as error:  # a busy database: the next look sees to it
            _log.warning("models not looked at", error=str(error))
        await asyncio.sleep(_MODELS_EVERY)


def agent_service(
    settings: Settings, orchestrator: Orchestrator, pipeline: Pipeline, journal: SqlJournal
) -> AgentService:
    """Return the service through which entry points list and control the agents."""

    async def request(agent: str, by: str, parameters: Mapping[str, Any]) -> str:
        key = str(uuid7(pipeline.clock.now()))
        return await orchestrator.request_run(agent, key=key, by=by, parameters=parameters)

    async def changed() -> None:
        await orchestrator.sync_agents()
        orchestrator.wake_up()

    return AgentService(
        book=SqlAgentRepository(journal.database),
        health=SqlHealthRepository(journal.database),
        journal=journal,
        registry=pipeline.registry,
        settings=settings,
        clock=pipeline.clock,
        request=request,
        changed=changed,
    )


def _agent_factory(caller: RemoteAgentClient, one: RegisteredAgent) -> Agent:
    """Return the agent that a registered one is: made here, or called elsewhere."""
    return (
        autogen.build_agent(one) if one.origin is AgentOrigin.GENERATED else caller.build_agent(one)
    )


def _worker(clock: Clock) -> Worker:
    now = clock.now()
    host, pid = socket.gethostname(), os.getpid()
    return Worker(id=str(uuid7(now)), host=host, pid=pid, started_at=now)


def loop_settings(settings: Settings) -> LoopSettings:
    """Return how the loop paces itself under these settings."""
    process = settings.orchestrator
    return LoopSettings(
        interval=timedelta(seconds=process.interval_seconds),
        max_concurrent=process.max_concurrent,
        enabled=process.enabled,
        retention=timedelta(days=settings.retention.days),
    )


def durable_engine(settings: Settings, name: str = "") -> Engine:
    """Return the engine whose runs survive a crash of this process, or of the one of this name."""
    # DBOS takes a quarter of a second to import, which commands that run nothing need not pay
    from storecrew.orchestrator.durable import DurableEngine

    url = database_url(settings, "engine.db")
    executor = f"{socket.gethostname()}:{name or settings.data_dir.resolve()}"
    return DurableEngine(connect_for_library(url), executor_id=executor)
