"""Prices and currencies as pages write them."""

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from storecrew.domain.money import exponent

_LARGEST = Decimal(10) ** 9
_LONGEST = 100
"""Characters of a text that may be a price."""
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+")
_PLAIN_CHARACTERS = dict.fromkeys("’‘ʼʹ′´`＇", "'") | {"٫": ".", "٬": "'", "−": "-", "·": "."}
_GROUPING = re.compile(r"(?<=[0-9])['](?=[0-9]{3}(?![0-9]))")
_WHOLE_ENDING = re.compile(r"([0-9])\s*[.,]\s*(?:[-–—]{1,2}|=)")
"""How whole amounts end: `1299.–`, `15,-`."""
_SEVERAL = re.compile(
    r"(?<![0-9.,])\d{1,3}\s*(?:for|für|pour|por|per|voor|st\.?|stk\.?|pcs|x)(?![^\W\d])"
    r"|(?:/|\b(?:per|pro|je|par|al)\s)\s*\d*\s*"
    r"(?:kg|g|l|ml|cl|m|cm|m2|qm|lb|oz|month|mo|monat|mois|mes|week|year|jahr)(?![^\W\d])",
    re.IGNORECASE,
)
"""Prices that are not those of one piece."""
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
_WORDS = {
    "円": "JPY", "元": "CNY", "rmb": "CNY", "원": "KRW", "euros?": "EUR", "eur": "EUR",
    "francs?": "CHF", "fr\\.": "CHF", "sfr\\.?": "CHF", "chf": "CHF", "руб\\.?": "RUB", "tl": "TRY",
    "pounds?": "GBP", "rs\\.?": "INR", "rupees?": "INR", "złotych": "PLN", "rub": "RUB",
    "yen": "JPY",
}  # fmt: skip
"""Words that mean one currency, as regular expressions."""
_SHARED = {
    "$": {"com": "USD", "us": "USD", "ca": "CAD", "au": "AUD", "nz": "NZD", "sg": "SGD",
          "hk": "HKD", "mx": "MXN"},
    "kr": {"se": "SEK", "no": "NOK", "dk": "DKK", "is": "ISK"},
    "¥": {"jp": "JPY", "cn": "CNY"},
}  # fmt: skip
"""Signs of several currencies, by the top-level domain of the shop."""
_KNOWN_CODES = frozenset(
    {*_SIGNS.values(), *(code for each in _SHARED.values() for code in each.values())}
    | {"CHF", "ZAR", "AED", "SAR", "TWD", "MYR", "IDR", "PHP", "CLP", "COP", "ARS", "PEN", "EGP"}
)
"""Codes that are taken for a currency where they stand in a text."""


def plain_price(said: Any, currency: str | None = None) -> Decimal | None:
    """Return a price as machines write it (a number, or digits with a point); None if it is none.

    Anything else that is text goes to `shown_price`: many pages put "1.299,00 €" there. A point
    before three digits groups thousands where the currency has no decimals ("149.990" CLP).
    """
    if isinstance(said, bool) or said is None:
        return None
    text = normalised(str(said))
    if is_grouped(text, currency):
        return _sound(text.replace(".", ""))
    if _PLAIN.fullmatch(text):
        return _sound(text)
    if isinstance(said, int | float) or _SCIENTIFIC.fullmatch(text):
        return _sound(text)
    return shown_price(text)


def is_grouped(text: str, currency: str | None) -> bool:
    """Tell whether the point in a machine's price groups thousands, as the currency shows."""
    return bool(_GROUPED.fullmatch(text)) and currency is not None and exponent(currency) == 0


def is_ambiguous(said: Any, currency: str | None) -> bool:
    """Tell whether a machine's price has a point that may group thousands or begin decimals."""
    text = normalised(str(said))
    if not isinstance(said, str) or not _GROUPED.fullmatch(text) or text.startswith("0."):
        return False
    return currency is None or exponent(currency) == 2


def normalised(text: str) -> str:
    """Return a text that may be a price in the form that parsers know."""
    return normalised_all(text[:_LONGEST])


def normalised_all(text: str) -> str:
    """Return the text with plain digits, spaces, apostrophes and endings."""
    plain = unicodedata.normalize("NFKC", text)
    plain = "".join(_plain_character(char) for char in plain)
    plain = _GROUPING.sub("", " ".join(plain.split()))
    return _WHOLE_ENDING.sub(r"\1", plain).strip()


def _plain_character(char: str) -> str:
    if char.isdigit() and not char.isascii():
        return str(unicodedata.digit(char))
    return _PLAIN_CHARACTERS.get(char, char)


def shown_price(text: str) -> Decimal | None:
    """Return a price as people write it, by price-parser; None if it is none.

    A price of several units ("2 for £5") is none of one.
    """
    from price_parser import Price  # an extra that only reading pages needs

    plain = normalised(text)
    if len(text) > _LONGEST or re.search(r"[-−–]\s*\d", plain[:12]) or is_of_several(plain):
        return None
    try:
        amount = Price.fromstring(plain).amount
    except Exception:  # noqa: BLE001 - the boundary of the library
        return None
    return _sound(str(amount)) if amount is not None else None


def is_of_several(text: str) -> bool:
    """Tell whether a price is of several units, of a weight or a length, or of a month."""
    return bool(_SEVERAL.search(normalised(text)))


def currency_code(said: Any) -> str | None:
    """Return the ISO code in a field that should hold one, e.g. `eur` or `€`; None if none."""
    text = str(said or "").strip()[:20]
    if re.fullmatch(r"[A-Za-z]{3}", text):
        return text.upper()
    return shown_currency(text, "")


def shown_currency(text: str, host: str) -> str | None:
    """Return the currency of a price in a text; the host's domain decides between shared signs."""
    text = normalised(text)
    found = next((code for code in _CODE.findall(text) if code in _KNOWN_CODES), None)
    signs = sorted(_SIGNS.items(), key=lambda each: -len(each[0]))
    found = found or next((code for sign, code in signs if sign in text), None)
    found = found or next((code for word, code in _WORDS.items() if _holds(text, word)), None)
    if found:
        return str(found)
    domain = host.rpartition(".")[2].lower()
    for sign, by_domain in _SHARED.items():
        if sign in text.lower():
            return by_domain.get(domain)
    return None


def _holds(text: str, word: str) -> bool:
    return bool(re.search(rf"(?<![^\W\d]){word}(?![^\W\d])", text, re.IGNORECASE))


def _sound(text: str) -> Decimal | None:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 < amount < _LARGEST else None
