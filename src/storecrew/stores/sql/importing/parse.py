"""Turns the cells of a row into values, or says what is wrong with them."""

import re
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from storecrew.domain.money import exponent
from storecrew.domain.shop.orders import MAX_QUANTITY
from storecrew.stores.sql.importing.formats import DecimalMark, Formats, moment_of, plain_amount
from storecrew.stores.sql.importing.layout import Raw

_INVOICE = re.compile(r"[\w#./-]{1,60}")
_RETURN = re.compile(r"C[0-9]+")
_ADJUSTMENT = re.compile(r"A[0-9]{6}")
"""How the published data set numbers corrections of bad debt, which are no sales."""
_SHORTENED = re.compile(r"[0-9](\.[0-9]+)?E\+[0-9]+")
_WHOLE = re.compile(r"[0-9]+\.0")
_MAX_MINOR = 10**9
"""Largest price in minor units: what is above is a bar code or a total, not a price."""
_FIRST_YEAR = 1990
_LONGEST = 200
"""Characters of a code or a name at most."""


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
        return _RETURN.fullmatch(self.invoice) is not None


class BadRow(Exception):
    """The row cannot be used; its only argument is the reason."""


def parse(number: int, raw: Raw, currency: str, formats: Formats) -> Row:
    """Return the row's values, or raise `BadRow` with the first reason found."""
    invoice, code, description, quantity, at, price, customer, _country = raw
    invoice = _code(invoice).upper()
    if not _INVOICE.fullmatch(invoice):
        raise BadRow("invoice number is missing or not a number")
    if _ADJUSTMENT.fullmatch(invoice):
        raise BadRow("invoice is a correction, not a sale")
    sku = _sku(code)
    units = _units(quantity, formats.decimal)
    if (units < 0) is not (_RETURN.fullmatch(invoice) is not None):
        raise BadRow("sign of the quantity does not fit the invoice")
    return Row(
        number,
        invoice,
        sku,
        _text(description)[:_LONGEST],
        abs(units),
        _moment(at, formats),
        _minor(price, currency, formats.decimal),
        _code(customer)[:_LONGEST] or None,
    )


def _sku(cell: Any) -> str:
    sku = _code(cell).upper()
    if not sku:
        raise BadRow("no stock code")
    if _SHORTENED.fullmatch(sku):
        raise BadRow("stock code was shortened by a spreadsheet; format its column as text")
    if len(sku) > _LONGEST or not sku.isprintable():
        raise BadRow("stock code is not one line of text")
    return sku


def date_of(raw: Raw, formats: Formats) -> datetime | None:
    """Return the row's moment if it can be read."""
    try:
        return _moment(raw[4], formats)
    except BadRow:
        return None


def _text(cell: Any) -> str:
    if cell is None or cell != cell:
        return ""
    text = "".join(c for c in str(cell) if c.isprintable() or c.isspace())
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").split())


def _code(cell: Any) -> str:
    """Return an identifier; whole numbers as spreadsheets keep them lose their `.0`."""
    if isinstance(cell, float) and cell == cell:
        return f"{cell:.15g}".upper()
    text = _text(cell)
    return text.removesuffix(".0") if _WHOLE.fullmatch(text) else text


@lru_cache(maxsize=10_000)
def _units(cell: Any, decimal: DecimalMark) -> int:
    try:
        exact = _number(cell, decimal)
        units = int(exact)
    except (ArithmeticError, ValueError):
        raise BadRow("quantity is not a number") from None
    if units != exact:
        raise BadRow("quantity is not a whole number")
    if not units:
        raise BadRow("quantity is zero")
    if abs(units) > MAX_QUANTITY:
        raise BadRow("quantity is out of range")
    return units


@lru_cache(maxsize=100_000)
def _minor(cell: Any, currency: str, decimal: DecimalMark) -> int:
    try:
        amount = _number(cell, decimal)
        minor = int(amount.scaleb(exponent(currency)).to_integral_value(ROUND_HALF_UP))
    except (ArithmeticError, ValueError):
        raise BadRow("price is not a number") from None
    if amount <= 0:
        raise BadRow("price is zero or negative")
    if not minor:
        raise BadRow("price is less than the smallest coin")
    if minor > _MAX_MINOR:
        raise BadRow("price is out of range")
    return minor


def _number(cell: Any, decimal: DecimalMark) -> Decimal:
    text = plain_amount(cell, decimal) if isinstance(cell, str) else str(cell).strip()
    if isinstance(cell, str) and not any(c.isdigit() for c in cell):
        raise ValueError(cell)
    number = Decimal(text)
    if not number.is_finite():
        raise ValueError(cell)
    return number


@lru_cache(maxsize=100_000)
def _moment(cell: Any, formats: Formats) -> datetime:
    at = cell if isinstance(cell, datetime) else moment_of(_text(cell), formats.dates)
    if at is None:
        raise BadRow("date cannot be read")
    if at.year < _FIRST_YEAR:
        raise BadRow(f"date is before {_FIRST_YEAR}")
    try:
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        raise BadRow("date is in the future") from None
