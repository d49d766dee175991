"""Opening the journal in another process than the plane's, under the settings."""

from collections.abc import Mapping
from functools import partial
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
from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.health import JournalNotFound
from storecrew.domain.control.incidents import AlertReport
from storecrew.domain.errors import StorageDamaged
from storecrew.domain.ports.clock import Clock
from storecrew.journal import agents, health, runs, services
from storecrew.journal.agents import SqlAgentRepository
from storecrew.orchestrator.journal_client import JournalClient

_SCHEMA = "journal"


def open_journal_client(
    settings: Settings | None = None, clock: Clock | None = None
) -> JournalClient:
    """Open the journal that the settings here name; raises `JournalNotFound`.

    A journal is neither made nor migrated.
    """
    settings, clock = settings or load_settings(), clock or SystemClock()
    database = _database(database_url(settings, "registry.db"))

    async def alert(threshold: int | None) -> AlertReport:
        return await alerts_of(settings, database, clock, threshold=threshold).poll()

    return JournalClient(
        clock=clock,
        agents=SqlAgentRepository(database),
        agent_health=partial(database.run, health.agent_health, deferred=True),
        services_down=partial(database.run, services.down, deferred=True),
        status=partial(_status, settings, database, clock),
        alert=alert,
        close=database.release,
    )


def _database(url: str) -> Database:
    """Connect to the journal, where there is one."""
    file = sa.make_url(url).database
    is_file = url.startswith("sqlite")
    where = str(file) if is_file else "the database of DATABASE_URL"
    if is_file and not (file and Path(file).is_file()):
        raise JournalNotFound(where)
    database = Database(connect(url, schema=_SCHEMA), name="journal", inline=True)
    schema = None if database.is_sqlite else _SCHEMA
    try:
        with translated("journal"):
            known = sa.inspect(database.engine).has_table("heartbeats", schema=schema)
    except StorageDamaged as error:
        raise JournalNotFound(where) from error
    if not known:
        database.engine.dispose()
        raise JournalNotFound(where)
    return database


def _status(settings: Settings, database: Database, clock: Clock) -> Mapping[str, Any]:
    now = clock.now()
    day = BusinessDay.of(now, settings.policy.zone)
    counts = database.run(lambda c: agents.statistics(c, day), deferred=True)
    paused = database.run(runs.paused, deferred=True)
    known = database.run(health.agent_health, deferred=True)
    return orchestrator_status(settings, known, counts, paused, now)
