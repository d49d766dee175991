"""The embedded store: an order ledger on SQLite or Postgres."""

from storecrew.stores.sql.store import SqlStore, open_store

__all__ = ["SqlStore", "open_store"]
