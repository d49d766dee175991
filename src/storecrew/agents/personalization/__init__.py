"""Shows what goes together, and offers it together."""

from storecrew.agents.personalization.agent import personalization

__all__ = ["personalization"]
