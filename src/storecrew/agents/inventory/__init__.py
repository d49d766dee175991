"""Buys what runs low, and moves stock to where it is needed."""

from storecrew.agents.inventory.agent import inventory

__all__ = ["inventory"]
