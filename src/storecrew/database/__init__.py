"""Reaching SQLite and Postgres: connections, transactions and their errors."""

from storecrew.database.database import Database
from storecrew.database.engine import (
    DISPOSABLE,
    DURABLE,
    Durability,
    connect,
    connect_for_library,
)
from storecrew.database.many import Many
from storecrew.database.migrating import migrate
from storecrew.database.times import moment, stamp

__all__ = [
    "DISPOSABLE",
    "DURABLE",
    "Database",
    "Durability",
    "Many",
    "connect",
    "connect_for_library",
    "migrate",
    "moment",
    "stamp",
]
