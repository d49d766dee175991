"""How each agent is shown: what it declares, and how it is."""

from typing import Any

from storecrew.app.crew_desk import Standing
from storecrew.app.plane import Plane
from storecrew.domain.health import State
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Every


async def crew_status(plane: Plane) -> dict[str, Any]:
    """Return every agent and how it is, and how many are healthy, stale and in error."""
    standings = await plane.crew.standings()
    states = [standing.health for standing in standings]
    return {
        "agents": [standing_view(standing) for standing in standings],
        "total": len(states),
        **{str(state): states.count(state) for state in State},
    }


def agent_view(agent: Agent) -> dict[str, Any]:
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


def standing_view(standing: Standing) -> dict[str, Any]:
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
