"""A crew desk over an empty journal in memory, for a door whose plane is a fake."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from storecrew.app import Settings
from storecrew.app.agent_service import AgentService
from storecrew.database import DISPOSABLE
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import SqlJournal, health, open_journal
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.health import SqlHealthRepository
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Agent


async def nothing() -> None:
    """Follow no change."""


async def no_run(_agent: str, _by: str, _parameters: Mapping[str, Any]) -> str:
    """Begin no run."""
    return ""


def fake_crew(
    agents: Mapping[str, Agent], settings: Settings, clock: Clock, journal: Any
) -> AgentService:
    """Return a desk for these agents; its journal is to be closed with `close_crew`."""
    memory = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    desk = crew_over(memory, Registry(agents.values()), settings, clock)
    return replace(desk, journal=journal)


def crew_over(
    journal: SqlJournal, registry: Registry, settings: Settings, clock: Clock
) -> AgentService:
    """Return a desk over a journal, which begins no run."""
    return AgentService(
        book=SqlAgentRepository(journal.database),
        health=SqlHealthRepository(journal.database),
        journal=journal,
        registry=registry,
        settings=settings,
        clock=clock,
        request=no_run,
        changed=nothing,
    )


async def note_failure(desk: AgentService, agent: str, now: datetime) -> None:
    """Have a run of the agent fail."""
    failure = RunFailure(
        run=f"{agent}@1", attempt=1, error="no luck", retry_at=None, now=now, agent=agent
    )
    assert isinstance(desk.health, SqlHealthRepository)
    await desk.health.database.write(lambda c: health.note_failure(c, failure, escalate=False))


async def close_crew(desk: AgentService) -> None:
    """Release the desk's journal."""
    assert isinstance(desk.book, SqlAgentRepository)
    await desk.book.database.close()
