"""The coordinator: turns the owner's goal into work for the others, once a day."""

from storecrew.agents.coordinator.agent import coordinator

__all__ = ["coordinator"]
