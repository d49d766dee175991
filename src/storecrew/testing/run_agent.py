"""Waking one agent in a test: what would it propose, seeing this store?"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import StoreView
from storecrew.domain.ports.web import NoWebReader, WebReader
from storecrew.models import basic_models
from storecrew.sdk import Agent, Context
from storecrew.sdk.context import EmptyHistory, EventHistory, ReadOnly
from storecrew.sdk.settings import parse_settings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def run_agent(  # noqa: PLR0913 - all but three are read by name
    agent: Agent,
    events: Event | Sequence[Event],
    store: StoreView,
    *,
    now: datetime = NOON,
    settings: Mapping[str, Any] | None = None,
    models: Models | None = None,
    currency: str = "EUR",
    pages: WebReader | None = None,
    history: EventHistory | None = None,
) -> list[Proposal | Event]:
    """Return everything the agent yields for these events, as the orchestrator would see it.

    Raises `AssertionError` if it proposes an action, or records an event, that it did not declare.
    """
    woken_by = [events] if isinstance(events, Event) else list(events)
    context = Context(
        run="test",
        agent=agent.name,
        now=now,
        store=ReadOnly(store, agent.name),
        models=models or basic_models(),
        settings=parse_settings(agent.settings, agent.name, settings or {}),
        budget=agent.budget,
        currency=currency,
        pages=pages or NoWebReader(),
        history=history or EmptyHistory(),
    )
    found = [each async for each in agent.invoke(woken_by, context)]
    for each in found:
        if isinstance(each, Proposal) and type(each.action) not in agent.allowed_actions:
            raise AssertionError(f"{agent.name} may not propose {each.action!r}")
        if isinstance(each, Event) and type(each) not in agent.publishes:
            raise AssertionError(f"{agent.name} may not publish {each!r}")
    return found
