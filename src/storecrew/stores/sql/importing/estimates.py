"""What the sales say of each product, and what has to be assumed where they say nothing."""

import csv
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path
from statistics import median_low
from typing import TypeVar

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.stores.sql.importing.history import ImportHistory
from storecrew.stores.sql.importing.sources import text_encoding

T = TypeVar("T", int, Decimal)

COST_SHARE = Decimal("0.55")
"""Assumed cost as a share of the price where nobody gave one."""
RECENT_DAYS = 28
STOCK_DAYS = 14
"""Assumed stock where nobody counted: so many days of the last four weeks' mean sales."""
_LAST_SALES = 20
"""Sale lines whose median is the typical price: enough for one odd price not to matter."""
_CHARGES = "AMAZONFEE|B|BANK CHARGES|C2|C3|CRUK|D|DELIVERY|DOT|M|PADS|POST|POSTAGE|S|SHIPPING"
CHARGES = frozenset(code for code in _CHARGES.split("|"))
"""Codes of charges and services, which have no stock; every other code is of goods."""


@dataclass(frozen=True, kw_only=True)
class EstimatedProduct:
    """A product as its sales show it."""

    sku: str
    name: str
    price: int
    cost: int | None
    on_hand: int | None
    """None for a service."""
    last_sold: datetime
    assumed: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class KnownProducts:
    """What the owner gave beside the sales."""

    costs: dict[str, Decimal]
    stock: dict[str, int]
    services: frozenset[str] = CHARGES
    """Codes that are no goods."""


def known(costs: Path | None, stock: Path | None, services: Sequence[str] = ()) -> KnownProducts:
    """Read the owner's cost and stock files (`sku,cost` and `sku,on_hand`)."""
    return KnownProducts(
        services=CHARGES | {code.strip().upper() for code in services},
        costs={} if costs is None else dict(_pairs(costs, "cost", _amount)),
        stock={} if stock is None else dict(_pairs(stock, "on_hand", _level)),
    )


@dataclass
class _Sales:
    """What the rows of one product say."""

    last: datetime
    names: Counter[str] = field(default_factory=Counter[str])
    prices: list[int] = field(default_factory=list[int])
    recent: int = 0


def guess_products(
    history: ImportHistory, given: KnownProducts, currency: str
) -> list[EstimatedProduct]:
    """Return every product that was sold or came back, in order of SKU."""
    every: dict[str, _Sales] = {}
    recently = history.sales[-1].at.date() - timedelta(RECENT_DAYS) if history.sales else None
    for invoice in (*history.returns, *history.sales):  # sales last: their prices count
        counts = recently is not None and not invoice.number.startswith("C")
        for row in invoice.rows:
            if (sales := every.get(row.sku)) is None:
                sales = every[row.sku] = _Sales(invoice.at)
            sales.names[row.description] += 1
            sales.prices.append(row.price)
            sales.last = max(sales.last, invoice.at)
            if counts and recently and invoice.at.date() > recently:
                sales.recent += row.quantity
    return [_guess(sku, every[sku], given, currency) for sku in sorted(every)]


def _guess(sku: str, sales: _Sales, given: KnownProducts, currency: str) -> EstimatedProduct:
    sales.names.pop("", None)
    likely = sorted(sales.names.items(), key=lambda named: (-named[1], named[0]))
    price = median_low(sales.prices[-_LAST_SALES:])
    cost, stock = given.costs.get(sku), given.stock.get(sku)
    assumed = []
    goods = sku not in given.services
    minor = None if cost is None else Money(cost, currency).minor
    if goods and minor is None:
        assumed.append("cost")
        minor = int((price * COST_SHARE).to_integral_value(ROUND_HALF_UP))
    if goods and stock is None:
        assumed.append("stock")
        stock = math.ceil(sales.recent * STOCK_DAYS / RECENT_DAYS)
    return EstimatedProduct(
        sku=sku,
        name=likely[0][0] if likely else sku,
        price=price,
        cost=minor,
        on_hand=stock if goods else None,
        last_sold=sales.last,
        assumed=(*assumed, "supplier") if goods else (),
    )


def _pairs(path: Path, column: str, read: Callable[[str], T]) -> Iterator[tuple[str, T]]:
    if not path.is_file():
        raise InvalidInput(column, f"there is no file {path.name!r}")
    with path.open(newline="", encoding=text_encoding(path)) as text:
        rows = csv.DictReader(text)
        if not {"sku", column} <= set(rows.fieldnames or ()):
            raise InvalidInput(column, f"{path.name!r} lacks the columns sku and {column}")
        for row in rows:
            try:
                yield (row["sku"] or "").strip().upper(), read(row[column] or "")
            except (InvalidOperation, ValueError):
                problem = f"line {rows.line_num} of {path.name!r} has no usable number"
                raise InvalidInput(column, problem) from None


def _amount(text: str) -> Decimal:
    amount = Decimal(text.strip())
    if not (amount.is_finite() and 0 <= amount < 10**9):
        raise ValueError(text)
    return amount


def _level(text: str) -> int:
    units = int(text.strip())
    if not 0 <= units < 10**9:
        raise ValueError(text)
    return units
