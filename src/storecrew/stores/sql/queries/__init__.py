"""Reads of the ledger, by subject; each gets a connection and returns values of the domain."""

from storecrew.stores.sql.queries import (
    catalog,
    customers,
    events,
    inventory,
    messages,
    orders,
    payments,
    promotions,
    purchasing,
    sales,
    support,
)

__all__ = [
    "catalog",
    "customers",
    "events",
    "inventory",
    "messages",
    "orders",
    "payments",
    "promotions",
    "purchasing",
    "sales",
    "support",
]
