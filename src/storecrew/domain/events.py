"""Facts. Named in the past tense; never changed once published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

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
class MessageQueued(Event):
    """A message to a customer waits to be sent."""

    customer: str
    purpose: str


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
