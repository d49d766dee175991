"""Researches rising demand and competitors' prices."""

from storecrew.agents.research.agent import product_research

__all__ = ["product_research"]
