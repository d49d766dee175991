"""What a batch of events says, sorted by the step that it is about."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.events import Event
from storecrew.domain.shop.orders import (
    DeliveryConfirmed,
    OrderApproved,
    OrderPlaced,
    OrderReleased,
)
from storecrew.domain.shop.payments import PaymentAuthorized, PaymentReceived
from storecrew.domain.shop.returns import ReturnRequested


@dataclass(kw_only=True)
class OrderInbox:
    """Order numbers by what is due, in the order of the events; each once."""

    placed: list[int] = field(default_factory=list[int])
    released: list[int] = field(default_factory=list[int])
    payable: list[int] = field(default_factory=list[int])
    """Orders for which a payment may have been set aside."""
    paid: list[int] = field(default_factory=list[int])
    """Orders that were paid, or whose parcel arrived."""
    arrived: set[int] = field(default_factory=set[int])
    returns: list[ReturnRequested] = field(default_factory=list[ReturnRequested])
    references: dict[int, str] = field(default_factory=dict[int, str])
    due: datetime | None = None
    """The tick, where the watch is due."""
    is_asked: bool = False
    """Somebody asked for a look at everything that stands still."""

    @property
    def orders(self) -> set[int]:
        """Every order that the events name."""
        lists: tuple[Iterable[int], ...] = (self.placed, self.released, self.payable, self.paid)
        named = {number for numbers in lists for number in numbers}
        return named | {asked.order_id for asked in self.returns}


def sorted_out(events: Sequence[Event]) -> OrderInbox:
    """Return what is due after these events; what is none of ours is left out."""
    inbox = OrderInbox()
    for event in events:
        if isinstance(event, ReturnRequested):
            if event not in inbox.returns:
                inbox.returns.append(event)
        elif isinstance(event, ClockTicked):
            inbox.due = event.due
        elif isinstance(event, RunRequested):
            _request(inbox, event.parameters)
        else:
            _step(inbox, event)
    return inbox


def _step(inbox: OrderInbox, event: Event) -> None:
    if isinstance(event, OrderPlaced):
        inbox.placed.append(event.order_id)
    elif isinstance(event, OrderApproved | PaymentAuthorized):
        inbox.payable.append(event.order_id)
        if isinstance(event, PaymentAuthorized):
            inbox.references[event.order_id] = event.reference
    elif isinstance(event, OrderReleased):
        inbox.released.append(event.order_id)
        inbox.payable.append(event.order_id)
    elif isinstance(event, PaymentReceived | DeliveryConfirmed):
        inbox.paid.append(event.order_id)
        if isinstance(event, DeliveryConfirmed):
            inbox.arrived.add(event.order_id)


def _request(inbox: OrderInbox, parameters: Mapping[str, object]) -> None:
    """Return the order that a person named, else all orders that are stuck."""
    number = parameters.get("order_id")
    if isinstance(number, int) and not isinstance(number, bool):
        inbox.placed.append(number)
        inbox.payable.append(number)
        inbox.paid.append(number)
    elif number is None:
        inbox.is_asked = True
