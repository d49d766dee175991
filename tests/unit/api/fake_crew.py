"""A crew desk over an empty journal in memory, for a door whose plane is a fake."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from storecrew.app import Settings
from storecrew.app.crew_desk import CrewDesk
from storecrew.database import DISPOSABLE
from storecrew.domain.journal import Failure
from storecrew.domain.ports import Clock
from storecrew.journal import SqlJournal, health, open_journal
from storecrew.journal.crew import SqlCrew
from storecrew.journal.health import SqlHealth
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Agent


async def nothing() -> None:
    """Follow no change."""


async def no_run(_agent: str, _by: str, _parameters: Mapping[str, Any]) -> str:
    """Begin no run."""
    return ""


def fake_crew(
    agents: Mapping[str, Agent], settings: Settings, clock: Clock, journal: Any
) -> CrewDesk:
    """Return a desk for these agents; its journal is to be closed with `close_crew`."""
    memory = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    desk = crew_over(memory, Registry(agents.values()), settings, clock)
    return replace(desk, journal=journal)


def crew_over(
    journal: SqlJournal, registry: Registry, settings: Settings, clock: Clock
) -> CrewDesk:
    """Return a desk over a journal, which begins no run."""
    return CrewDesk(
        book=SqlCrew(journal.database),
        health=SqlHealth(journal.database),
        journal=journal,
        registry=registry,
        settings=settings,
        clock=clock,
        request=no_run,
        changed=nothing,
    )


async def note_failure(desk: CrewDesk, agent: str, now: datetime) -> None:
    """Have a run of the agent fail."""
    failure = Failure(
        run=f"{agent}@1", attempt=1, error="no luck", retry_at=None, now=now, agent=agent
    )
    assert isinstance(desk.health, SqlHealth)
    await desk.health.database.write(lambda c: health.note_failure(c, failure, escalate=False))


async def close_crew(desk: CrewDesk) -> None:
    """Release the desk's journal."""
    assert isinstance(desk.book, SqlCrew)
    await desk.book.database.close()
