"""Files of rows: the one place that asks the parsers of CSV, Excel and Parquet.

Whatever goes wrong in a parser becomes `InvalidInput` that names the file and, where there is one,
the line. Rows carry the number that a person finds them under in the file.
"""

import csv
import warnings
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from storecrew.domain.errors import InvalidInput
from storecrew.stores.sql.importing.layout import COLUMNS, HEADER_ROWS, Raw, cells, positions

_BATCH = 50_000
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
_MAX_UNPACKED = 2_000_000_000
"""Bytes of a workbook, unpacked, at most: far above a million rows."""
_UTF16 = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}

NumberedRow = tuple[int, Raw]


@dataclass(frozen=True, kw_only=True)
class RejectedLine:
    """A line whose cells cannot be told apart."""

    number: int
    reason: str
    content: str


@dataclass
class HistoryFile(ABC):
    """A file of rows, which can be read again and again."""

    path: Path
    format: dict[str, str] = field(default_factory=dict[str, str])
    """What was detected, in words."""
    rejected: list[RejectedLine] = field(default_factory=list[RejectedLine])

    def rows(self) -> Iterator[NumberedRow]:
        """Yield each row's number in the file and its cells; raises `InvalidInput`."""
        self.rejected.clear()
        with _parsing(self.path):
            yield from self._read()

    @abstractmethod
    def _read(self) -> Iterator[NumberedRow]: ...


def open_source(path: Path, *, encoding: str = "") -> HistoryFile:
    """Return the file as rows; raises `InvalidInput` for one that is none of the kinds."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise InvalidInput("path", f"{path.name!r} is none of {', '.join(sorted(_KINDS))}")
    if not path.is_file():
        raise InvalidInput("path", f"there is no file {path.name!r}")
    with _parsing(path):
        return kind(path, encoding)


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    try:
        yield
    except InvalidInput:
        raise
    except Exception as error:  # whatever a parser meets in a file
        text = " ".join(str(error).split())[:200] or type(error).__name__
        raise InvalidInput("path", f"{path.name!r} cannot be read: {text}") from error


def text_encoding(path: Path) -> str:
    """Return the encoding of a text file: by its mark, UTF-8 where it is that, else Windows'."""
    with path.open("rb") as file:
        start = file.read(4096)
        if start[:2] in _UTF16:
            return "utf-16"
        if start.count(b"\0") > len(start) // 4:
            return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
    try:
        with path.open(encoding="utf-8") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


class _Csv(HistoryFile):
    def __init__(self, path: Path, encoding: str) -> None:
        super().__init__(path)
        self._encoding = encoding or text_encoding(path)
        try:
            "".encode(self._encoding)
        except LookupError:
            raise InvalidInput("encoding", f"{encoding!r} is no encoding") from None
        self._separator, self._header_line, self._places = self._find_header()
        self._width = 0
        self.format = {
            "encoding": self._encoding.removesuffix("-sig"),
            "separator": _SEPARATORS[self._separator],
        }

    def _find_header(self) -> tuple[str, int, list[int | None]]:
        with self._open() as text:
            start = [text.readline(100_000) for _ in range(HEADER_ROWS)]
        for number, line in enumerate(start, 1):
            for separator in _SEPARATORS:
                row = next(csv.reader([line], delimiter=separator), [])
                if places := positions(row):
                    return separator, number, places
        shown = start[0].strip()[:80]
        raise InvalidInput("path", f"lacks the columns {', '.join(COLUMNS)}; it begins {shown!r}")

    def _open(self) -> Any:
        return self.path.open(newline="", encoding=self._encoding, errors="replace")

    def _read(self) -> Iterator[NumberedRow]:
        with self._open() as text:
            for _ in range(self._header_line - 1):
                text.readline()
            rows = csv.reader(text, delimiter=self._separator)
            width, last = len(next(rows)), rows.line_num
            for row in rows:
                first, last = self._header_line - 1 + last + 1, rows.line_num
                if any(row):
                    self._refuse_swallowed(row, first, width)
                    if problem := _wrong_width(row, width):
                        content = self._separator.join(row)
                        line = RejectedLine(number=first, reason=problem, content=content)
                        self.rejected.append(line)
                    else:
                        yield first, cells(row, self._places)

    def _refuse_swallowed(self, row: Sequence[str], first: int, width: int) -> None:
        """Refuse a file in which a quotation mark that is never closed swallows lines."""
        for place, cell in enumerate(row):
            begun, *more = cell.splitlines() or [""]
            rest = width - 1 - place
            ends_row = more and 0 < rest <= begun.count(self._separator)
            is_row = any(line.count(self._separator) >= max(width - 2, 1) for line in more)
            if ends_row or is_row:
                problem = f"line {first}: a quotation mark is opened and not closed; mend the line"
                raise InvalidInput("path", problem)


def _wrong_width(row: Sequence[str], width: int) -> str | None:
    """Return what is wrong with a row in which a cell is too many or missing; the last may be."""
    is_short, is_long = len(row) < width - 1, any(row[width:])
    return f"has {len(row)} cells where the header has {width}" if is_short or is_long else None


class _Excel(HistoryFile):
    def __init__(self, path: Path, _encoding: str) -> None:
        super().__init__(path)
        if not zipfile.is_zipfile(path):
            raise InvalidInput("path", f"{path.name!r} is not an Excel workbook (.xlsx)")
        with zipfile.ZipFile(path) as parts:
            if sum(part.file_size for part in parts.infolist()) > _MAX_UNPACKED:
                raise InvalidInput("path", f"{path.name!r} is too large; export it as CSV")
        self._rows = list(self._sheets())

    def _sheets(self) -> Iterator[NumberedRow]:
        """Yield the rows of every sheet that has the header."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it complains of styles, which are not read
            book = openpyxl.load_workbook(self.path, read_only=True, data_only=True)
        seen: list[str] = []
        try:
            for sheet in book.worksheets:
                sheet.reset_dimensions()  # a file's own claim about its size may be wrong
                for row in _below_header(sheet.iter_rows(values_only=True)):
                    if sheet.title not in seen:
                        seen.append(sheet.title)
                    if row is not None:
                        yield row
            ignored = [s.title for s in book.worksheets if s.title not in seen]
        finally:
            book.close()
        if not seen:
            raise InvalidInput("path", f"no sheet has the columns {', '.join(COLUMNS)}")
        self.format = {"sheets": ", ".join(seen)}
        if ignored:
            self.format["sheets without the columns"] = ", ".join(ignored)

    def _read(self) -> Iterator[NumberedRow]:
        yield from self._rows


def _below_header(rows: Iterable[Sequence[Any]]) -> Iterator[NumberedRow | None]:
    """Yield None for the header, where there is one, and each row below it."""
    places: list[int | None] | None = None
    for number, row in enumerate(rows, 1):
        if places is None:
            if number > HEADER_ROWS:
                return
            if places := positions(row):
                yield None
        elif any(cell not in (None, "") for cell in row):
            yield number, cells(row, places)


class _Parquet(HistoryFile):
    def __init__(self, path: Path, _encoding: str) -> None:
        super().__init__(path)
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
        places = positions(names)
        if places is None:
            raise InvalidInput("path", f"lacks the columns {', '.join(COLUMNS)}")
        self._columns = [None if place is None else names[place] for place in places]

    def _read(self) -> Iterator[NumberedRow]:
        wanted = [name for name in self._columns if name is not None]
        number = 0
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(_BATCH, columns=wanted):
                blank = [None] * batch.num_rows
                columns = [blank if n is None else _values(batch.column(n)) for n in self._columns]
                for row in zip(*columns, strict=True):
                    number += 1
                    yield number, row


def _values(column: Any) -> list[Any]:
    if pa.types.is_timestamp(column.type):
        column = column.cast(pa.timestamp("us", tz=column.type.tz), safe=False)
    values: list[Any] = column.to_pylist()
    return values


_KINDS: dict[str, Callable[[Path, str], HistoryFile]] = {
    ".csv": _Csv,
    ".txt": _Csv,
    ".tsv": _Csv,
    ".xlsx": _Excel,
    ".parquet": _Parquet,
}
