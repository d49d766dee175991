"""Reads the Online Retail layout from CSV, Excel or Parquet, row by row, as the file has it."""

import csv
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from storecrew.domain.errors import InvalidInput

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

Raw = tuple[Any, ...]
_BATCH = 50_000


def raw_rows(path: Path) -> Iterator[Raw]:
    """Yield the cells of each row in the order of `COLUMNS`, or raise `InvalidInput`."""
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise InvalidInput("path", f"{path.name!r} is none of {', '.join(sorted(_READERS))}")
    if not path.is_file():
        raise InvalidInput("path", f"there is no file {path.name!r}")
    return reader(path)


def encoding_of(path: Path) -> str:
    """Return UTF-8 where the file is that, else the Windows code page of older exports."""
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _positions(header: Sequence[object]) -> list[int]:
    names = {str(name).strip().lower(): place for place, name in enumerate(header)}
    if missing := [name for name in COLUMNS if name.lower() not in names]:
        raise InvalidInput("path", f"lacks the columns {', '.join(missing)}")
    return [names[name.lower()] for name in COLUMNS]


def _from_csv(path: Path) -> Iterator[Raw]:
    with path.open(newline="", encoding=encoding_of(path), errors="replace") as text:
        rows = csv.reader(text)
        places = _positions(next(rows, ()))
        for row in rows:
            yield tuple(row[place] if place < len(row) else None for place in places)


def _from_excel(path: Path) -> Iterator[Raw]:
    book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    try:
        rows = book.worksheets[0].iter_rows(values_only=True)
        places = _positions(next(rows, ()))
        for row in rows:
            yield tuple(row[place] if place < len(row) else None for place in places)
    finally:
        book.close()


def _from_parquet(path: Path) -> Iterator[Raw]:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        columns = [names[place] for place in _positions(names)]
        for batch in file.iter_batches(_BATCH, columns=columns):
            yield from zip(*(_cells(batch.column(name)) for name in columns), strict=True)


def _cells(column: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    cells: list[Any] = column.to_pylist()
    return cells


_READERS: dict[str, Callable[[Path], Iterator[Raw]]] = {
    ".csv": _from_csv,
    ".xlsx": _from_excel,
    ".parquet": _from_parquet,
}
