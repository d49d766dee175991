"""Who wakes, when, and what becomes of what they propose."""

from storecrew.orchestrator.autogen import get_agent_registry, register_autogen_agents
from storecrew.orchestrator.heartbeats import (
    get_health_status,
    send_health_alerts,
    verify_heartbeats,
)

__all__ = [
    "get_agent_registry",
    "get_health_status",
    "register_autogen_agents",
    "send_health_alerts",
    "verify_heartbeats",
]
