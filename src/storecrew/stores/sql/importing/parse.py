"""Turns the cells of a row into values, or says what is wrong with them."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NamedTuple

from storecrew.domain.money import exponent
from storecrew.domain.shop.orders import MAX_QUANTITY
from storecrew.stores.sql.importing.layout import Raw

_INVOICE = re.compile(r"C?[0-9]+")
_DAY_FIRST_IS_MONTH = "%m/%d/%Y %H:%M"
"""How the layout's published CSV writes its dates: month, day, year."""


class Row(NamedTuple):
    """One usable row."""

    number: int
    invoice: str
    sku: str
    description: str
    quantity: int
    """Always positive; `takes_back` says which way the goods went."""
    at: datetime
    price: int
    """Minor units."""
    customer: str | None

    @property
    def takes_back(self) -> bool:
        """Whether the invoice is a return."""
        return self.invoice[0] == "C"


class BadRow(Exception):
    """The row cannot be used; its only argument is the reason."""


def parse(number: int, raw: Raw, currency: str) -> Row:
    """Return the row's values, or raise `BadRow` with the first reason found."""
    invoice, code, description, quantity, at, price, customer, _country = raw
    invoice = _text(invoice).upper()
    if not _INVOICE.fullmatch(invoice):
        raise BadRow("invoice number is not digits, with a C in front for a return")
    sku = _text(code).upper()
    if not sku:
        raise BadRow("no stock code")
    units = _units(quantity)
    if (units < 0) is not (invoice[0] == "C"):
        raise BadRow("sign of the quantity does not fit the invoice")
    return Row(
        number,
        invoice,
        sku,
        _text(description),
        abs(units),
        _moment(at),
        _minor(price, currency),
        _text(customer) or None,
    )


def date_of(raw: Raw) -> datetime | None:
    """Return the row's moment if it can be read."""
    try:
        return _moment(raw[4])
    except BadRow:
        return None


def _text(cell: Any) -> str:
    """Return the cell as text; whole numbers as spreadsheets keep them lose their `.0`."""
    if cell is None:
        return ""
    if isinstance(cell, float):
        return "" if cell != cell else f"{cell:.15g}"
    text = str(cell).replace("\0", "").strip()
    return text.removesuffix(".0") if text.endswith(".0") else text


@lru_cache(maxsize=10_000)
def _units(cell: Any) -> int:
    try:
        exact = Decimal(str(cell).strip())
        units = int(exact)
    except (InvalidOperation, ValueError, OverflowError):
        raise BadRow("quantity is not a number") from None
    if units != exact:
        raise BadRow("quantity is not a whole number")
    if not units:
        raise BadRow("quantity is zero")
    if abs(units) > MAX_QUANTITY:
        raise BadRow("quantity is out of range")
    return units


@lru_cache(maxsize=100_000)
def _minor(cell: Any, currency: str) -> int:
    try:
        amount = Decimal(str(cell).strip())
        minor = int(amount.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP))
    except (InvalidOperation, ValueError, OverflowError):
        raise BadRow("price is not a number") from None
    if amount <= 0:
        raise BadRow("price is zero or negative")
    if not minor:
        raise BadRow("price is less than the smallest coin")
    return minor


@lru_cache(maxsize=100_000)
def _moment(cell: Any) -> datetime:
    at = cell if isinstance(cell, datetime) else _read_moment(_text(cell))
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def _read_moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    try:
        return datetime.strptime(text, _DAY_FIRST_IS_MONTH)  # noqa: DTZ007 - taken as UTC above
    except ValueError:
        raise BadRow("date cannot be read") from None
