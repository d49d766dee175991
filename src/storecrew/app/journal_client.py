"""The journal opened by another process than the plane's: to read health, alert, and register."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storecrew.app.agent_service import orchestrator_status
from storecrew.app.alerts import alerts_of
from storecrew.app.clocks import SystemClock
from storecrew.app.database_urls import database_url
from storecrew.app.settings import Settings, load_settings
from storecrew.database import Database, connect
from storecrew.database.errors import translated
from storecrew.domain.control.agents import BusinessDay, RegisteredAgent
from storecrew.domain.control.health import AgentHealth, JournalNotFound
from storecrew.domain.control.incidents import AlertReport
from storecrew.domain.errors import StorageDamaged
from storecrew.domain.ports.clock import Clock
from storecrew.journal import agents, health, runs
from storecrew.journal.agents import SqlAgentRepository

_SCHEMA = "journal"


@dataclass(frozen=True, kw_only=True)
class LocalJournalClient:
    """A journal that exists; nothing here ever makes or migrates one."""

    settings: Settings
    database: Database
    clock: Clock

    def agent_health(self) -> list[AgentHealth]:
        """Return every agent on duty with what is known of it, by name."""
        return self.database.run(health.agent_health, deferred=True)

    def status(self) -> Mapping[str, Any]:
        """Return how the orchestrator is: its name, status, statistics and configuration."""
        now = self.clock.now()
        day = BusinessDay.of(now, self.settings.policy.zone)
        counts = self.database.run(lambda c: agents.statistics(c, day), deferred=True)
        paused = self.database.run(runs.paused, deferred=True)
        return orchestrator_status(self.settings, self.agent_health(), counts, paused, now)

    async def alert(self, threshold: int | None = None) -> AlertReport:
        """Send the outstanding alerts, one per incident."""
        alerts = alerts_of(self.settings, self.database, self.clock, threshold=threshold)
        return await alerts.poll()

    async def register(self, factory: RegisteredAgent) -> bool:
        """Register an agent; False where it is registered exactly so already."""
        return await SqlAgentRepository(self.database).register(factory)

    async def registered(self) -> list[RegisteredAgent]:
        """Return every registered agent."""
        return await SqlAgentRepository(self.database).registered()

    def close(self) -> None:
        """Release every connection."""
        self.database.release()


def open_journal_client(
    settings: Settings | None = None, clock: Clock | None = None
) -> LocalJournalClient:
    """Open the journal that the settings here name; raises `JournalNotFound`."""
    settings = settings or load_settings()
    url = database_url(settings, "registry.db")
    file = sa.make_url(url).database
    is_file = url.startswith("sqlite")
    where = str(file) if is_file else "the database of DATABASE_URL"
    if is_file and not (file and Path(file).is_file()):
        raise JournalNotFound(where)
    database = Database(connect(url, schema=_SCHEMA), name="journal", inline=True)
    try:
        with translated("journal"):
            known = sa.inspect(database.engine).has_table("heartbeats", schema=_of(database))
    except StorageDamaged as error:
        raise JournalNotFound(where) from error
    if not known:
        database.engine.dispose()
        raise JournalNotFound(where)
    return LocalJournalClient(settings=settings, database=database, clock=clock or SystemClock())


def _of(database: Database) -> str | None:
    return None if database.is_sqlite else _SCHEMA
