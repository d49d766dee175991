"""Carries out an import: read the file, guess the products, write history in large pieces."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from storecrew.stores.sql.handlers.purchasing import DEFAULT_LEAD_DAYS
from storecrew.stores.sql.importing import returns, units, write
from storecrew.stores.sql.importing.estimates import (
    COST_SHARE,
    RECENT_DAYS,
    STOCK_DAYS,
    EstimatedProduct,
    KnownProducts,
    guess_products,
    known,
)
from storecrew.stores.sql.importing.formats import FormatDetector
from storecrew.stores.sql.importing.history import ImportHistory, Invoice, collect
from storecrew.stores.sql.importing.report import ImportReport
from storecrew.stores.sql.importing.sources import open_source
from storecrew.stores.sql.store import SqlStore

T = TypeVar("T")
Progress = Callable[[int, int], None]

_INVOICES = 1000
"""Invoices per transaction: few commits, and other writers wait for about a second at most."""


def no_progress(_done: int, _total: int) -> None:
    """Report no progress."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions:
    """What the owner says of the files beside the sales."""

    until: date | None = None
    """Last day to bring in."""
    costs: Path | None = None
    stock: Path | None = None
    services: Sequence[str] = ()
    """Codes that are no goods, besides those that usually are none."""
    dates: str = ""
    """How dates are written (`dmy`, `mdy`, `ymd`); empty is detected."""
    decimal: str = ""
    """The decimal mark (`point`, `comma`); empty is detected."""
    encoding: str = ""
    """Encoding of a text file; empty is detected."""
    dry_run: bool = False
    """Whether only to say what would come in."""


async def import_online_retail(
    store: SqlStore,
    path: Path,
    options: ImportOptions | None = None,
    *,
    progress: Progress = no_progress,
) -> ImportReport:
    """Bring sales history in the Online Retail layout (CSV, XLSX, Parquet) into the ledger.

    Invoices become delivered, paid orders; `C` invoices become returns. Only invoices up to the
    day `until` come in; a later run with a later day adds the rest, and one repeated adds
    nothing. A file that corrects all invoices of an earlier import takes its place. `progress` is
    told rows done and rows read so far. Raises `InvalidInput` for a file that is not of this
    layout, and then nothing comes in; single bad rows are reported, not raised.
    """
    options = options or ImportOptions()
    read = await _aside(store, partial(_read, store, path, options, progress))
    counted = _Import(store, read.history, progress)
    if options.dry_run:
        return counted.report(read, dry_run=True)
    await counted.write(read.guesses, path.name)
    rejects = partial(write.write_rejects, source=path.name, rejects=read.history.rejects)
    await store.database.write(rejects)
    return counted.report(read)


async def undo_import(store: SqlStore, import_id: int) -> units.ImportUndone:
    """Take an import back as a whole; raises `NotFound`, or `InvalidInput` where it went on."""
    return await store.database.write(partial(units.undo_import, import_id=import_id))


async def list_imports(store: SqlStore) -> list[units.ImportUnit]:
    """Return every import, the newest first."""
    return await store.database.read(units.list_imports)


async def _aside(store: SqlStore, work: Callable[[], T]) -> T:
    return work() if store.database.inline else await asyncio.to_thread(work)


@dataclass(frozen=True, kw_only=True)
class _Read:
    """What a file says, and how it says it."""

    given: KnownProducts
    history: ImportHistory
    guesses: list[EstimatedProduct]
    format: dict[str, str]


def _read(store: SqlStore, path: Path, options: ImportOptions, progress: Progress) -> _Read:
    given = known(options.costs, options.stock, options.services)
    source = open_source(path, encoding=options.encoding)
    detector = FormatDetector(store.currency)
    detector.look(raw for _, raw in source.rows())
    formats = detector.formats(options.dates, options.decimal)
    history = collect(
        source,
        formats,
        until=options.until,
        now=store.clock.now(),
        currency=store.currency,
        progress=lambda rows: progress(0, rows),
    )
    guesses = guess_products(history, given, store.currency)
    words = source.format | formats.words()
    return _Read(given=given, history=history, guesses=guesses, format=words)


class _Import:
    """One import under way, and what it added so far."""

    def __init__(self, store: SqlStore, history: ImportHistory, progress: Progress) -> None:
        self._store = store
        self._history = history
        self._progress = progress
        self._added: Counter[str] = Counter()
        self._id = 0
        self._repaired: int | None = None

    async def write(self, guesses: Sequence[EstimatedProduct], source: str) -> None:
        """Write products first, then what refers to them; what fails leaves nothing behind."""
        every = (*self._history.sales, *self._history.returns)
        if not every:
            return
        said = {invoice.number: invoice.fingerprint for invoice in every}
        self._id = await self._store.database.write(partial(self._begin, said=said, source=source))
        try:
            await self._put(self._put_products, guesses)
            customers = {invoice.customer for invoice in every if invoice.customer}
            await self._put(self._put_customers, sorted(customers))
            for invoices in _pieces(self._history.sales):
                await self._put(self._put_orders, invoices)
                self._tell(invoices)
            for invoices in _pieces(self._history.returns):
                await self._put(self._put_returns, invoices)
                self._tell(invoices)
        except Exception:
            await undo_import(self._store, self._id)
            raise
        await self._store.database.write(partial(units.finish, import_id=self._id))

    def _begin(self, connection: Connection, said: Mapping[str, str], source: str) -> int:
        """Take back what this file corrects, and note that it comes in."""
        for earlier in units.corrected_imports(connection, said):
            units.undo_import(connection, earlier)
            self._repaired = earlier
        return units.begin(connection, source, self._store.clock.now())

    def report(self, read: _Read, *, dry_run: bool = False) -> ImportReport:
        """Return the account of this run."""
        added, history = self._added, self._history
        if dry_run:
            added = Counter(orders=len(history.sales), returns=len(history.returns))
        every = (*history.sales, *history.returns)
        units_ = [(len(i.rows), len(i.lines()), len({r.sku for r in i.rows})) for i in every]
        return ImportReport(
            id=self._id,
            format=read.format,
            repaired=self._repaired,
            dry_run=dry_run,
            rows=history.rows,
            orders=added["orders"],
            order_lines=added["lines"],
            returns=added["returns"],
            unmatched_returns=added["unmatched"],
            customers=added["customers"],
            products=added["products"],
            services=added["services"],
            known_invoices=added["known"],
            summed_rows=sum(rows - lines for rows, lines, _ in units_),
            mixed_prices=sum(lines - products for _, lines, products in units_),
            rows_after=history.rows_after,
            skipped=history.skipped(),
            assumptions=_assumptions(read.guesses, read.given),
        )

    async def _put(self, put: Callable[..., dict[str, int]], what: object) -> None:
        self._added.update(await self._store.database.write(partial(put, what=what)))

    def _tell(self, invoices: Sequence[Invoice]) -> None:
        self._added["rows"] += sum(len(invoice.rows) for invoice in invoices)
        self._progress(self._added["rows"], self._history.rows)

    def _put_products(
        self, connection: Connection, what: Sequence[EstimatedProduct]
    ) -> dict[str, int]:
        now, currency = self._store.clock.now(), self._store.currency
        products, services = write.write_products(
            connection, what, import_id=self._id, currency=currency, now=now
        )
        return {"products": products, "services": services}

    def _put_customers(self, connection: Connection, what: Sequence[str]) -> dict[str, int]:
        return {"customers": write.write_customers(connection, what, self._id)}

    def _put_orders(self, connection: Connection, what: Sequence[Invoice]) -> dict[str, int]:
        orders, lines = write.write_orders(connection, what, self._store.currency, self._id)
        return {"orders": orders, "lines": lines, "known": len(what) - orders}

    def _put_returns(self, connection: Connection, what: Sequence[Invoice]) -> dict[str, int]:
        new, matched, unmatched = returns.write_returns(connection, what, self._id)
        return {"returns": matched, "unmatched": unmatched, "known": len(what) - new}


def _pieces(invoices: Sequence[Invoice]) -> Iterator[Sequence[Invoice]]:
    for start in range(0, len(invoices), _INVOICES):
        yield invoices[start : start + _INVOICES]


def _assumptions(guesses: Sequence[EstimatedProduct], given: KnownProducts) -> tuple[str, ...]:
    costs = sum("cost" in guess.assumed for guess in guesses)
    stock = sum("stock" in guess.assumed for guess in guesses)
    assumptions = [
        "invoice dates are in UTC",
        f"the default supplier delivers in {DEFAULT_LEAD_DAYS:g} days",
    ]
    if costs:
        assumptions.append(f"{costs} products cost {COST_SHARE:.0%} of their price")
    if stock:
        assumptions.append(
            f"{stock} products have {STOCK_DAYS} days of the last {RECENT_DAYS} days' mean sales "
            "in stock"
        )
    unknown = len((given.costs.keys() | given.stock.keys()) - {guess.sku for guess in guesses})
    if unknown:
        assumptions.append(f"{unknown} products named in the cost and stock files were never sold")
    return tuple(assumptions)
