"""Approves received orders."""

from storecrew.agents.approval.agent import approval

__all__ = ["approval"]
