"""Reaching SQLite and Postgres: connections, transactions and their errors."""

from storecrew.database.counts import Counted, counts_table, row_count, row_counts
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
from storecrew.database.paging import SortOrder, page_rows
from storecrew.database.times import moment, stamp

__all__ = [
    "DISPOSABLE",
    "DURABLE",
    "Counted",
    "Database",
    "Durability",
    "Many",
    "SortOrder",
    "connect",
    "connect_for_library",
    "counts_table",
    "migrate",
    "moment",
    "page_rows",
    "row_count",
    "row_counts",
    "stamp",
]
