"""Customers, the owner and the world outside: what they do, and what they were promised."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from storecrew.domain.actions import Action
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import AlreadyDecided, NotFound, NotUndoable, Retryable
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import RecordCompetitorPrice, SetCost, UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount, StockReported
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import (
    CancelOrder,
    DeliveryConfirmed,
    Line,
    OrderQuery,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.purchasing import ReceivePurchaseOrder, Supplier
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.testing.simulation.host import SimulatedHost

SKUS = tuple(f"P{n}" for n in range(6))
COST = {sku: 4 + 3 * n for n, sku in enumerate(SKUS)}


@dataclass
class Promises:
    """What outsiders were told, to be compared with the books at the end."""

    orders: dict[str, int] = field(default_factory=dict)
    """Order ids by the key of the request that was answered yes."""
    refused: set[str] = field(default_factory=set)
    """Keys of requests that were answered no."""
    mails: set[str] = field(default_factory=set)
    """External ids of mails that the journal acknowledged."""
    delivered: set[int] = field(default_factory=set)
    """Orders whose delivery the journal acknowledged."""


@dataclass
class SimulatedPeople:
    """Everybody outside the plane, each act chosen by the seed."""

    machine: SimulatedHost
    random: Random
    promises: Promises = field(default_factory=Promises)
    acts: int = 0
    retries: list[tuple[Action, str]] = field(default_factory=list)
    """Requests without an answer, to be repeated with the same key."""
    undelivered: list[EventEnvelope] = field(default_factory=list)
    """Webhooks that were not acknowledged, and copies of some that were."""

    async def open_shop(self) -> None:
        """Fill the shelves."""
        await self.machine.store.put_suppliers(
            [Supplier(id="s", name="Supplier", lead_time_days=3)]
        )
        levels = tuple(StockCount(sku=sku, on_hand=self.random.randint(2, 25)) for sku in SKUS)
        for sku in SKUS:
            price = Money.of(COST[sku] * 2, "EUR")
            product = UpsertProduct(
                sku=sku,
                name=f"Product {sku}",
                price=price,
                cost=Money.of(COST[sku], "EUR"),
                supplier="s",
                pack_size=self.random.choice([1, 1, 5]),
            )
            await self.machine.store.apply(product, key=f"setup/{sku}", actor="person:owner")
        counted = SetStock(levels=levels)
        await self.machine.store.apply(counted, key="setup/stock", actor="person:owner")

    async def act(self, plane: Orchestrator) -> None:
        """Do one thing, or let some time pass."""
        self.acts += 1
        choice = self.random.choices(list(_ACTS), weights=list(_ACTS.values()))[0]
        await choice(self, plane)

    # --- requests to the shop, repeated with their key until answered ------------------------

    async def ask(self, action: Action, key: str) -> Outcome | None:
        """Send a request; no answer, for whatever reason, means that it will be repeated."""
        self.retries.append((action, key))
        try:
            outcome = await self.machine.shop.apply(action, key=key, actor="person:customer")
        except Retryable:
            return None
        self.retries.remove((action, key))
        self.note(action, key, outcome)
        return outcome

    def note(self, action: Action, key: str, outcome: Outcome) -> None:
        """Remember what was promised."""
        if isinstance(action, PlaceOrder):
            if outcome.applied:
                self.promises.orders[key] = outcome.detail["order_id"]
            else:
                self.promises.refused.add(key)

    async def order(self, plane: Orchestrator) -> None:
        """Order some things, sometimes the same twice, sometimes too many."""
        count = self.random.randint(1, 3)
        lines = tuple(
            Line(sku=self.random.choice(SKUS), quantity=self.random.choice([1, 1, 2, 3, 12]))
            for _ in range(count)
        )
        await self.ask(PlaceOrder(lines=lines), f"order/{self.acts}")

    async def repeat(self, plane: Orchestrator) -> None:
        """Repeat a request that got no answer."""
        if self.retries:
            await self.ask(*self.retries.pop(0))

    async def pay(self, plane: Orchestrator) -> None:
        """Pay an order that awaits it."""
        order_id = await self._some(OrderStatus.AWAITING_PAYMENT)
        if order_id is not None:
            paid = CapturePayment(order_id=order_id, reference=f"pay/{order_id}")
            await self.ask(paid, f"pay/{order_id}/{self.acts}")

    async def cancel(self, plane: Orchestrator) -> None:
        """Call an order off, whatever its state."""
        order_id = await self._some(None)
        if order_id is not None:
            await self.ask(CancelOrder(order_id=order_id), f"cancel/{order_id}/{self.acts}")

    async def give_back(self, plane: Orchestrator) -> None:
        """Bring a delivered order back."""
        order_id = await self._some(OrderStatus.DELIVERED)
        if order_id is not None:
            await self.ask(AcceptReturn(order_id=order_id), f"return/{order_id}/{self.acts}")

    async def supply(self, plane: Orchestrator) -> None:
        """Deliver what was ordered from the supplier."""
        for purchase in (await self.machine.store.purchase_orders())[:1]:
            received = ReceivePurchaseOrder(purchase_id=purchase.id)
            await self.ask(received, f"supply/{purchase.id}/{self.acts}")

    async def undercut(self, plane: Orchestrator) -> None:
        """Publish a competitor's price, some of them absurd."""
        sku = self.random.choice(SKUS)
        price = self.random.choice(["0", "-3", str(COST[sku]), str(COST[sku] * 2), "9999"])
        action = RecordCompetitorPrice(sku=sku, competitor="rival", price=Money.of(price, "EUR"))
        await self.ask(action, f"rival/{self.acts}")

    async def cost(self, plane: Orchestrator) -> None:
        """Change what a product costs."""
        sku = self.random.choice(SKUS)
        cost = Money.of(COST[sku] + self.random.randint(-1, 2), "EUR")
        await self.ask(SetCost(sku=sku, cost=cost), f"cost/{self.acts}")

    # --- webhooks: at least once, late, twice and out of order -------------------------------

    async def deliver(self, plane: Orchestrator) -> None:
        """Tell that a parcel arrived."""
        order_id = await self._some(OrderStatus.AWAITING_DELIVERY)
        if order_id is not None:
            self.send(DeliveryConfirmed(order_id=order_id), f"delivery/{order_id}")

    async def mail(self, plane: Orchestrator) -> None:
        """Write an order by mail."""
        text = f"Product {self.random.choice(SKUS)}:{self.random.randint(1, 3)}"
        self.send(MailReceived(mail=text), f"mail/{self.acts}")

    async def report(self, plane: Orchestrator) -> None:
        """Count a shelf and tell."""
        text = f"Product {self.random.choice(SKUS)}:{self.random.randint(5, 30)}units"
        self.send(StockReported(stock=text), f"count/{self.acts}")

    def send(self, event: Event, external_id: str) -> None:
        """Put a webhook on its way, sometimes twice."""
        at = self.machine.clock.now()
        hook = EventEnvelope(
            source="shop", external_id=external_id, event=event, at=at, actor="shop"
        )
        self.undelivered += [hook] * self.random.choice([1, 1, 2])

    async def arrive(self, plane: Orchestrator) -> None:
        """Let a webhook arrive, not always the oldest; unacknowledged ones come again."""
        if not self.undelivered:
            return
        hook = self.undelivered.pop(self.random.randrange(len(self.undelivered)))
        try:
            await plane.publish([hook])
        except BaseException:
            self.undelivered.append(hook)
            raise
        if isinstance(hook.event, MailReceived):
            self.promises.mails.add(hook.external_id)
        elif isinstance(hook.event, DeliveryConfirmed):
            self.promises.delivered.add(hook.event.order_id)

    # --- the owner ---------------------------------------------------------------------------

    async def decide(self, plane: Orchestrator) -> None:
        """Answer a question, sometimes one that was answered."""
        approvals = await self.machine.journal.approvals(status=None, page=1, per_page=5)
        if not approvals.items:
            return
        one = self.random.choice(approvals.items)
        verdict = self.random.choice([ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
        try:
            await plane.decide(one.filed.id, verdict, by="owner")
        except (AlreadyDecided, NotFound):
            return

    async def undo(self, plane: Orchestrator) -> None:
        """Take something back, sometimes twice."""
        stories = await self.machine.journal.proposals(page=1, per_page=5)
        if not stories.items:
            return
        try:
            await plane.undo(self.random.choice(stories.items).filed.id, by="owner")
        except NotUndoable:
            return

    async def pause(self, plane: Orchestrator) -> None:
        """Stop the crew, or let it go on."""
        await plane.set_paused(not await self.machine.journal.paused(), by="owner")

    async def wait(self, plane: Orchestrator) -> None:
        """Let time pass, sometimes days."""
        hours = self.random.choice([0.01, 0.1, 1, 6, 30])
        self.machine.clock.advance_to(self.machine.clock.now() + timedelta(hours=hours))

    async def _some(self, status: OrderStatus | None) -> int | None:
        page = await self.machine.store.orders(OrderQuery(status=status, per_page=10))
        return self.random.choice(page.items).id if page.items else None


_Act = Callable[[SimulatedPeople, Orchestrator], Coroutine[Any, Any, None]]
_ACTS: dict[_Act, float] = {
    SimulatedPeople.order: 6,
    SimulatedPeople.repeat: 3,
    SimulatedPeople.pay: 5,
    SimulatedPeople.cancel: 0.7,
    SimulatedPeople.give_back: 0.7,
    SimulatedPeople.supply: 2,
    SimulatedPeople.undercut: 1.5,
    SimulatedPeople.cost: 0.5,
    SimulatedPeople.deliver: 3,
    SimulatedPeople.mail: 1.5,
    SimulatedPeople.report: 0.7,
    SimulatedPeople.arrive: 6,
    SimulatedPeople.decide: 2,
    SimulatedPeople.undo: 0.7,
    SimulatedPeople.pause: 0.3,
    SimulatedPeople.wait: 6,
}
