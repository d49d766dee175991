"""Reaching SQLite and Postgres: connections, transactions and their errors."""

from storecrew.database.bulk import BulkStatement
from storecrew.database.counts import Counted, counts_table, row_count, row_counts
from storecrew.database.database import Database
from storecrew.database.engine import (
    DISPOSABLE,
    DURABLE,
    Durability,
    connect,
    connect_for_library,
)
from storecrew.database.methods import reading, writing
from storecrew.database.migrations import migrate
from storecrew.database.paging import SortOrder, page_rows
from storecrew.database.times import from_db_time, to_db_time

__all__ = [
    "DISPOSABLE",
    "DURABLE",
    "BulkStatement",
    "Counted",
    "Database",
    "Durability",
    "SortOrder",
    "connect",
    "connect_for_library",
    "counts_table",
    "from_db_time",
    "migrate",
    "page_rows",
    "reading",
    "row_count",
    "row_counts",
    "to_db_time",
    "writing",
]
