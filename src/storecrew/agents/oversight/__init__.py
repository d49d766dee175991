"""Watches the order flow: how much waits where, and what would help."""

from storecrew.agents.oversight.agent import oversight
from storecrew.agents.oversight.metrics import Survey, survey
from storecrew.agents.oversight.settings import OversightSettings

__all__ = ["OversightSettings", "Survey", "oversight", "survey"]
