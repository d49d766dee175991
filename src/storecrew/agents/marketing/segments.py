"""Who is written to: groups of customers by what they bought. Pure functions of sums and a moment.

A rule says who belonged to its group at any moment, so that what the group did afterwards, without
any message, can be looked up in the shop's own past.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from storecrew.domain.shop.customers import CustomerSpend

HISTORY_DAYS = 365
"""Days of orders that tell a customer's rhythm."""
_LATE = 2.0
"""Times the usual distance of a customer's orders after which the next is overdue."""
_SHORTEST, _LONGEST = 30.0, 180.0
"""Bounds, in days, of what counts as a usual distance."""
_LOYAL_ORDERS = 3
"""Orders within a year from which a customer is loyal, while the next is not overdue."""

Rule = Callable[[Mapping[str, CustomerSpend], datetime], Sequence[str]]
"""Given what customers bought within a year up to a moment: who belongs to the group then."""


@dataclass(frozen=True, kw_only=True)
class Segment:
    """A group of customers, and why they are one."""

    kind: str
    """Of campaign: its results teach later ones of the kind."""
    words: str
    """For the owner."""
    customers: tuple[str, ...]
    """Who may be written to, those who spent most first."""


def lapsed(bought: Mapping[str, CustomerSpend], at: datetime) -> Sequence[str]:
    """Return customers who ordered at least twice and whose next order is long overdue."""
    return [
        customer
        for customer, each in bought.items()
        if each.orders >= 2 and _since(each, at) > _LATE * rhythm(each)
    ]


def loyal(bought: Mapping[str, CustomerSpend], at: datetime) -> Sequence[str]:
    """Return customers who order often and are not overdue."""
    return [
        customer
        for customer, each in bought.items()
        if each.orders >= _LOYAL_ORDERS and _since(each, at) <= _LATE * rhythm(each)
    ]


def rhythm(spending: CustomerSpend) -> float:
    """Return the usual days between orders of a customer, between a month and half a year."""
    return min(_LONGEST, max(_SHORTEST, HISTORY_DAYS / max(1, spending.orders)))


def split_holdout(
    campaign: str, customers: Sequence[str], share: float
) -> tuple[list[str], list[str]]:
    """Return who is written to and who is left out, drawn by lot from the names alone.

    The same campaign draws the same customers, whenever it is asked.
    """
    written: list[str] = []
    left: list[str] = []
    for customer in customers:
        (left if _lot(campaign, customer) < share else written).append(customer)
    return written, left


def _lot(campaign: str, customer: str) -> float:
    digest = sha256(f"{campaign}/{customer}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64


def _since(spending: CustomerSpend, at: datetime) -> float:
    return (at - spending.last_at) / timedelta(days=1)
