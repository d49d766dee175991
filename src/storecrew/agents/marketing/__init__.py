"""Writes to customers who agreed to it, seldom, and measures what it brings."""

from storecrew.agents.marketing.agent import marketing_automation

__all__ = ["marketing_automation"]
