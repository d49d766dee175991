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
from storecrew.app.assembly import ControlPlane, assemble
from storecrew.app.clocks import SystemClock
from storecrew.app.model_desk import ModelDesk
from storecrew.app.plane import Duty
from storecrew.app.remote import Caller
from storecrew.app.web_desk import WebDesk
from storecrew.app.working import crew_desk, loop_settings
from storecrew.database import DISPOSABLE
from storecrew.journal import open_journal
from storecrew.journal.access import SqlAccess
from storecrew.journal.learning import SqlVersions
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.sdk import Agent
from storecrew.stores.sql import open_store
from storecrew.web.guard import Outbound


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
        pipeline.registry.dismiss(name)
    for agent in crew:
        pipeline.registry.register(agent)
    caller = Caller(Outbound(settings.agents_remote.allow_private), clock)
    orchestrator = Orchestrator(
        pipeline, InlineEngine(), loop_settings(settings), recruit=caller.recruit
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
        access=Access(SqlAccess(journal.database), clock),
        services=services,
        crew=crew_desk(settings, orchestrator, pipeline, journal),
        models=ModelDesk(
            book=SqlVersions(journal.database), store=store, settings=settings, clock=clock
        ),
        web=WebDesk(settings=settings.web, clock=clock, folder=settings.data_dir / "web"),
        mail=fake_mail(settings, store, clock),
        serving=True,
        duty=Duty.ALL,
    )
    door = CrewPlane(plane)
    while not await plane.crew.health.pulses() and crew:  # noqa: ASYNC110 - a row tells
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
