"""Amounts of money: exact, and never of two currencies at once."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal
from functools import lru_cache, total_ordering

from storecrew.domain.errors import InvalidInput

_EXPONENTS = {
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW"), 0),
    **dict.fromkeys(("PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""ISO 4217 currencies whose minor unit is not a hundredth."""

CURRENCIES = frozenset({
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN",
    "BHD", "BIF", "BMD", "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF",
    "CHF", "CLP", "CNY", "COP", "CRC", "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP",
    "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GNF", "GTQ", "GYD",
    "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD", "JOD", "JPY",
    "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD",
    "LSL", "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK",
    "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK",
    "PHP", "PKR", "PLN", "PYG", "QAR", "RON", "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG",
    "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SYP", "SZL", "THB", "TJS", "TMT",
    "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS", "VES", "VND",
    "VUV", "WST", "XAF", "XCD", "XCG", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG"
})  # fmt: skip
"""ISO 4217 codes of the money that is legal tender somewhere."""


@total_ordering
@dataclass(frozen=True)
class Money:
    """An exact amount in one currency; mixing currencies raises `InvalidInput`."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no amount of money."""
        if not self.amount.is_finite():
            raise InvalidInput("amount", f"{self.amount} is not a finite number")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isupper()):
            raise InvalidInput("currency", f"{self.currency!r} is not a three-letter ISO 4217 code")

    @classmethod
    def of(cls, amount: Decimal | int | str, currency: str) -> "Money":
        """Build from an exact number; floats are refused by type."""
        return cls(Decimal(amount), currency)

    @classmethod
    def from_minor(cls, minor: int, currency: str) -> "Money":
        """Build from whole minor units (cents)."""
        return _from_minor(minor, currency)

    @property
    def minor(self) -> int:
        """Whole minor units (cents), rounded half up."""
        scaled = self.amount.scaleb(exponent(self.currency))
        return int(scaled.to_integral_value(ROUND_HALF_UP))

    def rounded(self) -> "Money":
        """Return the amount rounded half up to the currency's minor unit."""
        return Money.from_minor(self.minor, self.currency)

    def rounded_up(self) -> "Money":
        """Return the smallest amount in whole minor units that is not less."""
        places = exponent(self.currency)
        minor = self.amount.scaleb(places).to_integral_value(ROUND_CEILING)
        return Money.from_minor(int(minor), self.currency)

    def __add__(self, other: "Money") -> "Money":
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        return Money(self.amount - self._same(other), self.currency)

    def __neg__(self) -> "Money":
        return Money(-self.amount, self.currency)

    def __mul__(self, factor: Decimal | int) -> "Money":
        return Money(self.amount * factor, self.currency)

    def __lt__(self, other: "Money") -> bool:
        return self.amount < self._same(other)

    def __str__(self) -> str:
        return f"{self.amount:,.{exponent(self.currency)}f} {self.currency}"

    def _same(self, other: "Money") -> Decimal:
        if self.currency != other.currency:
            raise InvalidInput("currency", f"{other.currency} is not {self.currency}")
        return other.amount


def exponent(currency: str) -> int:
    """Return how many decimal places the currency's minor unit has."""
    return _EXPONENTS.get(currency, 2)


@lru_cache(maxsize=4096)
def _from_minor(minor: int, currency: str) -> Money:
    """Return the amount; a shop's prices come back again and again."""
    return Money(Decimal(minor).scaleb(-exponent(currency)), currency)
