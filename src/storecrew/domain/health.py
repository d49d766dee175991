"""How the agents are: said only of what was looked at, in words that do not blur."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from storecrew.domain.errors import StorecrewError

MAX_AGE = timedelta(seconds=120)
"""A heartbeat older than this is stale: eight missed ones."""
THRESHOLD = 5
"""Failures in a row before somebody is told."""


class State(StrEnum):
    """How an agent is. Waiting for events is healthy: idle is not dead."""

    HEALTHY = "healthy"
    STALE = "stale"
    """Nobody heard of it for longer than is usual."""
    ERROR = "error"
    """Its last runs failed."""
    UNKNOWN = "unknown"
    """Nobody ever heard of it."""


class Overall(StrEnum):
    """How the crew is as a whole."""

    HEALTHY = "healthy"
    WARNING = "warning"
    """Some agent is stale or unknown, or there is no agent at all."""
    DEGRADED = "degraded"
    """Some agent fails."""


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """What the journal knows of one agent's health."""

    agent: str
    beat_at: datetime | None
    """When it, or the worker that would run it, was last heard of."""
    failures: int = 0
    """Failures since its last run that went well."""
    error: str = ""
    """Why the last of them failed."""

    def age(self, now: datetime) -> float | None:
        """Return the seconds since it was heard of; a clock set back does not make it younger."""
        if self.beat_at is None:
            return None
        return max(0.0, (now - self.beat_at).total_seconds())

    def state(self, now: datetime, max_age: timedelta = MAX_AGE) -> State:
        """Return how it is at this moment."""
        if self.failures:
            return State.ERROR
        age = self.age(now)
        if age is None:
            return State.UNKNOWN
        return State.STALE if age > max_age.total_seconds() else State.HEALTHY


class IncidentKind(StrEnum):
    """What is wrong with an agent."""

    ERROR = "error"
    """It failed as often in a row as the owner's threshold."""
    HUNG = "hung"
    """It did not end in time, as often as it was tried."""
    STALE = "stale"
    """Nobody hears of it."""


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something wrong with one agent, from when it was seen until it was over."""

    id: str
    agent: str
    kind: IncidentKind
    detail: str
    opened_at: datetime
    closed_at: datetime | None = None
    told_at: datetime | None = None
    """When somebody was last told of it."""
    told_end_at: datetime | None = None
    """When somebody was told that it is over."""

    @property
    def is_severe(self) -> bool:
        """Whether it makes the crew `degraded`; quiet hours do not hold such an alert back."""
        return self.kind is not IncidentKind.STALE


class NoJournal(StorecrewError):
    """There is no journal to read the crew's health from, so nothing can be said of it."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"there is no journal at {where}; start `storecrew up` there, or name its --data-dir"
        )
        self.where = where


class HealthBook(Protocol):
    """The journal's part about health. Each method is one transaction."""

    async def pulses(self) -> list[Pulse]:
        """Return every agent on duty with what is known of it, by name."""
        ...

    async def beat(self, agents: Sequence[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents were heard of."""
        ...

    async def open(self, agent: str, kind: IncidentKind, detail: str, now: datetime) -> bool:
        """Open an incident; False where one of the agent is open already."""
        ...

    async def close(self, agent: str, now: datetime, *, silently: bool = False) -> bool:
        """Close the agent's incident; False where none is open. Silently, nobody is told so."""
        ...

    async def untold(self) -> list[Incident]:
        """Return the incidents that are open, and those over of which nobody was told so."""
        ...

    async def claim(self, incident: Incident, by: str, now: datetime, hold: timedelta) -> bool:
        """Reserve the right to tell of an incident for a while; False where another has it.

        Also where another told of it since it was read.
        """
        ...

    async def told(self, incident: Incident, now: datetime) -> None:
        """Record that somebody was told of the incident, or of its end."""
        ...

    async def unclaim(self, incident: str) -> None:
        """Let another try to tell of it, as telling failed."""
        ...


def report(pulses: Sequence[Pulse], now: datetime, max_age: timedelta = MAX_AGE) -> dict[str, Any]:
    """Return how the crew is, each agent under one word."""
    groups: dict[State, list[Mapping[str, Any]]] = {state: [] for state in State}
    for pulse in pulses:
        groups[pulse.state(now, max_age)].append(_shown(pulse, now))
    counted = {str(s): {"count": len(a), "agents": a} for s, a in groups.items()}
    return {
        "timestamp": now.isoformat(),
        "total_agents": len(pulses),
        **counted,
        "overall_status": str(overall(pulses, now, max_age)),
    }


def overall(pulses: Sequence[Pulse], now: datetime, max_age: timedelta = MAX_AGE) -> Overall:
    """Return the word for the whole crew: the worst of its agents decides."""
    states = {pulse.state(now, max_age) for pulse in pulses}
    if State.ERROR in states:
        return Overall.DEGRADED
    return Overall.HEALTHY if states == {State.HEALTHY} else Overall.WARNING


def _shown(pulse: Pulse, now: datetime) -> Mapping[str, Any]:
    return {
        "agent_id": pulse.agent,
        "heartbeat_age": pulse.age(now),
        "error_count": pulse.failures,
        "last_error": pulse.error,
    }
