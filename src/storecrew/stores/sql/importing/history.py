"""Sorts usable rows into invoices, and keeps account of the others."""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from storecrew.stores.sql.importing.formats import Formats
from storecrew.stores.sql.importing.layout import Raw
from storecrew.stores.sql.importing.parse import BadRow, Row, date_of, parse
from storecrew.stores.sql.importing.report import MOST_EXAMPLES, Skipped
from storecrew.stores.sql.importing.sources import HistoryFile

_REPORT_EVERY = 50_000


class RejectedRow(NamedTuple):
    """A row that is not usable."""

    number: int
    reason: str
    content: str


@dataclass
class Invoice:
    """The rows of one invoice."""

    number: str
    at: datetime
    rows: list[Row] = field(default_factory=list[Row])

    @property
    def customer(self) -> str | None:
        """The customer of the first row that names one."""
        return next((row.customer for row in self.rows if row.customer), None)

    @property
    def fingerprint(self) -> str:
        """What the invoice says, so that a corrected one can be told from it."""
        said = (self.at.isoformat(), self.customer, sorted(self.lines().items()))
        return hashlib.sha256(repr(said).encode()).hexdigest()[:32]

    def lines(self) -> dict[tuple[str, int], int]:
        """Return units per product and price, in the order of the invoice."""
        units: dict[tuple[str, int], int] = {}
        for row in self.rows:
            units[row.sku, row.price] = units.get((row.sku, row.price), 0) + row.quantity
        return units


@dataclass
class ImportHistory:
    """Everything that a file says up to a day."""

    rows: int = 0
    rows_after: int = 0
    sales: list[Invoice] = field(default_factory=list[Invoice])
    """Oldest first."""
    returns: list[Invoice] = field(default_factory=list[Invoice])
    """Oldest first."""
    rejects: list[RejectedRow] = field(default_factory=list[RejectedRow])

    def skipped(self) -> dict[str, Skipped]:
        """Return the unusable rows by reason, the most frequent first."""
        numbers: dict[str, list[int]] = {}
        for reject in self.rejects:
            numbers.setdefault(reject.reason, []).append(reject.number)
        return {
            reason: Skipped(rows=rows, examples=tuple(numbers[reason][:MOST_EXAMPLES]))
            for reason, rows in Counter(reject.reason for reject in self.rejects).most_common()
        }


def collect(
    source: HistoryFile,
    formats: Formats,
    *,
    until: date | None,
    now: datetime,
    currency: str,
    progress: Callable[[int], None],
) -> ImportHistory:
    """Read every row; an invoice belongs to the moment of its first row."""
    end = datetime.combine(until or date.max, time(), UTC)
    end = end if until is None else end + timedelta(days=1)
    history = ImportHistory()
    invoices: dict[str, Invoice] = {}
    for number, raw in source.rows():
        history.rows += 1
        if history.rows % _REPORT_EVERY == 0:
            progress(history.rows)
        try:
            row = _usable(parse(number, raw, currency, formats), now)
        except BadRow as bad:
            _reject(history, number, raw, (str(bad), date_of(raw, formats)), end)
            continue
        if (invoice := invoices.get(row.invoice)) is None:
            invoice = invoices[row.invoice] = Invoice(row.invoice, row.at)
        invoice.rows.append(row)
        invoice.at = min(invoice.at, row.at)
    for line in source.rejected:
        history.rows += 1
        content = line.content.replace("\0", "")[:500]
        history.rejects.append(RejectedRow(line.number, line.reason, content))
    _sort(history, invoices, end)
    return history


def _usable(row: Row, now: datetime) -> Row:
    """Return the row, unless it says what cannot have happened yet."""
    if row.at > now:
        raise BadRow("date is in the future")
    return row


def _reject(
    history: ImportHistory,
    number: int,
    raw: Raw,
    why: tuple[str, datetime | None],
    end: datetime,
) -> None:
    reason, at = why
    if at is not None and at >= end:
        history.rows_after += 1
        return
    content = " | ".join("" if cell is None else str(cell) for cell in raw)
    content = content.replace("\0", "").encode("utf-8", "replace").decode("utf-8")
    history.rejects.append(RejectedRow(number, reason, content[:500]))


def _sort(history: ImportHistory, invoices: dict[str, Invoice], end: datetime) -> None:
    for invoice in sorted(invoices.values(), key=lambda invoice: (invoice.at, invoice.number)):
        if invoice.at >= end:
            history.rows_after += len(invoice.rows)
        elif invoice.rows[0].takes_back:
            history.returns.append(invoice)
        else:
            history.sales.append(invoice)
