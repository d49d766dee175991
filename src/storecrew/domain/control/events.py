"""Events as the journal receives and stores them, and the events of the control plane itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storecrew.domain.events import Event

ROUTINE_SOURCES = frozenset({"clock", "mailbox", "orchestrator", "plane", "market"})
"""Sources of the plane itself, and of a simulated market, whose events change nothing."""
PLANE_SOURCES = ROUTINE_SOURCES | {
    "agent", "person", "request", "returns", "schedule", "store", "undo", "webhook",
}  # fmt: skip
"""Sources whose ids the plane hands out; a stranger who took one could hide an event."""
REPORTER_SOURCES = ("agent:", "webhook:")
"""How the sources of events begin that an agent or another system recorded."""


@dataclass(frozen=True, kw_only=True)
class ExternalEventReceived(Event):
    """Something outside said that this happened; its data is not trusted."""

    event_type: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ClockTicked(Event):
    """An agent's schedule came due."""

    agent: str
    due: datetime

    @property
    def subject(self) -> str:
        """The agent, whose ticks are handled in order."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class RunRequested(Event):
    """A person or program asked for a run of one agent."""

    agent: str
    by: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ActionApplied(Event):
    """A person changed something that no other event tells of, for the audit."""

    action: str
    about: str
    """The action's subject."""
    changed: tuple[str, ...] = ()
    """Names of the values that are others now; values of customers do not belong in an audit."""

    @property
    def subject(self) -> str:
        """What was changed."""
        return self.about


@dataclass(frozen=True, kw_only=True)
class EventEnvelope:
    """An event on its way into the journal: unique per source and external id."""

    source: str
    external_id: str
    event: Event
    at: datetime
    actor: str = "system"


@dataclass(frozen=True, kw_only=True)
class StoredEvent:
    """An event as the journal keeps it."""

    seq: int
    """Position in the journal; grows with each event."""
    event: Event
    source: str
    external_id: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class PublishAck:
    """What the journal answers to a published event, after the commit."""

    event_id: int
    """The event's position in the journal; for a duplicate, that of the first."""
    duplicate: bool
    wakes: tuple[str, ...]
    """Names of the agents that it wakes; a duplicate wakes nobody."""
