"""Moves prices, a little at a time, never below the floor."""

from storecrew.agents.pricing.agent import pricing_optimizer

__all__ = ["pricing_optimizer"]
