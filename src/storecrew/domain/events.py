"""Facts. Named in the past tense; never changed once published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from storecrew.domain.commerce import Line
from storecrew.domain.money import Money


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened."""

    @property
    def subject(self) -> str:
        """What it is about, as `kind:key`; events on one subject are handled in order."""
        return ""


@dataclass(frozen=True, kw_only=True)
class _OfProduct(Event):
    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


@dataclass(frozen=True, kw_only=True)
class _OfOrder(Event):
    order_id: int

    @property
    def subject(self) -> str:
        """The order."""
        return f"order:{self.order_id}"


@dataclass(frozen=True, kw_only=True)
class OrderPlaced(_OfOrder):
    """An order was received and its units reserved."""

    total: Money
    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class OrderApproved(_OfOrder):
    """An order was approved and awaits payment."""


@dataclass(frozen=True, kw_only=True)
class PaymentReceived(_OfOrder):
    """An order was paid in full."""

    amount: Money


@dataclass(frozen=True, kw_only=True)
class PaymentAuthorized(_OfOrder):
    """A provider set an order's payment aside; it can be captured."""

    reference: str
    amount: Money
    method: str = "card"


@dataclass(frozen=True, kw_only=True)
class PaymentFailed(_OfOrder):
    """A provider refused, or did not answer, when an order was to be paid."""

    method: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class PaymentMethodChanged(Event):
    """A way to pay was offered, or withdrawn."""

    method: str
    enabled: bool


@dataclass(frozen=True, kw_only=True)
class OrderHeld(_OfOrder):
    """An order waits until a person has looked at it."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderReleased(_OfOrder):
    """A held order goes on."""


@dataclass(frozen=True, kw_only=True)
class ReturnRequested(_OfOrder):
    """A customer wants to give goods back; no lines means all of them."""

    lines: tuple[Line, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class ShippingDelayed(_OfOrder):
    """The carrier says that a parcel will be late."""

    reason: str = ""
    expected_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class OrderFulfilled(_OfOrder):
    """An order left the warehouse."""


@dataclass(frozen=True, kw_only=True)
class OrderDelivered(_OfOrder):
    """An order reached its customer."""


@dataclass(frozen=True, kw_only=True)
class OrderCancelled(_OfOrder):
    """An order was called off before it left."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class OrderReturned(_OfOrder):
    """Goods came back and were refunded."""

    amount: Money


@dataclass(frozen=True, kw_only=True)
class OrderRefunded(_OfOrder):
    """What was left of an order's payment was paid back."""

    amount: Money


@dataclass(frozen=True, kw_only=True)
class StockChanged(_OfProduct):
    """Units on hand changed in a warehouse."""

    warehouse: str
    change: int
    on_hand: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class StockRanLow(_OfProduct):
    """What is available and on its way no longer lasts until a new order would arrive."""

    warehouse: str
    position: int
    """Units available plus units on order."""
    reorder_point: int
    daily_demand: float
    """Expected units a day."""
    low: float | None = None
    """Units until a new order would arrive that are exceeded with a chance of nine in ten."""
    high: float | None = None
    """The same, with a chance of one in ten."""
    basis: str = ""
    """What the forecast rests on, in words."""
    error: float | None = None
    """How far forecasts of the product were off so far: Σ|sold − forecast| / Σ sold."""


@dataclass(frozen=True, kw_only=True)
class ProductChanged(_OfProduct):
    """A product was created or what is known of it changed."""


@dataclass(frozen=True, kw_only=True)
class PriceChanged(_OfProduct):
    """A product's price was changed."""

    previous: Money
    price: Money


@dataclass(frozen=True, kw_only=True)
class CostChanged(_OfProduct):
    """What a unit costs the shop changed."""

    previous: Money | None
    cost: Money


@dataclass(frozen=True, kw_only=True)
class RivalPriceSeen(_OfProduct):
    """A competitor was seen asking another price than before."""

    rival: str
    price: Money


@dataclass(frozen=True, kw_only=True)
class ObservationRejected(_OfProduct):
    """A value from outside was too odd to act on; somebody should look."""

    what: str
    value: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class BottleneckSeen(Event):
    """More waits at one place of the order flow than should."""

    what: str
    """`approvals`, `payment`, `delivery`, `stock` or `prices`."""
    count: int
    threshold: int
    advice: str


@dataclass(frozen=True, kw_only=True)
class PurchaseOrdered(_OfProduct):
    """Units were ordered from a supplier."""

    purchase_id: int
    quantity: int
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PurchaseReceived(_OfProduct):
    """A supplier's delivery was put on the shelf."""

    purchase_id: int
    quantity: int


@dataclass(frozen=True, kw_only=True)
class PurchaseCancelled(_OfProduct):
    """A purchase order was called off."""

    purchase_id: int


@dataclass(frozen=True, kw_only=True)
class PurchaseDelayed(_OfProduct):
    """A supplier will deliver at another time than promised."""

    purchase_id: int
    previous: datetime
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class BackInStock(_OfProduct):
    """What was sold out, and somebody waits for, can be bought again."""


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(Event):
    """A customer agreed to marketing, or opted out."""

    customer: str
    marketing: bool


@dataclass(frozen=True, kw_only=True)
class MessageQueued(Event):
    """A message to a customer waits to be sent."""

    customer: str
    purpose: str
    message_id: int = 0
    """0 in events of before messages were numbered."""
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class MailReceived(Event):
    """A customer wrote an order, as `Name:quantity, …`."""

    mail: str
    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class StockReported(Event):
    """A warehouse reported its levels, as `Name:quantity units, …`."""

    stock: str


@dataclass(frozen=True, kw_only=True)
class DeliveryConfirmed(_OfOrder):
    """The carrier says that the parcel arrived."""


@dataclass(frozen=True, kw_only=True)
class TicketOpened(Event):
    """A customer asked something."""

    ticket_id: str
    text: str
    customer: str | None = None
    order_id: int | None = None

    @property
    def subject(self) -> str:
        """The ticket."""
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class _OfTicket(Event):
    ticket_id: str

    @property
    def subject(self) -> str:
        """The ticket."""
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class TicketAnswered(_OfTicket):
    """A customer was answered."""

    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class TicketEscalated(_OfTicket):
    """A person has to look at a ticket."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class TicketRated(_OfTicket):
    """A customer rated an answer: 1 (bad) to 5 (good)."""

    rating: int


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """A run of an agent failed for good."""

    agent: str
    run: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class ServiceFailed(Event):
    """A service beside the plane does not work."""

    service: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class BooksDiffered(Event):
    """A proof of the books found lines that do not add up."""

    count: int
    first: str


@dataclass(frozen=True, kw_only=True)
class AnomalyFound(Event):
    """A number left its usual range."""

    metric: str
    observed: float
    expected: float
    cause: str = ""


@dataclass(frozen=True, kw_only=True)
class GoalSet(Event):
    """The owner said what matters now."""

    goal: str
    """`profit`, `growth`, `clear_stock` or `service`."""
    until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class EventReported(Event):
    """Something outside said that this happened; its data is not trusted."""

    event_type: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ClockTicked(Event):
    """An agent's schedule came due."""

    agent: str
    due: datetime

    @property
    def subject(self) -> str:
        """The agent, whose ticks are handled in order."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class RunRequested(Event):
    """A person or program asked for a run of one agent."""

    agent: str
    by: str
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class Published:
    """An event on its way into the journal: unique per source and external id."""

    source: str
    external_id: str
    event: Event
    at: datetime
    actor: str = "system"


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """An event as the journal keeps it."""

    seq: int
    """Position in the journal; grows with each event."""
    event: Event
    source: str
    external_id: str
    at: datetime
