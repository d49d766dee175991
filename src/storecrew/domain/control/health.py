"""The health of agents, from their heartbeats and failures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from storecrew.domain.errors import StorecrewError

MAX_AGE = timedelta(seconds=120)
"""A heartbeat older than this is stale: eight missed ones."""


THRESHOLD = 5
"""Failures in a row before somebody is told."""


class AgentState(StrEnum):
    """How an agent is. Waiting for events is healthy: idle is not dead."""

    HEALTHY = "healthy"
    STALE = "stale"
    """Nobody heard of it for longer than is usual."""
    ERROR = "error"
    """Its last runs failed."""
    UNKNOWN = "unknown"
    """Nobody ever heard of it."""


class CrewHealth(StrEnum):
    """How the crew is as a whole."""

    HEALTHY = "healthy"
    WARNING = "warning"
    """Some agent is stale or unknown, or there is no agent at all."""
    DEGRADED = "degraded"
    """Some agent fails."""


@dataclass(frozen=True, kw_only=True)
class AgentHealth:
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

    def state(self, now: datetime, max_age: timedelta = MAX_AGE) -> AgentState:
        """Return how it is at this moment."""
        if self.failures:
            return AgentState.ERROR
        age = self.age(now)
        if age is None:
            return AgentState.UNKNOWN
        return AgentState.STALE if age > max_age.total_seconds() else AgentState.HEALTHY


class JournalNotFound(StorecrewError):
    """There is no journal to read the crew's health from, so nothing can be said of it."""

    def __init__(self, where: str) -> None:
        super().__init__(
            f"there is no journal at {where}; start `storecrew up` there, or name its --data-dir"
        )
        self.where = where


def report(
    pulses: Sequence[AgentHealth], now: datetime, max_age: timedelta = MAX_AGE
) -> dict[str, Any]:
    """Return how the crew is, each agent under one word."""
    groups: dict[AgentState, list[Mapping[str, Any]]] = {state: [] for state in AgentState}
    for pulse in pulses:
        groups[pulse.state(now, max_age)].append(_shown(pulse, now))
    counted = {str(s): {"count": len(a), "agents": a} for s, a in groups.items()}
    return {
        "timestamp": now.isoformat(),
        "total_agents": len(pulses),
        **counted,
        "overall_status": str(overall(pulses, now, max_age)),
    }


def overall(
    pulses: Sequence[AgentHealth], now: datetime, max_age: timedelta = MAX_AGE
) -> CrewHealth:
    """Return the word for the whole crew: the worst of its agents decides."""
    states = {pulse.state(now, max_age) for pulse in pulses}
    if AgentState.ERROR in states:
        return CrewHealth.DEGRADED
    return CrewHealth.HEALTHY if states == {AgentState.HEALTHY} else CrewHealth.WARNING


def _shown(pulse: AgentHealth, now: datetime) -> Mapping[str, Any]:
    return {
        "agent_id": pulse.agent,
        "heartbeat_age": pulse.age(now),
        "error_count": pulse.failures,
        "last_error": pulse.error,
    }
