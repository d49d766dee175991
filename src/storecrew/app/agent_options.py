"""What each agent may read as its own settings."""

from typing import Any

from storecrew.agents.communications import customer_communications
from storecrew.app.settings import Settings


def options_of(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return the agents' own settings; who writes to customers knows the quiet hours."""
    own = settings.agents if isinstance(settings.agents, dict) else {}
    policy, name = settings.policy, customer_communications.name
    quiet = {
        "quiet_from": policy.quiet_from,
        "quiet_until": policy.quiet_until,
        "zone": policy.zone,
    }
    return {**own, name: {**quiet, **own.get(name, {})}}
