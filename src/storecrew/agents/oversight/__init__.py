"""Watches the order flow: how much waits where, and what would help."""

from storecrew.agents.oversight.agent import oversight
from storecrew.agents.oversight.metrics import Survey, Thresholds, survey

__all__ = ["Survey", "Thresholds", "oversight", "survey"]
