"""Events as others word them, read into the product's own where it knows them."""

import re
from dataclasses import fields
from typing import Any

from storecrew.domain.codec import EVENTS, decode
from storecrew.domain.control.events import ClockTicked, ExternalEventReceived, RunRequested
from storecrew.domain.control.integrity import IntegrityCheckFailed
from storecrew.domain.control.runs import RunFailed
from storecrew.domain.control.services import ServiceFailed
from storecrew.domain.errors import InvalidInput
from storecrew.domain.events import Event

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
_OWN = frozenset(
    {
        Event,
        ClockTicked,
        RunRequested,
        ExternalEventReceived,
        RunFailed,
        ServiceFailed,
        IntegrityCheckFailed,
    }
)
"""Events that only the plane itself makes."""


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


_KINDS = {name: kind for name, kind in EVENTS.items() if kind not in _OWN}
_KINDS |= {_snake(name): kind for name, kind in _KINDS.items()}


def known_event(kind: str, data: dict[str, Any]) -> Event:
    """Return the event; raises `InvalidInput` for an unknown type, or data not of its shape."""
    if kind in REPORTED:
        return _understood(kind, data) or ExternalEventReceived(event_type=kind, data=data)
    if kind not in _KINDS:
        known = ", ".join(sorted({_snake(name) for name in _KINDS} | REPORTED))
        raise InvalidInput("event_type", f"{kind!r} is none of {known}")
    return decode(_KINDS[kind], data, field="data")


def event_of(kind: str, data: dict[str, Any]) -> Event:
    """Return the event, in the sender's own words where ours do not fit: nothing is lost."""
    try:
        return known_event(kind, data)
    except InvalidInput:
        return ExternalEventReceived(event_type=kind, data=data)


def _understood(kind: str, data: dict[str, Any]) -> Event | None:
    """Return the event of ours that a report amounts to; None where that cannot be said."""
    if kind not in _KINDS:
        return None
    own = _KINDS[kind]
    known = {field.name: data[field.name] for field in fields(own) if field.name in data}
    if str(known.get("order_id", "")).isdecimal():
        known["order_id"] = int(known["order_id"])
    try:
        return decode(own, known, field="data")
    except InvalidInput:
        return None
