"""What an import tells the owner: what came in, what did not and why, what was assumed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MOST_EXAMPLES = 20


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """Rows left out for one reason."""

    rows: int
    examples: tuple[int, ...]
    """Lines of the file (rows of the sheet) of the first of them, the header's included. All are
    in the table `import_rejects`."""


@dataclass(frozen=True, kw_only=True)
class ImportReport:
    """An account of one import. Counts are of what this run added."""

    id: int = 0
    """Under which `storecrew import undo` takes it back; 0 where nothing came in."""
    format: Mapping[str, str] = field(default_factory=dict[str, str])
    """What was detected of the file: encoding, separator, sheets, dates, decimal mark."""
    repaired: int | None = None
    """An earlier import that this file corrects; it was taken back first."""
    dry_run: bool = False
    """Whether nothing was written."""
    rows: int
    """Rows read from the file."""
    orders: int
    order_lines: int
    returns: int
    """Return records; one for each order that an invoice takes goods back from."""
    unmatched_returns: int
    """Those among them that fit no earlier order."""
    customers: int
    products: int
    """Stocked products."""
    services: int
    """Charges and services, which have no stock."""
    known_invoices: int
    """Invoices that an earlier run brought in."""
    summed_rows: int
    """Rows added to another of the same invoice, product and price."""
    mixed_prices: int
    """Lines kept apart because one invoice sold a product at several prices."""
    rows_after: int
    """Rows dated after the last day asked for."""
    skipped: Mapping[str, Skipped] = field(default_factory=dict[str, Skipped])
    """Rows that were not usable, by reason."""
    assumptions: tuple[str, ...] = ()
