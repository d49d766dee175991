"""Brings another system's sales history into the ledger."""

from storecrew.stores.sql.importing.report import ImportReport, Skipped
from storecrew.stores.sql.importing.run import import_online_retail

__all__ = ["ImportReport", "Skipped", "import_online_retail"]
