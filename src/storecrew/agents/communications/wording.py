"""Messages about orders: the texts of a language, filled with an order's facts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from storecrew.domain.money import Money
from storecrew.domain.texts import catalogue, language_of


class OrderNews(StrEnum):
    """What a customer is told of an order."""

    PLACED = "placed"
    APPROVED = "approved"
    PAID = "paid"
    SHIPPED = "shipped"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"
    LATE = "late"
    """The carrier says that the parcel will be late."""
    DELAYED = "delayed"
    """The supplier of a product that it holds will be late."""


@dataclass(frozen=True, kw_only=True)
class OrderFacts:
    """What a message about an order may say."""

    name: str
    number: int
    items: Sequence[tuple[int, str]] = ()
    """Units and product names."""
    total: Money
    amount: Money | None = None
    """Paid back, where it is."""
    product: str = ""
    """The product that is late."""
    day: date | None = None
    """When it should come now, if anybody knows."""
    tracking: str = ""
    """The carrier's number of the parcel."""


_MOST = 30
"""Lines of an order that a message lists."""


def about_order(news: OrderNews, facts: OrderFacts, locale: str) -> tuple[str, str]:
    """Return title and body of a message about an order."""
    texts = _texts(locale)
    title, body = (
        texts["order"][news][part].replace("{number}", str(facts.number))
        for part in ("title", "body")
    )
    parts = [_greeting(texts, facts.name), body.replace("{product}", _plain(facts.product))]
    if facts.day is not None:
        parts.append(texts["by"].replace("{day}", facts.day.strftime(texts["day"])))
    if facts.tracking and news is OrderNews.SHIPPED:
        parts.append(texts["tracking"].replace("{tracking}", _plain(facts.tracking)))
    if facts.amount is not None and facts.amount.amount > 0:
        parts.append(texts["back"].replace("{amount}", _money(facts.amount, texts)))
    elif facts.items:
        lines = [f"{units} × {_plain(name)}" for units, name in facts.items[:_MOST]]
        lines += ["…"] if len(facts.items) > _MOST else []
        total = texts["total"].replace("{total}", _money(facts.total, texts))
        parts.append("\n".join((texts["items"], *lines, total)))
    return title, "\n\n".join((*parts, texts["bye"]))


def back_in_stock(product: str, name: str, locale: str) -> tuple[str, str]:
    """Return title and body of the message that a customer asked for."""
    texts = _texts(locale)
    title, body = (
        texts["in_stock"][part].replace("{product}", _plain(product)) for part in ("title", "body")
    )
    return title, "\n\n".join((_greeting(texts, name), body, texts["bye"]))


def _texts(locale: str) -> Mapping[str, Any]:
    return catalogue(__package__, language_of(locale))


def _greeting(texts: Mapping[str, Any], name: str) -> str:
    known = _plain(name)
    greeting: str = texts["hello"].replace("{name}", known) if known else texts["nameless"]
    return greeting


def _plain(text: str) -> str:
    """Return a name as one line of printable text: names come from outside."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:100]


def _money(money: Money, texts: Mapping[str, Any]) -> str:
    rounded = money.rounded()
    return f"{str(rounded.amount).replace('.', texts['comma'])} {rounded.currency}"
