"""Returns of delivered orders."""

from dataclasses import dataclass

from storecrew.domain.actions import OrderAction
from storecrew.domain.events import OrderEvent
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import Line


@dataclass(frozen=True, kw_only=True)
class AcceptReturn(OrderAction):
    """Take a delivered order back: units restocked, value refunded. No lines means all."""

    lines: tuple[Line, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ReturnRequested(OrderEvent):
    """A customer wants to give goods back; no lines means all of them."""

    lines: tuple[Line, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OrderReturned(OrderEvent):
    """Goods came back and were refunded."""

    amount: Money
