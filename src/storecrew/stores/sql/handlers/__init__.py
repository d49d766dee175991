"""What each action does to the ledger, by subject: a handler checks and performs it."""

from storecrew.stores.sql.handlers import (
    catalog,
    customers,
    inventory,
    messages,
    orders,
    payments,
    promotions,
    purchasing,
    returns,
    support,
)

__all__ = [
    "catalog",
    "customers",
    "inventory",
    "messages",
    "orders",
    "payments",
    "promotions",
    "purchasing",
    "returns",
    "support",
]
