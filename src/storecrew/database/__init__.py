"""Reaching SQLite and Postgres: connections, transactions and their errors."""

from storecrew.database.database import Database
from storecrew.database.engine import DISPOSABLE, DURABLE, Durability, connect
from storecrew.database.migrating import migrate
from storecrew.database.times import moment, stamp

__all__ = [
    "DISPOSABLE",
    "DURABLE",
    "Database",
    "Durability",
    "connect",
    "migrate",
    "moment",
    "stamp",
]
