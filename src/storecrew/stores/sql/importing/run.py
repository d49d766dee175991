"""Carries out an import: read the file, guess the products, write history in large pieces."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Connection

from storecrew.stores.sql.handlers.purchasing import DEFAULT_LEAD_DAYS
from storecrew.stores.sql.importing import returns, write
from storecrew.stores.sql.importing.estimates import (
    COST_SHARE,
    RECENT_DAYS,
    STOCK_DAYS,
    EstimatedProduct,
    KnownProducts,
    guess_products,
    known,
)
from storecrew.stores.sql.importing.history import ImportHistory, Invoice, collect
from storecrew.stores.sql.importing.layout import raw_rows
from storecrew.stores.sql.importing.report import ImportReport
from storecrew.stores.sql.store import SqlStore

T = TypeVar("T")
Progress = Callable[[int, int], None]

_INVOICES = 1000
"""Invoices per transaction: few commits, and other writers wait for about a second at most."""


def no_progress(_done: int, _total: int) -> None:
    """Report no progress."""


async def import_online_retail(
    store: SqlStore,
    path: Path,
    *,
    until: date | None = None,
    costs: Path | None = None,
    stock: Path | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Bring sales history in the Online Retail layout (CSV, XLSX, Parquet) into the ledger.

    Invoices become delivered, paid orders; `C` invoices become returns. Only invoices up to the
    day `until` come in; a later run with a later day adds the rest, and one repeated adds
    nothing. `progress` is told rows done and rows read so far. Raises `InvalidInput` for a file
    that is not of this layout; single bad rows are reported, not raised.
    """
    given, history, guesses = await _aside(
        store, partial(_read, store.currency, path, until, costs, stock, progress)
    )
    counted = _Import(store, history, progress)
    await counted.write(guesses)
    rejects = partial(write.write_rejects, source=path.name, rejects=history.rejects)
    await store.database.write(rejects)
    return counted.report(_assumptions(guesses, given))


async def _aside(store: SqlStore, work: Callable[[], T]) -> T:
    return work() if store.database.inline else await asyncio.to_thread(work)


def _read(
    currency: str,
    path: Path,
    until: date | None,
    costs: Path | None,
    stock: Path | None,
    progress: Progress,
) -> tuple[KnownProducts, ImportHistory, list[EstimatedProduct]]:
    given = known(costs, stock)
    history = collect(
        raw_rows(path), until=until, currency=currency, progress=lambda rows: progress(0, rows)
    )
    return given, history, guess_products(history, given, currency)


class _Import:
    """One import under way, and what it added so far."""

    def __init__(self, store: SqlStore, history: ImportHistory, progress: Progress) -> None:
        self._store = store
        self._history = history
        self._progress = progress
        self._added: Counter[str] = Counter()

    async def write(self, guesses: Sequence[EstimatedProduct]) -> None:
        """Write products first, then what refers to them."""
        every = (*self._history.sales, *self._history.returns)
        await self._put(self._put_products, guesses)
        customers = {invoice.customer for invoice in every if invoice.customer}
        await self._put(self._put_customers, sorted(customers))
        for invoices in _pieces(self._history.sales):
            await self._put(self._put_orders, invoices)
            self._tell(invoices)
        for invoices in _pieces(self._history.returns):
            await self._put(self._put_returns, invoices)
            self._tell(invoices)

    def report(self, assumptions: tuple[str, ...]) -> ImportReport:
        """Return the account of this run."""
        added, history = self._added, self._history
        every = (*history.sales, *history.returns)
        units = [(len(i.rows), len(i.lines()), len({r.sku for r in i.rows})) for i in every]
        return ImportReport(
            rows=history.rows,
            orders=added["orders"],
            order_lines=added["lines"],
            returns=added["returns"],
            unmatched_returns=added["unmatched"],
            customers=added["customers"],
            products=added["products"],
            services=added["services"],
            known_invoices=added["known"],
            summed_rows=sum(rows - lines for rows, lines, _ in units),
            mixed_prices=sum(lines - products for _, lines, products in units),
            rows_after=history.rows_after,
            skipped=history.skipped(),
            assumptions=assumptions,
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
        products, services = write.write_products(connection, what, currency=currency, now=now)
        return {"products": products, "services": services}

    def _put_customers(self, connection: Connection, what: Sequence[str]) -> dict[str, int]:
        return {"customers": write.write_customers(connection, what)}

    def _put_orders(self, connection: Connection, what: Sequence[Invoice]) -> dict[str, int]:
        orders, lines = write.write_orders(connection, what, self._store.currency)
        return {"orders": orders, "lines": lines, "known": len(what) - orders}

    def _put_returns(self, connection: Connection, what: Sequence[Invoice]) -> dict[str, int]:
        new, matched, unmatched = returns.write_returns(connection, what)
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
