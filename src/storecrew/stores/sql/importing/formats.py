"""How a file writes its dates and amounts: decided once per column, from all of its rows."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import exponent
from storecrew.stores.sql.importing.layout import Raw

DateOrder = Literal["dmy", "mdy", "ymd"]
DecimalMark = Literal["point", "comma"]
_DATE = re.compile(
    r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})"
    r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?\s*([AaPp][Mm])?)?"
)
_AROUND = re.compile(r"^[^\d.,+-]+|[^\d.,]+$")
"""What may stand before and after an amount: signs and words of currency."""
_GROUPING = re.compile(r"(?<=\d)[\s'’](?=\d{3})")
_FEW = 0.01
"""Share of contradicting rows up to which they count as mistakes of their own."""
_NAMES = {"dmy": "day/month/year", "mdy": "month/day/year", "ymd": "year-month-day"}


@dataclass(frozen=True, kw_only=True)
class Formats:
    """What was decided of a file, or given by the owner."""

    dates: DateOrder = "ymd"
    decimal: DecimalMark = "point"

    def words(self) -> dict[str, str]:
        """Return it as it is shown."""
        return {"dates": _NAMES[self.dates], "decimal mark": self.decimal}


class FormatDetector:
    """Collects the evidence of every row."""

    def __init__(self, currency: str) -> None:
        self._places = exponent(currency)
        self._orders = {"dmy": 0, "mdy": 0, "ymd": 0}
        """Rows that fit this order and no other."""
        self._either = 0
        self._marks = {"point": 0, "comma": 0}
        self._grouped = 0
        self._dates: set[str] = set()
        self._amounts: set[str] = set()

    def look(self, raws: Iterable[Raw]) -> None:
        """Look at the dates and prices of these rows."""
        for raw in raws:
            at, price = raw[4], raw[5]
            if isinstance(at, str):
                self._dates.add(at.strip())
            if isinstance(price, str):
                self._amounts.add(_bare(price))
        for text in self._dates:
            self._look_at_date(text)
        for text in self._amounts:
            self._look_at_amount(text)

    def _look_at_date(self, text: str) -> None:
        fits = [order for order in self._orders if _moment(text, order) is not None]
        if len(fits) == 1:
            self._orders[fits[0]] += 1
        elif fits:
            self._either += 1

    def _look_at_amount(self, text: str) -> None:
        mark = decimal_mark(text)
        if mark is None and ("," in text or "." in text):
            mark = self._by_currency(text)
            self._grouped += mark is None
        if mark:
            self._marks[mark] += 1

    def _by_currency(self, text: str) -> DecimalMark | None:
        """Return the mark of an amount such as 1,250, which the currency's coins may tell."""
        if self._places == 0:
            return "point" if "," in text else "comma"
        return "point" if self._places == 3 and "." in text else None

    def formats(self, dates: str = "", decimal: str = "") -> Formats:
        """Return what all rows together say; raises `InvalidInput` where they do not decide."""
        return Formats(
            dates=_chosen("dates", dates, self._orders, self._either, "ymd"),  # type: ignore[arg-type]
            decimal=_chosen("decimal", decimal, self._marks, self._grouped, "point"),  # type: ignore[arg-type]
        )


def _chosen(option: str, given: str, sure: dict[str, int], unsure: int, default: str) -> str:
    if given:
        if given not in sure:
            raise InvalidInput(option, f"{given!r} is none of {', '.join(sure)}")
        return given
    total = sum(sure.values())
    best = max(sure, key=lambda name: sure[name])
    against = total - sure[best]
    if not total and not unsure:
        return default
    if not total or against > total * _FEW:
        choices = " or ".join(f"--{option} {name}" for name in sure)
        raise InvalidInput(option, f"the rows fit several ways to write them; add {choices}")
    return best


def _bare(text: str) -> str:
    return _GROUPING.sub("", _AROUND.sub("", text.strip()))


def decimal_mark(text: str) -> DecimalMark | None:
    """Return the decimal mark that an amount must have; None where it may be either or none."""
    if "," in text and "." in text:
        return "comma" if text.rfind(",") > text.rfind(".") else "point"
    for mark, name in ((",", "comma"), (".", "point")):
        if text.count(mark) > 1:
            return "point" if name == "comma" else "comma"
        if mark in text and len(text.partition(mark)[2]) != 3:
            return name  # type: ignore[return-value]
        if mark in text and text.lstrip("+-").partition(mark)[0] in ("", "0"):
            return name  # type: ignore[return-value]
    return None


def plain_amount(text: str, decimal: DecimalMark) -> str:
    """Return the digits of an amount with a point, without signs of currency and grouping."""
    bare = _bare(text)
    grouping, mark = (".", ",") if decimal == "comma" else (",", ".")
    return bare.replace(grouping, "").replace(mark, ".")


def moment_of(text: str, order: DateOrder) -> datetime | None:
    """Return the moment that the text names in this order of day, month and year."""
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return _moment(text, order)


def _moment(text: str, order: str) -> datetime | None:
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    first, mark, second, third, *clock, half = found.groups()
    dotted = mark == "."  # no country writes the month first with dots
    parts = dict(zip(order, (first, second, third), strict=True))
    year = int(parts["y"])
    if max(len(parts["d"]), len(parts["m"])) > 2 or (dotted and order == "mdy"):
        return None
    if len(parts["y"]) != 4 and (order == "ymd" or len(parts["y"]) != 2):
        return None
    hour, minute, second_ = (int(part or 0) for part in clock)
    if half:
        hour = hour % 12 + (12 if half.lower() == "pm" else 0)
    try:
        day = datetime(  # noqa: DTZ001 - taken as UTC by the caller
            year if year > 99 else 2000 + year, int(parts["m"]), int(parts["d"])
        )
        return day.replace(hour=hour, minute=minute, second=second_)
    except ValueError:
        return None
