"""Any sequence of steps: the ledger agrees with a model that fits on a page."""

import asyncio
from datetime import UTC, datetime

from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from storecrew.domain.actions import Action, OrderAction
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import (
    TRANSITIONS,
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment, Refund
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.stores.sql import SqlStore, open_store

SKUS = ("A", "B")
PRICE = {"A": 100, "B": 250}
OF = {
    ApproveOrder: OrderStatus.APPROVED,
    FulfilOrder: OrderStatus.AWAITING_DELIVERY,
    CompleteDelivery: OrderStatus.DELIVERED,
    CancelOrder: OrderStatus.CANCELLED,
}
numbers = st.integers(1, 6)


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


class Ledger(RuleBasedStateMachine):
    """The model: units on hand and reserved, and each order's state, lines and money."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.store: SqlStore = self.loop.run_until_complete(
            open_store("sqlite://", clock=Noon(), currency="EUR", inline=True)
        )
        self.keys = 0
        self.on_hand = dict.fromkeys(SKUS, 0)
        self.reserved = dict.fromkeys(SKUS, 0)
        self.orders: dict[int, dict] = {}
        for sku in SKUS:
            self.do(UpsertProduct(sku=sku, name=sku, price=Money.from_minor(PRICE[sku], "EUR")))

    def do(self, action: Action) -> Outcome:
        self.keys += 1
        key = f"k{self.keys}"
        outcome = self.loop.run_until_complete(self.store.apply(action, key=key))
        again = self.loop.run_until_complete(self.store.apply(action, key=key))
        assert again == outcome
        return outcome

    @rule(levels=st.dictionaries(st.sampled_from(SKUS), st.integers(0, 12), min_size=1))
    def count(self, levels: dict[str, int]) -> None:
        outcome = self.do(
            SetStock(levels=tuple(StockCount(sku=s, on_hand=n) for s, n in levels.items()))
        )
        fits = all(n >= self.reserved[s] for s, n in levels.items())
        assert outcome.applied is fits
        if fits:
            self.on_hand.update(levels)

    @rule(lines=st.lists(st.tuples(st.sampled_from(SKUS), st.integers(1, 5)), min_size=1))
    def place(self, lines: list[tuple[str, int]]) -> None:
        units = {sku: sum(n for s, n in lines if s == sku) for sku in {s for s, _ in lines}}
        outcome = self.do(PlaceOrder(lines=tuple(Line(sku=s, quantity=n) for s, n in lines)))
        short = {
            sku: n - (self.on_hand[sku] - self.reserved[sku])
            for sku, n in units.items()
            if n > self.on_hand[sku] - self.reserved[sku]
        }
        assert outcome.applied is not bool(short)
        if short:
            assert outcome.detail["missing"] == short
            return
        total = sum(PRICE[sku] * n for sku, n in units.items())
        self.orders[outcome.detail["order_id"]] = {
            "status": OrderStatus.RECEIVED,
            "units": units,
            "total": total,
            "paid": 0,
            "was_paid": False,
            "returned": dict.fromkeys(units, 0),
        }
        for sku, n in units.items():
            self.reserved[sku] += n

    @rule(order_id=numbers, kind=st.sampled_from(list(OF)))
    def step(self, order_id: int, kind: type[OrderAction]) -> None:
        outcome = self.do(kind(order_id=order_id))
        order = self.orders.get(order_id)
        if order is None:
            assert outcome.code == "not_found"
            return
        if OF[kind] not in TRANSITIONS[order["status"]]:
            assert outcome.code == "illegal_move"
            return
        if kind is FulfilOrder and order["paid"] < order["total"]:
            assert outcome.code == "unpaid"
            return
        assert outcome.applied
        self._moved(order, kind)

    def _moved(self, order: dict, kind: type[OrderAction]) -> None:
        order["status"] = OF[kind]
        if kind is ApproveOrder:
            order["status"] = OrderStatus.AWAITING_PAYMENT
        if kind in (FulfilOrder, CancelOrder):
            for sku, n in order["units"].items():
                self.reserved[sku] -= n
                self.on_hand[sku] -= n if kind is FulfilOrder else 0
        if kind is CancelOrder:
            order["paid"] = 0

    @rule(order_id=numbers, reference=st.sampled_from(["own", "shared"]), short=st.booleans())
    def pay(self, order_id: int, reference: str, short: bool) -> None:
        order = self.orders.get(order_id)
        taken = reference == "shared" and any(
            o["was_paid"] == "shared" for o in self.orders.values()
        )
        name = f"own-{order_id}-{self.keys}" if reference == "own" else "shared"
        amount = Money.from_minor((order["total"] if order else 0) - short, "EUR")
        outcome = self.do(CapturePayment(order_id=order_id, reference=name, amount=amount))
        due = order and order["status"] is OrderStatus.AWAITING_PAYMENT and not order["was_paid"]
        assert outcome.applied is bool(due and not taken and not short)
        if outcome.applied:
            order.update(paid=order["total"], was_paid=reference)

    @precondition(
        lambda self: any(o["status"] is OrderStatus.DELIVERED for o in self.orders.values())
    )
    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        delivered = [n for n, o in self.orders.items() if o["status"] is OrderStatus.DELIVERED]
        order_id = data.draw(st.sampled_from(delivered))
        order = self.orders[order_id]
        sku = data.draw(st.sampled_from(sorted(order["units"])))
        n = data.draw(st.integers(1, order["units"][sku] + 1))
        outcome = self.do(AcceptReturn(order_id=order_id, lines=(Line(sku=sku, quantity=n),)))
        assert outcome.applied is (n <= order["units"][sku])
        if outcome.applied:
            order["status"] = OrderStatus.RETURNED
            order["returned"][sku] += n
            order["paid"] -= PRICE[sku] * n
            self.on_hand[sku] += n

    @rule(order_id=numbers)
    def refund(self, order_id: int) -> None:
        outcome = self.do(Refund(order_id=order_id))
        order = self.orders.get(order_id)
        left = order and order["status"] is OrderStatus.RETURNED and order["paid"]
        assert outcome.applied is bool(left)
        if outcome.applied:
            order.update(status=OrderStatus.REFUNDED, paid=0)

    @invariant()
    def agrees_with_the_model(self) -> None:
        levels = self.loop.run_until_complete(self.store.stock())
        for level in levels:
            assert level.on_hand == self.on_hand[level.sku]
            assert level.reserved == self.reserved[level.sku]
        for order_id, order in self.orders.items():
            kept = self.loop.run_until_complete(self.store.order(order_id))
            assert (kept.status, kept.paid.minor) == (order["status"], order["paid"])

    @invariant()
    def books_add_up(self) -> None:
        assert list(self.loop.run_until_complete(self.store.verify())) == []

    def teardown(self) -> None:
        self.loop.run_until_complete(self.store.close())
        self.loop.close()


Ledger.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestOrderMachineAndLedger = Ledger.TestCase
