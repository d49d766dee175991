"""Hands paid orders to the carrier and records deliveries."""

from storecrew.agents.fulfilment.agent import fulfilment

__all__ = ["fulfilment"]
