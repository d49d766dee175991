"""Buys what runs low."""

from storecrew.agents.replenishment.agent import replenishment

__all__ = ["replenishment"]
