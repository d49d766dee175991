"""How each agent is shown: what it declares, and how it is."""

from typing_extensions import TypedDict

from storecrew.app.agent_service import AgentStatus
from storecrew.app.control_plane import Plane
from storecrew.domain.control.health import AgentState
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Every


class AgentView(TypedDict):
    """What an agent declares of itself."""

    agent_id: str
    name: str
    purpose: str
    on: list[str]
    interval: float | str | None
    allowed_actions: list[str]
    publishes: list[str]
    capabilities: list[str]
    tags: list[str]
    priority: int
    max_concurrent_tasks: int


class AgentStatusView(TypedDict):
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

    agents: list[AgentStatusView]
    total: int
    healthy: int
    stale: int
    error: int
    unknown: int


async def crew_status(plane: Plane) -> CrewStatus:
    """Return every agent and how it is, and how many are healthy, stale and in error."""
    standings = await plane.crew.statuses()
    states = [standing.health for standing in standings]
    return {
        "agents": [standing_view(standing) for standing in standings],
        "total": len(states),
        "healthy": states.count(AgentState.HEALTHY),
        "stale": states.count(AgentState.STALE),
        "error": states.count(AgentState.ERROR),
        "unknown": states.count(AgentState.UNKNOWN),
    }


def agent_view(agent: Agent) -> AgentView:
    """Return what an agent declares of itself."""
    return {
        "agent_id": agent.name,
        "name": agent.name,
        "purpose": agent.purpose,
        "on": [event.__name__ for event in agent.on],
        "interval": _interval(agent),
        "allowed_actions": sorted(action.__name__ for action in agent.allowed_actions),
        "publishes": sorted(event.__name__ for event in agent.publishes),
        "capabilities": list(agent.capabilities),
        "tags": list(agent.tags),
        "priority": agent.priority,
        "max_concurrent_tasks": agent.concurrency,
    }


def standing_view(standing: AgentStatus) -> AgentStatusView:
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
        "heartbeat_age": standing.health_record.age(now),
        "error_count": standing.health_record.failures,
        "tags": list(agent.tags),
    }


def _interval(agent: Agent) -> float | str | None:
    if agent.schedule is None:
        return None
    if isinstance(agent.schedule, Every):
        return agent.schedule.interval.total_seconds()
    return agent.schedule.expression
