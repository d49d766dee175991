"""The journal opened by another process than the plane's: to read health, alert, and register."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from storecrew.app.alerts import alerts_of
from storecrew.app.clocks import SystemClock
from storecrew.app.crew_desk import orchestrator_status
from storecrew.app.places import database_url
from storecrew.app.settings import Settings, load_settings
from storecrew.database import Database, connect
from storecrew.database.errors import translated
from storecrew.domain.crew import Enlisted, ShopDay
from storecrew.domain.errors import StorageDamaged
from storecrew.domain.health import NoJournal, Pulse
from storecrew.domain.ports import Clock
from storecrew.journal import crew, health, runs
from storecrew.journal.crew import SqlCrew
from storecrew.journal.health import SqlHealth
from storecrew.orchestrator.alerts import Told

_SCHEMA = "journal"


@dataclass(frozen=True, kw_only=True)
class JournalDoor:
    """A journal that exists; nothing here ever makes or migrates one."""

    settings: Settings
    database: Database
    clock: Clock

    def pulses(self) -> list[Pulse]:
        """Return every agent on duty with what is known of it, by name."""
        return self.database.run(health.pulses, deferred=True)

    def status(self) -> Mapping[str, Any]:
        """Return how the orchestrator is: its name, status, statistics and configuration."""
        now = self.clock.now()
        day = ShopDay.of(now, self.settings.policy.zone)
        counts = self.database.run(lambda c: crew.statistics(c, day), deferred=True)
        paused = self.database.run(runs.paused, deferred=True)
        return orchestrator_status(self.settings, self.pulses(), counts, paused, now)

    async def alert(self, threshold: int | None = None) -> Told:
        """Tell whoever should know of agents that are unwell, once each."""
        book = SqlHealth(self.database)
        return await alerts_of(self.settings, book, self.clock, threshold=threshold).look()

    async def enlist(self, recruit: Enlisted) -> bool:
        """Register an agent; False where it is registered exactly so already."""
        return await SqlCrew(self.database).enlist(recruit)

    async def enlisted(self) -> list[Enlisted]:
        """Return every registered agent."""
        return await SqlCrew(self.database).enlisted()

    def close(self) -> None:
        """Release every connection."""
        self.database.engine.dispose()


def open_doorway(settings: Settings | None = None, clock: Clock | None = None) -> JournalDoor:
    """Open the journal that the settings of this place name; `NoJournal` where there is none."""
    settings = settings or load_settings()
    url = database_url(settings, "registry.db")
    file = sa.make_url(url).database
    is_file = url.startswith("sqlite")
    where = str(file) if is_file else "the database of DATABASE_URL"
    if is_file and not (file and Path(file).is_file()):
        raise NoJournal(where)
    database = Database(connect(url, schema=_SCHEMA), name="journal", inline=True)
    try:
        with translated("journal"):
            known = sa.inspect(database.engine).has_table("heartbeats", schema=_of(database))
    except StorageDamaged as error:
        raise NoJournal(where) from error
    if not known:
        database.engine.dispose()
        raise NoJournal(where)
    return JournalDoor(settings=settings, database=database, clock=clock or SystemClock())


def _of(database: Database) -> str | None:
    return None if database.is_sqlite else _SCHEMA
