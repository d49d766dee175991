"""Customer support: answers what it is sure of, and hands the rest to a person."""

from storecrew.agents.support.agent import customer_support

__all__ = ["customer_support"]
