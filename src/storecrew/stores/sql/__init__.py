"""The embedded store: an order ledger on SQLite or Postgres."""
