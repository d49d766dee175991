"""Payments: authorizations, captures, refunds, and the ways to pay."""

from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.actions import Action, OrderAction
from storecrew.domain.events import Event, OrderEvent
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Authorization:
    """A payment that a provider set aside for an order."""

    order_id: int
    reference: str
    amount: Money
    method: str
    at: datetime
    captured: bool


@dataclass(frozen=True, kw_only=True)
class CapturePayment(OrderAction):
    """Record the full payment of an order, once per reference."""

    reference: str
    amount: Money | None = None
    """What was received; None means the order's total. Anything but the total is refused."""


@dataclass(frozen=True, kw_only=True)
class AuthorizePayment(OrderAction):
    """Record that a provider set this amount aside for an order; it is captured later."""

    reference: str
    amount: Money
    method: str = "card"


@dataclass(frozen=True, kw_only=True)
class SetPaymentMethod(Action):
    """Offer a way to pay, or offer it no longer."""

    method: str
    enabled: bool

    @property
    def subject(self) -> str:
        """The way to pay."""
        return f"payment method:{self.method}"


@dataclass(frozen=True, kw_only=True)
class Refund(OrderAction):
    """Refund what is left of a returned order's payment."""

    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class PaymentReceived(OrderEvent):
    """An order was paid in full."""

    amount: Money


@dataclass(frozen=True, kw_only=True)
class PaymentAuthorized(OrderEvent):
    """A provider set an order's payment aside; it can be captured."""

    reference: str
    amount: Money
    method: str = "card"


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(OrderEvent):
    """A provider refused, or did not answer, when an order was to be paid."""

    method: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaymentMethodChanged(Event):
    """A way to pay was offered, or withdrawn."""

    method: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class OrderRefunded(OrderEvent):
    """What was left of an order's payment was paid back."""

    amount: Money
