"""What customers, carriers and suppliers do once something has happened on the books."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from storecrew.domain.actions import (
    AcceptReturn,
    Action,
    CancelOrder,
    CapturePayment,
    ReceivePurchase,
)
from storecrew.domain.events import (
    DeliveryConfirmed,
    Event,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
    OrderReturned,
    PurchaseOrdered,
    TicketOpened,
)
from storecrew.stores.simulated.demand import Manners, stranger
from storecrew.stores.simulated.tally import Tally

_GIVES_UP = timedelta(days=2)
"""After so long without a payment an order is called off."""


@dataclass(frozen=True, order=True)
class Due:
    """Something that will happen, unless the books say otherwise by then."""

    at: datetime
    number: int
    """The order or purchase it is about."""
    what: str


@dataclass
class FollowUps:
    """Turns facts into what follows from them, at its time."""

    seed: int
    tally: Tally
    manners: dict[int, Manners] = field(default_factory=dict[int, Manners])
    """Per order, how its customer behaves; orders that others placed are added when seen."""
    heap: list[Due] = field(default_factory=list[Due])
    answered: set[int] = field(default_factory=set[int])
    left: set[int] = field(default_factory=set[int])
    """Orders that were called off."""

    def placed(self, order_id: int, at: datetime) -> None:
        """Begin the customer's wait for an answer."""
        self._later(at + self.of(order_id).patience, order_id, "patience")

    def note(self, event: Event, at: datetime) -> None:
        """Take note of a fact, and plan what follows."""
        heard = _HEARD.get(type(event))
        if heard is not None:
            heard(self, event, at)

    def until(self, moment: datetime) -> list[Due]:
        """Take out what is due, oldest first."""
        found: list[Due] = []
        while self.heap and self.heap[0].at <= moment:
            found.append(heapq.heappop(self.heap))
        return found

    def action(self, due: Due) -> Action | None:
        """Return what somebody does to the books now, or None if it has no object any more."""
        number = due.number
        if due.what == "receive":
            return ReceivePurchase(purchase_id=number)
        if number in self.left:
            return None
        if due.what == "pay":
            return CapturePayment(order_id=number, reference=f"market-{self.seed}-{number}")
        if due.what == "patience":
            late = number not in self.answered
            return CancelOrder(order_id=number, reason="answered too late") if late else None
        if due.what == "give_up":
            return CancelOrder(order_id=number, reason="never paid")
        return AcceptReturn(order_id=number, reason="did not fit") if due.what == "return" else None

    def news(self, due: Due) -> Event | None:
        """Return what is heard from outside the books, if this is such a thing."""
        if due.what == "deliver":
            if (record := self.tally.orders.get(due.number)) is not None:
                record.delivered_at = due.at
            return DeliveryConfirmed(order_id=due.number)
        if due.what == "ask":
            text = f"How do I fit what I bought with order {due.number}?"
            return TicketOpened(ticket_id=f"T{due.number}", text=text)
        return None

    def of(self, order_id: int) -> Manners:
        """Return how the order's customer behaves."""
        if order_id not in self.manners:
            self.manners[order_id] = stranger(self.seed, order_id)
        return self.manners[order_id]

    def _later(self, at: datetime, number: int, what: str) -> None:
        heapq.heappush(self.heap, Due(at, number, what))

    def _approved(self, event: OrderApproved, at: datetime) -> None:
        self.answered.add(event.order_id)
        pays_after = self.of(event.order_id).pays_after
        if pays_after is None:
            self._later(at + _GIVES_UP, event.order_id, "give_up")
        else:
            self._later(at + pays_after, event.order_id, "pay")

    def _fulfilled(self, event: OrderFulfilled, at: datetime) -> None:
        self._later(at + self.of(event.order_id).transit, event.order_id, "deliver")

    def _delivered(self, event: OrderDelivered, at: datetime) -> None:
        manners = self.of(event.order_id)
        if manners.returns_after is not None:
            self._later(at + manners.returns_after, event.order_id, "return")
        if manners.asks:
            self._later(at + timedelta(hours=5), event.order_id, "ask")

    def _cancelled(self, event: OrderCancelled, _at: datetime) -> None:
        self.left.add(event.order_id)
        if (record := self.tally.orders.get(event.order_id)) is not None:
            record.cancelled = True

    def _returned(self, event: OrderReturned, _at: datetime) -> None:
        if (record := self.tally.orders.get(event.order_id)) is not None:
            record.returned += event.amount.minor

    def _ordered(self, event: PurchaseOrdered, at: datetime) -> None:
        """Deliver when due, sometimes a day early, now and then days late."""
        stream = f"{self.seed}/delivery/{event.sku}/{at.date().isoformat()}"
        rng = Random(stream)  # noqa: S311 - a simulation, not a secret
        late = rng.expovariate(1 / 3) if rng.random() < 0.2 else rng.uniform(-1, 0.5)
        self._later(event.due_at + timedelta(days=late), event.purchase_id, "receive")


_HEARD: dict[type[Event], Callable[..., None]] = {
    OrderApproved: FollowUps._approved,
    OrderFulfilled: FollowUps._fulfilled,
    OrderDelivered: FollowUps._delivered,
    OrderCancelled: FollowUps._cancelled,
    OrderReturned: FollowUps._returned,
    PurchaseOrdered: FollowUps._ordered,
}
"""Who listens to which fact."""
