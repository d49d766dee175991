"""How each agent is shown: what it declares, and how it is."""

from typing_extensions import TypedDict

from storecrew.app.crew_desk import Standing
from storecrew.app.plane import Plane
from storecrew.domain.health import State
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Every


class AgentView(TypedDict):
    """What an agent declares of itself."""

    agent_id: str
    name: str
    purpose: str
    on: list[str]
    interval: float | str | None
    may: list[str]
    capabilities: list[str]
    tags: list[str]
    priority: int
    max_concurrent_tasks: int


class AgentStatus(TypedDict):
    """How an agent is."""

    agent_id: str
    name: str
    status: str
    health: str
    interval: float | str | None
    last_run: str | None
    next_run: str | None
    heartbeat_age: float | None
    error_count: int
    tags: list[str]


class CrewStatus(TypedDict):
    """How every agent is, and how many are so."""

    agents: list[AgentStatus]
    total: int
    healthy: int
    stale: int
    error: int
    unknown: int


async def crew_status(plane: Plane) -> CrewStatus:
    """Return every agent and how it is, and how many are healthy, stale and in error."""
    standings = await plane.crew.standings()
    states = [standing.health for standing in standings]
    return {
        "agents": [standing_view(standing) for standing in standings],
        "total": len(states),
        "healthy": states.count(State.HEALTHY),
        "stale": states.count(State.STALE),
        "error": states.count(State.ERROR),
        "unknown": states.count(State.UNKNOWN),
    }


def agent_view(agent: Agent) -> AgentView:
    """Return what an agent declares of itself."""
    return {
        "agent_id": agent.name,
        "name": agent.name,
        "purpose": agent.purpose,
        "on": [event.__name__ for event in agent.on],
        "interval": _interval(agent),
        "may": sorted(action.__name__ for action in agent.may),
        "capabilities": list(agent.capabilities),
        "tags": list(agent.tags),
        "priority": agent.priority,
        "max_concurrent_tasks": agent.concurrency,
    }


def standing_view(standing: Standing) -> AgentStatus:
    """Return how an agent is."""
    agent, last, now = standing.agent, standing.last, standing.now
    return {
        "agent_id": agent.name,
        "name": agent.name,
        "status": standing.word,
        "health": str(standing.health),
        "interval": _interval(agent),
        "last_run": last.created_at.isoformat() if last else None,
        "next_run": agent.schedule.after(now).isoformat() if agent.schedule else None,
        "heartbeat_age": standing.pulse.age(now),
        "error_count": standing.pulse.failures,
        "tags": list(agent.tags),
    }


def _interval(agent: Agent) -> float | str | None:
    if agent.schedule is None:
        return None
    if isinstance(agent.schedule, Every):
        return agent.schedule.interval.total_seconds()
    return agent.schedule.expression
