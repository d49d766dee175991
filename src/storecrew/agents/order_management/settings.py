"""What order management holds an order against: its section of `storecrew.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from storecrew.domain.errors import InvalidInput


@dataclass(frozen=True, kw_only=True)
class OrderManagementSettings:
    """Windows and limits of the order flow."""

    return_days: float = 30
    """Days after delivery within which goods are taken back; most shops promise a month."""
    watch_hours: float = 1
    """Hours after which an order that stands still is looked at: what lost its event is found."""
    again_hours: float = 73
    """Hours after which it is looked at again: later than an unanswered question expires."""
    compare_orders: int = 100
    """Newest orders that a fresh one is compared with; older ones tell of another season."""
    enough_orders: int = 20
    """Fewer orders to compare with tell nothing of what is usual."""
    times_largest: float = 3
    """An order worth so many times the largest of those is far above the usual."""
    orders_an_hour: int = 5
    """More orders than this of one customer within an hour are looked at by a person."""
    units_from: int = 20
    """Lines of fewer units are never a signal, however small the usual ones are."""

    def __post_init__(self) -> None:
        """Refuse what is no window or limit."""
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise InvalidInput(each.name, "must be above zero")


def terms_from(settings: Mapping[str, Any]) -> OrderManagementSettings:
    """Return the terms of the agent's settings, defaults where they say nothing."""
    known = {each.name: type(each.default) for each in fields(OrderManagementSettings)}
    given = {name: _number(name, v, known[name]) for name, v in settings.items() if name in known}
    return OrderManagementSettings(**given)


def _number(name: str, value: Any, kind: type) -> Any:
    try:
        return kind(str(value))
    except ValueError:
        raise InvalidInput(name, f"{value!r} is not a number") from None
