"""Customer communications: each is told of each change of an order once, in their language."""

from storecrew.agents.communications.agent import customer_communications

__all__ = ["customer_communications"]
