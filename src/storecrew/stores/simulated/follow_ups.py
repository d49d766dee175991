"""What customers, carriers and suppliers do once something has happened on the books."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from storecrew.domain.actions import Action
from storecrew.domain.events import Event
from storecrew.domain.shop.messages import MessageQueued
from storecrew.domain.shop.orders import (
    CancelOrder,
    DeliveryConfirmed,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
    ShippingDelayed,
)
from storecrew.domain.shop.payments import CapturePayment, PaymentFailed, PaymentMethodChanged
from storecrew.domain.shop.purchasing import (
    DelayPurchaseOrder,
    PurchaseOrderCreated,
    ReceivePurchaseOrder,
)
from storecrew.domain.shop.returns import AcceptReturn, OrderReturned
from storecrew.domain.shop.support import OpenTicket, TicketAnswered
from storecrew.stores.simulated import disruptions
from storecrew.stores.simulated.demand import CustomerBehaviour, stranger
from storecrew.stores.simulated.tally import PROMISE, Tally

_GIVES_UP = timedelta(days=2)
"""After so long without a payment an order is called off."""
_TRIES_AGAIN = timedelta(hours=3)
"""After so long a refused payment is tried again."""
_WAITS = timedelta(hours=24)
"""After so long without an answer a customer complains, if of that temper."""
_CALLED_BACK = timedelta(days=20)
"""After so long the owner of a stolen card sees the payment."""
_ANNOYED = 0.4
"""Share of customers who complain of a question that nobody answers."""
_LATE, _LATE_AND_TOLD, _NEVER_HEARD = 0.25, 0.08, 0.02
"""Shares who complain of a late parcel, of one they were told of, and of silence."""


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
    manners: dict[int, CustomerBehaviour] = field(default_factory=dict[int, CustomerBehaviour])
    """Per order, how its customer behaves; orders that others placed are added when seen."""
    heap: list[Due] = field(default_factory=list[Due])
    answered: set[int] = field(default_factory=set[int])
    names: dict[int, str] = field(default_factory=dict[int, str])
    """Who came for each order: numbers differ with who runs the shop, visitors do not."""
    left: set[int] = field(default_factory=set[int])
    """Orders that were called off."""
    frauds: set[int] = field(default_factory=set[int])
    told: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """What somebody was told of each order, by number."""
    answered_tickets: set[str] = field(default_factory=set[str])
    off: set[str] = field(default_factory=set[str])
    """Ways to pay that are not offered."""
    tries: dict[int, int] = field(default_factory=dict[int, int])
    customers: dict[int, str | None] = field(default_factory=dict[int, "str | None"])
    arrivals: dict[int, datetime] = field(default_factory=dict[int, datetime])
    """When purchases that will be late really arrive."""

    def placed(self, order_id: int, at: datetime, customer: str | None) -> None:
        """Begin the customer's wait for an answer."""
        self.customers[order_id] = customer
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

    def happen(self, due: Due) -> Action | Event | None:
        """Return the action or event that is due now; None where nothing follows."""
        return _HAPPENS[due.what](self, due)

    def name(self, order_id: int) -> str:
        """Return the order's identity, the same for every operator of the shop."""
        return self.names.get(order_id, str(order_id))

    def of(self, order_id: int) -> CustomerBehaviour:
        """Return how the order's customer behaves."""
        if order_id not in self.manners:
            self.manners[order_id] = stranger(self.seed, order_id)
        return self.manners[order_id]

    def _later(self, at: datetime, number: int, what: str) -> None:
        heapq.heappush(self.heap, Due(at, number, what))

    # what is heard

    def _approved(self, event: OrderApproved, at: datetime) -> None:
        self.answered.add(event.order_id)
        pays_after = self.of(event.order_id).pays_after
        if pays_after is None:
            self._later(at + _GIVES_UP, event.order_id, "release_lease")
        else:
            self._later(at + pays_after, event.order_id, "pay")

    def _fulfilled(self, event: OrderFulfilled, at: datetime) -> None:
        fate = disruptions.shipment_outcome(self.seed, self.name(event.order_id))
        arrives = at + self.of(event.order_id).transit + fate.late_by
        self._later(arrives, event.order_id, "deliver")
        if fate.late_by and fate.tells_of_delay:
            self._later(at + timedelta(days=1), event.order_id, "delayed")
        if event.order_id in self.frauds:
            self._later(at + _CALLED_BACK, event.order_id, "call_back")

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

    def _ordered(self, event: PurchaseOrderCreated, at: datetime) -> None:
        """Deliver when due, sometimes a day early, now and then days late; most say so."""
        stream = f"{self.seed}/delivery/{event.sku}/{at.date().isoformat()}"
        rng = Random(stream)  # noqa: S311 - a simulation, not a secret
        late = rng.expovariate(1 / 3) if rng.random() < 0.2 else rng.uniform(-1, 0.5)
        arrives = event.due_at + timedelta(days=late)
        self._later(arrives, event.purchase_id, "receive")
        if late > 1:
            warned = max(at + timedelta(hours=1), event.due_at - timedelta(days=1))
            self.arrivals[event.purchase_id] = arrives
            self._later(warned, event.purchase_id, "supplier_late")

    def _told(self, event: MessageQueued, _at: datetime) -> None:
        kind, _, rest = event.topic.partition(":")
        if kind == "order":
            number, _, what = rest.partition(":")
            self.told.setdefault(number, []).append(what)

    def _answered(self, event: TicketAnswered, _at: datetime) -> None:
        self.answered_tickets.add(event.ticket_id)

    def _method(self, event: PaymentMethodChanged, _at: datetime) -> None:
        (self.off.discard if event.enabled else self.off.add)(event.method)

    # what happens

    def _receive(self, due: Due) -> Action:
        return ReceivePurchaseOrder(purchase_id=due.number)

    def _supplier_late(self, due: Due) -> Action:
        return DelayPurchaseOrder(purchase_id=due.number, due_at=self.arrivals.pop(due.number))

    def _pay(self, due: Due) -> Action | Event | None:
        """Pay; where the provider fails, say so, and perhaps try again."""
        number = due.number
        if number in self.left:
            return None
        paying = disruptions.payment_behaviour(self.seed, self.name(number))
        method = paying.method
        if method in self.off:
            if not paying.takes_other:
                self._later(due.at + _GIVES_UP, number, "release_lease")
                return None
            method = "bank" if method == "card" else "card"
        if method == "card" and disruptions.cards_fail(self.seed, due.at):
            tried = self.tries[number] = self.tries.get(number, 0) + 1
            again = tried <= paying.retries
            self._later(due.at + (_TRIES_AGAIN if again else _GIVES_UP), number,
                        "pay" if again else "release_lease")  # fmt: skip
            return PaymentFailed(order_id=number, method="card", reason="provider: no answer")
        return CapturePayment(order_id=number, reference=f"market-{self.seed}-{number}")

    def _patience(self, due: Due) -> Action | None:
        if due.number in self.left or due.number in self.answered:
            return None
        return CancelOrder(order_id=due.number, reason="answered too late")

    def _give_up(self, due: Due) -> Action | None:
        gone = due.number in self.left
        return None if gone else CancelOrder(order_id=due.number, reason="never paid")

    def _return(self, due: Due) -> Action:
        return AcceptReturn(order_id=due.number, reason="did not fit")

    def _deliver(self, due: Due) -> Event:
        if (record := self.tally.orders.get(due.number)) is not None:
            record.delivered_at = due.at
            self._judge(due, record.placed_at)
        return DeliveryConfirmed(order_id=due.number)

    def _judge(self, due: Due, placed_at: datetime) -> None:
        """Let the customer complain of a late parcel, or of silence."""
        temper = disruptions.shipment_outcome(self.seed, self.name(due.number)).temper
        heard = self.told.pop(str(due.number), [])
        share = 0.0 if heard else _NEVER_HEARD
        if due.at > placed_at + PROMISE:
            was_notified = any(what.startswith(("late", "delayed")) for what in heard)
            share += _LATE_AND_TOLD if was_notified else _LATE
        if temper < share:
            self.tally.complain(due.at)

    def _delayed(self, due: Due) -> Event:
        fate = disruptions.shipment_outcome(self.seed, self.name(due.number))
        expected = due.at + fate.late_by + timedelta(days=1)
        return ShippingDelayed(order_id=due.number, reason="carrier: delayed", expected_at=expected)

    def _call_back(self, due: Due) -> None:
        record = self.tally.orders.get(due.number)
        if record is not None and not record.cancelled and not record.returned:
            self.tally.defraud(due.at, record.total + disruptions.CHARGEBACK)

    def _ask(self, due: Due) -> Action | None:
        customer = self.customers.get(due.number)
        self._later(due.at + _WAITS, due.number, "unanswered")
        rng = Random(f"{self.seed}/question/{due.number}")  # noqa: S311 - a simulation
        text = rng.choice(_QUESTIONS).format(number=due.number)
        return OpenTicket(
            ticket_id=f"T{due.number}", text=text, customer=customer, order_id=due.number
        )

    def _unanswered(self, due: Due) -> None:
        silent = f"T{due.number}" not in self.answered_tickets
        if (
            silent
            and disruptions.shipment_outcome(self.seed, self.name(due.number)).temper < _ANNOYED
        ):
            self.tally.complain(due.at)


_QUESTIONS = (
    "How do I fit what I bought with order {number}?",
    "I would like to return an item of order {number}, how does that work?",
    "Could you send me the invoice of order {number} please?",
    "When do I get my refund for order {number}?",
    "One thing in order {number} is broken. What can be done?",
)
"""What customers ask once they have the parcel."""

_HEARD: dict[type[Event], Callable[..., None]] = {
    OrderApproved: FollowUps._approved,
    OrderFulfilled: FollowUps._fulfilled,
    OrderDelivered: FollowUps._delivered,
    OrderCancelled: FollowUps._cancelled,
    OrderReturned: FollowUps._returned,
    PurchaseOrderCreated: FollowUps._ordered,
    MessageQueued: FollowUps._told,
    TicketAnswered: FollowUps._answered,
    PaymentMethodChanged: FollowUps._method,
}
"""Who listens to which fact."""

_HAPPENS: dict[str, Callable[[FollowUps, Due], "Action | Event | None"]] = {
    "receive": FollowUps._receive,
    "supplier_late": FollowUps._supplier_late,
    "pay": FollowUps._pay,
    "patience": FollowUps._patience,
    "release_lease": FollowUps._give_up,
    "return": FollowUps._return,
    "deliver": FollowUps._deliver,
    "delayed": FollowUps._delayed,
    "call_back": FollowUps._call_back,
    "ask": FollowUps._ask,
    "unanswered": FollowUps._unanswered,
}
"""What comes of what is due."""
