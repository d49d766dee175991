"""Looks outside: what people begin to ask for, and what rivals ask for it."""

from storecrew.agents.research.agent import product_research

__all__ = ["product_research"]
