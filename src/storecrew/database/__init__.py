"""Reaching SQLite and Postgres: connections, transactions and their errors."""

from storecrew.database.database import Database
from storecrew.database.engine import DISPOSABLE, DURABLE, Durability, connect

__all__ = ["DISPOSABLE", "DURABLE", "Database", "Durability", "connect"]
