"""The columns of a sales history, under the names that exports give them."""

from collections.abc import Sequence
from typing import Any

Raw = tuple[Any, ...]
"""The cells of one row, in the order of `COLUMNS`."""

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
OPTIONAL = frozenset({"Description", "CustomerID", "Country"})
_OTHER_NAMES = {"invoice": "invoiceno", "price": "unitprice"}
"""How the second edition of the published data set calls its columns."""
HEADER_ROWS = 50
"""Rows among which the header is looked for: exports put a title and a date above it."""


def positions(header: Sequence[object]) -> list[int | None] | None:
    """Return the place of each column; None where the row is no header of this layout."""
    names: dict[str, int] = {}
    for place, name in enumerate(header):
        key = "".join(str(name).split()).strip("\ufeff\"'").lower()
        names.setdefault(_OTHER_NAMES.get(key, key), place)
    places = [names.get(name.lower()) for name in COLUMNS]
    missing = [n for n, p in zip(COLUMNS, places, strict=True) if p is None and n not in OPTIONAL]
    return None if missing else places


def cells(row: Sequence[Any], places: Sequence[int | None]) -> Raw:
    """Return the row's cells in the order of `COLUMNS`."""
    return tuple(row[place] if place is not None and place < len(row) else None for place in places)
