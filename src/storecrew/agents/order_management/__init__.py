"""Order management: each order takes its next step, once, after its checks."""

from storecrew.agents.order_management.agent import order_management

__all__ = ["order_management"]
