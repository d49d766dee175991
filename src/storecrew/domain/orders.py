"""The order machine: which state may follow which, and the words of an order."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from storecrew.domain.errors import InvalidInput


class Status(StrEnum):
    """Where an order stands."""

    RECEIVED = "received"
    APPROVED = "approved"
    AWAITING_PAYMENT = "awaiting_payment"
    AWAITING_DELIVERY = "awaiting_delivery"
    DELIVERED = "delivered"
    CANCELLED = "cancelled"
    RETURNED = "returned"
    REFUNDED = "refunded"


MOVES: dict[Status | None, frozenset[Status]] = {
    None: frozenset({Status.RECEIVED}),
    Status.RECEIVED: frozenset({Status.APPROVED, Status.CANCELLED}),
    Status.APPROVED: frozenset({Status.AWAITING_PAYMENT, Status.CANCELLED}),
    Status.AWAITING_PAYMENT: frozenset({Status.AWAITING_DELIVERY, Status.CANCELLED}),
    Status.AWAITING_DELIVERY: frozenset({Status.DELIVERED}),
    Status.DELIVERED: frozenset({Status.RETURNED}),
    Status.CANCELLED: frozenset(),
    Status.RETURNED: frozenset({Status.REFUNDED}),
    Status.REFUNDED: frozenset(),
}
"""Every legal move; None is an order that does not exist yet."""

RESERVING = frozenset({Status.RECEIVED, Status.APPROVED, Status.AWAITING_PAYMENT})
"""States in which an order holds a reservation on stock."""


def is_legal(previous: Status | None, status: Status) -> bool:
    """Tell whether an order may go from one state to the other."""
    return status in MOVES[previous]


MAX_QUANTITY = 1_000_000
MAX_LINES = 500
_NAME_EXTRAS = frozenset(" ._-'()/&+")
_QUANTITY = re.compile(r"[0-9]{1,7}")


@dataclass(frozen=True)
class Wanted:
    """A product as a person wrote it, and how many."""

    name: str
    quantity: int


def parse_order(text: str) -> tuple[Wanted, ...]:
    """Read `Name:integer, …`; anything else raises `InvalidInput` naming the bad part."""
    return _parse(text, suffix="")


def parse_stock(text: str) -> tuple[Wanted, ...]:
    """Read a stock update: as an order, each number optionally followed by `units`."""
    return _parse(text, suffix="units")


def check_name(name: str) -> str:
    """Return the product name stripped and NFC-normalised, or raise `InvalidInput`."""
    name = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(name) <= 100:
        raise InvalidInput("product", "a name has 1 to 100 characters")
    scripts = set()
    for char in name:
        if char.isalpha() or unicodedata.category(char).startswith("M"):
            scripts.add(unicodedata.name(char, "UNKNOWN").split()[0])
        elif not (char.isascii() and (char.isdigit() or char in _NAME_EXTRAS)):
            raise InvalidInput("product", f"{char!r} is not allowed in {name!r}")
    if len(scripts) > 1:
        raise InvalidInput("product", f"{name!r} mixes scripts: {', '.join(sorted(scripts))}")
    return name


def _parse(text: str, *, suffix: str) -> tuple[Wanted, ...]:
    parts = text.split(",")
    if len(parts) > MAX_LINES:
        raise InvalidInput("order", f"{len(parts)} lines; at most {MAX_LINES} are allowed")
    return tuple(_parse_line(part, suffix) for part in parts)


def _parse_line(part: str, suffix: str) -> Wanted:
    name, colon, number = part.rpartition(":")
    if not colon:
        raise InvalidInput("order", f"{part.strip()!r} is not of the form Name:quantity")
    number = number.strip()
    if suffix:
        number = number.removesuffix(suffix).rstrip()
    if not _QUANTITY.fullmatch(number):
        raise InvalidInput("quantity", f"{number!r} in {part.strip()!r} is not a whole number")
    return Wanted(check_name(name), check_quantity(int(number)))


def check_quantity(quantity: int) -> int:
    """Return the quantity if an order line may have it, or raise `InvalidInput`."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise InvalidInput("quantity", f"{quantity} is not between 1 and {MAX_QUANTITY}")
    return quantity
