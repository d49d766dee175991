"""When to buy, how much, what first, and where to keep it."""

from storecrew.models.inventory.budget import Buy, allocate
from storecrew.models.inventory.choice import choose
from storecrew.models.inventory.levels import RULES, StockRule, order_up_to
from storecrew.models.inventory.replay import ReplaySettings, replay, stock_at
from storecrew.models.inventory.replenishment import stocking
from storecrew.models.inventory.transfers import Transfer, plan_transfers

__all__ = [
    "RULES",
    "Buy",
    "ReplaySettings",
    "StockRule",
    "Transfer",
    "allocate",
    "choose",
    "order_up_to",
    "plan_transfers",
    "replay",
    "stock_at",
    "stocking",
]
