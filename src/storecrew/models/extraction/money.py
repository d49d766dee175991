"""Prices and currencies as pages write them."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

_LARGEST = Decimal(10) ** 9
_CODE = re.compile(r"(?<![A-Z])([A-Z]{3})(?![A-Z])")
_PLAIN = re.compile(r"\d{1,12}(\.\d{1,6})?")
_SCIENTIFIC = re.compile(r"\d{1,20}(\.\d{1,20})?[eE][+-]?\d{1,4}")
_SIGNS = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₺": "TRY", "₽": "RUB", "₴": "UAH", "₩": "KRW",
    "₫": "VND", "฿": "THB", "₪": "ILS", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "R$": "BRL",
    "US$": "USD", "C$": "CAD", "CA$": "CAD", "A$": "AUD", "AU$": "AUD", "NZ$": "NZD",
    "HK$": "HKD", "S$": "SGD", "lei": "RON", "лв": "BGN",
}  # fmt: skip
"""Signs that mean one currency; "$", "kr" and "¥" mean several and are left open."""
_SHARED = {
    "$": {"com": "USD", "us": "USD", "ca": "CAD", "au": "AUD", "nz": "NZD", "sg": "SGD",
          "hk": "HKD", "mx": "MXN"},
    "kr": {"se": "SEK", "no": "NOK", "dk": "DKK", "is": "ISK"},
    "¥": {"jp": "JPY", "cn": "CNY"},
}  # fmt: skip
"""Signs of several currencies, by the top-level domain of the shop."""
CURRENCIES = frozenset(
    {*_SIGNS.values(), *(code for each in _SHARED.values() for code in each.values())}
    | {"CHF", "ZAR", "AED", "SAR", "TWD", "MYR", "IDR", "PHP", "CLP", "COP", "ARS", "PEN", "EGP"}
)
"""Codes that are taken for a currency where they stand in a text."""


def plain_price(said: Any) -> Decimal | None:
    """Return a price as machines write it (a number, or digits with a point); None if it is none.

    Anything else that is text goes to `shown_price`: many pages put "1.299,00 €" there.
    """
    if isinstance(said, bool) or said is None:
        return None
    text = str(said).strip()
    if _PLAIN.fullmatch(text):
        return _sound(text)
    if isinstance(said, int | float) or _SCIENTIFIC.fullmatch(text):
        return _sound(text)
    return shown_price(text)


def shown_price(text: str) -> Decimal | None:
    """Return a price as people write it, by price-parser; None if it is none."""
    from price_parser import Price  # an extra that only reading pages needs

    if len(text) > 100 or re.search(r"[-−–]\s*\d", text[:12]):
        return None
    amount = Price.fromstring(text).amount
    return _sound(str(amount)) if amount is not None else None


def currency_code(said: Any) -> str | None:
    """Return the ISO code in a field that should hold one, e.g. `eur` or `€`; None if none."""
    text = str(said or "").strip()[:20]
    if re.fullmatch(r"[A-Za-z]{3}", text):
        return text.upper()
    return shown_currency(text, "")


def shown_currency(text: str, host: str) -> str | None:
    """Return the currency of a price in a text; the host's domain decides between shared signs."""
    for code in _CODE.findall(text):
        if code in CURRENCIES:
            return str(code)
    for sign, code in sorted(_SIGNS.items(), key=lambda each: -len(each[0])):
        if sign in text:
            return code
    domain = host.rpartition(".")[2].lower()
    for sign, by_domain in _SHARED.items():
        if sign in text.lower():
            return by_domain.get(domain)
    return None


def _sound(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < _LARGEST else None
