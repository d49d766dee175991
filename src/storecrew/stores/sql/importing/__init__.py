"""Brings another system's sales history into the ledger."""

from storecrew.stores.sql.importing.report import ImportReport, Skipped
from storecrew.stores.sql.importing.run import (
    ImportOptions,
    import_online_retail,
    list_imports,
    undo_import,
)
from storecrew.stores.sql.importing.units import ImportUndone, ImportUnit

__all__ = [
    "ImportOptions",
    "ImportReport",
    "ImportUndone",
    "ImportUnit",
    "Skipped",
    "import_online_retail",
    "list_imports",
    "undo_import",
]
