"""How large amounts of a currency are: defaults in euros are scaled to the shop's money.

The figures are orders of magnitude, not rates: a limit that was never set should ask about the
same kind of order in yen as in euros. `storecrew init` writes the limits out, to be changed.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from pydantic import BaseModel

from storecrew.domain.money import exponent
from storecrew.policy.settings import PolicySettings

_UNITS_PER_EURO: Mapping[str, int | str] = {
    "AED": 4, "AMD": 450, "AOA": 1000, "ARS": 1500, "BDT": 140, "BHD": "0.4", "BIF": 3000,
    "BRL": 6, "CDF": 3000, "CLP": 1000, "CNY": 8, "COP": 4500, "CRC": 600, "CZK": 25, "DJF": 200,
    "DKK": 8, "DOP": 70, "DZD": 150, "EGP": 55, "ETB": 150, "GHS": 15, "GNF": 10_000, "GTQ": 9,
    "HKD": 9, "HUF": 400, "IDR": 18_000, "ILS": 4, "INR": 100, "IQD": 1500, "IRR": 50_000,
    "ISK": 150, "JMD": 180, "JOD": "0.8", "JPY": 150, "KES": 150, "KHR": 4500, "KMF": 500,
    "KRW": 1500, "KWD": "0.3", "KZT": 550, "LAK": 24_000, "LBP": 100_000, "LKR": 350, "LYD": 6,
    "MAD": 10, "MDL": 20, "MGA": 5000, "MKD": 60, "MMK": 2500, "MNT": 4000, "MUR": 50, "MWK": 1900,
    "MXN": 20, "MYR": 5, "NGN": 1700, "NIO": 40, "NOK": 12, "NPR": 150, "OMR": "0.4", "PHP": 65,
    "PKR": 320, "PLN": 4, "PYG": 8000, "RSD": 120, "RUB": 100, "RWF": 1600, "SAR": 4, "SEK": 11,
    "SYP": 14_000, "THB": 40, "TND": 3, "TRY": 45, "TWD": 35, "TZS": 3000, "UAH": 45, "UGX": 4000,
    "UYU": 45, "UZS": 14_000, "VND": 28_000, "XAF": 650, "XOF": 650, "XPF": 120, "YER": 280,
    "ZAR": 20,
}  # fmt: skip
"""Currencies of which a euro is worth more than about two units, or less than one."""
MONEY_LIMITS = ("purchase_budget_per_day", "order_value_limit", "refund_limit")
"""Settings of the policy that are amounts of money."""
MONEY = "money"
"""Key under which an agent's settings mark an amount: `json_schema_extra={"unit": "money"}`."""


def scaled(euros: Decimal, currency: str) -> Decimal:
    """Return about as much in the currency, in whole coins."""
    factor = Decimal(_UNITS_PER_EURO.get(currency, 1))
    coin = Decimal(1).scaleb(-exponent(currency))
    return (euros * factor).quantize(coin, ROUND_HALF_EVEN).normalize() + Decimal(0)


def default_limits(currency: str) -> dict[str, Decimal]:
    """Return the limits of a shop that has set none."""
    shipped = PolicySettings()
    return {name: scaled(getattr(shipped, name), currency) for name in MONEY_LIMITS}


def default_amounts(kind: type[BaseModel], currency: str) -> Mapping[str, Any]:
    """Return the amounts of an agent's settings whose default differs in the currency."""
    marked = {
        name: field.default
        for name, field in kind.model_fields.items()
        if isinstance(field.json_schema_extra, dict)
        and field.json_schema_extra.get("unit") == MONEY
    }
    amounts = {name: scaled(Decimal(str(value)), currency) for name, value in marked.items()}
    return {name: float(each) for name, each in amounts.items() if each != marked[name]}
