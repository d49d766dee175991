"""Events as others word them, read into the product's own where it knows them."""

import re
from collections.abc import Collection
from dataclasses import fields
from typing import Any

from storecrew.domain.codec import REPORTABLE, decode
from storecrew.domain.control.agents import GoalSet
from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import Event
from storecrew.domain.shop.messages import MailReceived

REPORTED = frozenset(
    {
        "order_created",
        "cart_updated",
        "inventory_low",
        "payment_failed",
        "shipping_delayed",
        "user_browsing",
        "supply_chain_disruption",
    }
)
"""Types that other systems report in their own words; their data is kept as it came."""


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_PEOPLES = REPORTABLE | {kind.__name__: kind for kind in (GoalSet, MailReceived)}
"""Events that a person with a key may report: they may set goals and place orders anyway."""
_KINDS = _PEOPLES | {_snake(name): kind for name, kind in _PEOPLES.items()}


def known_event(kind: str, data: dict[str, Any]) -> Event:
    """Return the event; raises `InvalidInput` for an unknown type, or data not of its shape."""
    if kind in REPORTED:
        return _understood(kind, data) or ExternalEventReceived(event_type=kind, data=data)
    if kind not in _KINDS:
        known = ", ".join(sorted({_snake(name) for name in _KINDS} | REPORTED))
        raise InvalidInput("event_type", f"{kind!r} is none of {known}")
    return decode(_KINDS[kind], data, field="data")


def event_of(kind: str, data: dict[str, Any], declared: Collection[str]) -> Event:
    """Return the event if its type is declared and its data fits, else the sender's own words."""
    try:
        event = known_event(kind, data)
    except InvalidInput:
        return ExternalEventReceived(event_type=kind, data=data)
    if type(event).__name__ in declared:
        return event
    return ExternalEventReceived(event_type=kind, data=data)


def _understood(kind: str, data: dict[str, Any]) -> Event | None:
    """Return the event of ours that a report amounts to; None where that cannot be said."""
    if kind not in _KINDS:
        return None
    own = _KINDS[kind]
    known = {field.name: data[field.name] for field in fields(own) if field.name in data}
    number = str(known.get("order_id", ""))
    if number.isascii() and number.isdecimal():
        known["order_id"] = int(known["order_id"])
    try:
        return decode(own, known, field="data")
    except InvalidInput:
        return None
