"""How each agent is doing, read from the runs in the journal."""

from datetime import datetime, timedelta
from typing import Any

from storecrew.app.plane import Plane
from storecrew.domain.runs import Run, RunStatus
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Every

_GRACE = timedelta(minutes=2)
"""How late a scheduled agent may be, over two of its intervals, before it counts as stale."""


async def crew_status(plane: Plane) -> dict[str, Any]:
    """Return every agent with its last run, and how many are healthy, stale and in error."""
    agents = [await _agent(plane, agent) for agent in plane.agents.values()]
    states = [agent["status"] for agent in agents]
    stale, error = states.count("stale"), states.count("error")
    return {
        "agents": agents,
        "total": len(agents),
        "healthy": len(agents) - stale - error,
        "stale": stale,
        "error": error,
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


async def _agent(plane: Plane, agent: Agent) -> dict[str, Any]:
    now = plane.clock.now()
    recent = await plane.journal.runs(page=1, per_page=1, agent=agent.name)
    failed = await plane.journal.runs(page=1, per_page=1, agent=agent.name, status=RunStatus.FAILED)
    last = recent.items[0] if recent.items else None
    beat = last and (last.finished_at or last.created_at)
    next_run = agent.schedule.after(now).isoformat() if agent.schedule else None
    return {
        "agent_id": agent.name,
        "name": agent.name,
        "status": _status(agent, last, now),
        "interval": _interval(agent),
        "last_run": last.created_at.isoformat() if last else None,
        "next_run": next_run,
        "heartbeat_age": (now - beat).total_seconds() if beat else None,
        "error_count": failed.total,
        "tags": list(agent.tags),
    }


def _status(agent: Agent, last: Run | None, now: datetime) -> str:
    if last is None:
        return "idle"
    if last.status in (RunStatus.FAILED, RunStatus.RETRYING, RunStatus.SPLIT):
        return "error"
    if last.status is RunStatus.RUNNING:
        return "running"
    if isinstance(agent.schedule, Every):
        allowed = 2 * agent.schedule.interval + _GRACE
        return "stale" if now - last.created_at > allowed else "healthy"
    return "healthy"


def _interval(agent: Agent) -> float | str | None:
    if agent.schedule is None:
        return None
    if isinstance(agent.schedule, Every):
        return agent.schedule.interval.total_seconds()
    return agent.schedule.expression
