"""The HTTP API over the plane that the product's bootstrap opens, its databases in memory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fake_services import FakeServices

from storecrew.api.application import create_app
from storecrew.app import Settings, bootstrap, load_settings
from storecrew.app.bootstrap import ControlPlane
from storecrew.app.clocks import SystemClock
from storecrew.app.control_plane import ProcessRole
from storecrew.database import DISPOSABLE
from storecrew.domain.control.events import RunRequested, StoredEvent
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import Clock
from storecrew.domain.shop.catalog import SetPrice
from storecrew.journal import SqlJournal, open_journal
from storecrew.sdk import Agent, Budget, Context, Proposal, agent
from storecrew.stores.sql import SqlStore, open_store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NO_LIMITS = {
    f"STORECREW_API__ROUTE_LIMITS__{name}": "0"
    for name in ("MAIL", "WAREHOUSE", "APPROVE", "FULFILLED")
}
Place = Callable[..., Any]
"""Places an order and returns the response."""
Open = Callable[[Settings, Clock, AsyncExitStack], Awaitable[tuple[SqlStore, SqlJournal]]]


@dataclass
class ManualClock:
    """A clock that moves when it is told to."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at


def named(name: str, **options: Any) -> Agent:
    """Return an agent that does as the request for its run says, and else nothing."""

    @agent(name=name, allowed_actions=[SetPrice], capabilities=[name], **options)
    async def work(event: Event, ctx: Context) -> Any:
        """Propose the price of the request, or fail."""
        given = event.parameters if isinstance(event, RunRequested) else {}
        if given.get("fail"):
            raise ValueError("as the request says")
        if price := given.get("price"):
            action = SetPrice(sku="Product A", price=Money.of(price, "EUR"))
            yield Proposal(action=action, reason="sells well")

    return work


CREW = (named("pricing", budget=Budget(runs=5)), named("inventory"))


@dataclass
class Api:
    """A plane, and clients of the application over it."""

    plane: ControlPlane
    clients: list[httpx.AsyncClient] = field(default_factory=list[httpx.AsyncClient])

    def client(
        self, settings: Settings | None = None, *, peer: str = "127.0.0.1", **options: Any
    ) -> httpx.AsyncClient:
        app = create_app(self.plane, settings or self.plane.settings)
        transport = httpx.ASGITransport(app, client=(peer, 1234))
        client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000", **options)
        self.clients.append(client)
        return client

    async def settle(self) -> None:
        """Do all that is due."""
        while (await self.plane.orchestrator.sweep()).progress:
            pass

    async def recorded(self) -> list[StoredEvent]:
        """Return the events of the journal, oldest first."""
        return list((await self.plane.journal.events(page=1, per_page=200)).items)[::-1]

    async def requested_by(self) -> list[str]:
        """Return who asked for each run, in order."""
        return [e.event.by for e in await self.recorded() if isinstance(e.event, RunRequested)]


def settings_of(**environ: str) -> Settings:
    """Settings with no general limit, unless told otherwise."""
    given = {"STORECREW_API__RATE_LIMIT": "0", **environ}
    return load_settings(environ=given, directory=Path("/nonexistent"))


async def open_in_memory(
    settings: Settings, clock: Clock, stack: AsyncExitStack
) -> tuple[SqlStore, SqlJournal]:
    currency = settings.store.currency
    store = await open_store(
        "sqlite://", clock=clock, currency=currency, durability=DISPOSABLE, inline=True
    )
    stack.push_async_callback(store.close)
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    stack.push_async_callback(journal.close)
    return store, journal


@asynccontextmanager
async def open_api(
    folder: Path,
    *crew: Agent,
    clock: Clock | None = None,
    databases: Open = open_in_memory,
    **environ: str,
) -> AsyncIterator[Api]:
    """Open the plane as a process does that serves HTTP and runs the crew, which is this one.

    What is due is done when a test says so. Only services are fakes: they would be processes.
    """
    settings = settings_of(STORECREW_ORCHESTRATOR__DATA_DIR=str(folder), **NO_LIMITS, **environ)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bootstrap, "_open_databases", databases)
        async with bootstrap.open_plane(settings, clock=clock or ManualClock()) as plane:
            services: Any = FakeServices()
            api = Api(replace(plane, serving=True, duty=ProcessRole.ALL, services=services))
            registry = plane.pipeline.registry
            for name in list(registry.agents):
                registry.deregister(name)
            for each in crew:
                registry.register(each)
            await plane.crew.health.heartbeat(list(plane.agents), plane.clock.now())
            await plane.orchestrator.sweep()
            yield api
            for client in api.clients:
                await client.aclose()


@asynccontextmanager
async def serve_api(folder: Path, *crew: Agent, **environ: str) -> AsyncIterator[Api]:
    """Open the plane on the machine's clock, and run its loop until left."""
    async with open_api(folder, *crew, clock=SystemClock(), **environ) as api:
        loop = asyncio.create_task(api.plane.orchestrator.serve())
        try:
            yield api
        finally:
            api.plane.orchestrator.request_stop()
            await loop
