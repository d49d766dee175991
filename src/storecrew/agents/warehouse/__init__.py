"""Books what a warehouse reports."""

from storecrew.agents.warehouse.agent import warehouse

__all__ = ["warehouse"]
