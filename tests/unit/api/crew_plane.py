"""A plane in memory whose loop really runs, and clients of the HTTP door over it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from fake_plane import NO_LIMITS, fake_mail, settings_of
from fake_services import FakeServices

from storecrew.api.application import create_app
from storecrew.app.access import Access
from storecrew.app.background import agent_service, loop_settings
from storecrew.app.bootstrap import ControlPlane, assemble
from storecrew.app.clocks import SystemClock
from storecrew.app.control_plane import ProcessRole
from storecrew.app.learning import model_service
from storecrew.app.remote import RemoteAgentClient
from storecrew.database import DISPOSABLE
from storecrew.journal import open_journal
from storecrew.journal.access import SqlCredentialRepository
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.sdk import Agent
from storecrew.stores.sql import open_store
from storecrew.web.reader import LiveWebReader
from storecrew.web.ssrf_guard import OutboundPolicy


@dataclass
class CrewPlane:
    """A running plane and how to call it."""

    plane: ControlPlane
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    def client(self, **headers: str) -> httpx.AsyncClient:
        app = create_app(self.plane, self.plane.settings)
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 1))
        client = httpx.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:8000", headers=headers
        )
        self.clients.append(client)
        return client


@asynccontextmanager
async def running(crew: Sequence[Agent], **environ: str) -> AsyncIterator[CrewPlane]:
    """Run a plane with exactly this crew until left."""
    settings, clock = settings_of(**NO_LIMITS, **environ), SystemClock()
    store = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    pipeline = assemble(settings, store, journal, clock)
    for name in list(pipeline.registry.agents):
        pipeline.registry.deregister(name)
    for agent in crew:
        pipeline.registry.register(agent)
    caller = RemoteAgentClient(OutboundPolicy(settings.remote_agents.allow_private), clock)
    orchestrator = Orchestrator(
        pipeline, InlineEngine(), loop_settings(settings), factory=caller.build_agent
    )
    await orchestrator.start(alone=True)
    loop = asyncio.create_task(orchestrator.serve())
    services: Any = FakeServices()
    plane = ControlPlane(
        settings=settings,
        clock=clock,
        store=store,
        journal=journal,
        orchestrator=orchestrator,
        pipeline=pipeline,
        access=Access(SqlCredentialRepository(journal.database), clock),
        services=services,
        crew=agent_service(settings, orchestrator, pipeline, journal),
        models=model_service(settings, store, journal, clock),
        web=LiveWebReader(settings=settings.web, clock=clock, folder=settings.data_dir / "web"),
        mail=fake_mail(settings, store, clock),
        serving=True,
        duty=ProcessRole.ALL,
    )
    door = CrewPlane(plane)
    while not await plane.crew.health.agent_health() and crew:  # noqa: ASYNC110 - a row tells
        await asyncio.sleep(0.01)
    try:
        yield door
    finally:
        orchestrator.request_stop()
        await loop
        for client in door.clients:
            await client.aclose()
        await caller.close()
        await store.close()
        await journal.close()
