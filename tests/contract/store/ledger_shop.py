"""A shop to try the ledger on: actions without ceremony."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetCost, SetPrice
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.purchasing import Supplier
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.stores.sql import SqlStore


class Clock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def advance(self, **by: float) -> None:
        self.at += timedelta(**by)


def euro(amount: str | int) -> Money:
    return Money.of(amount, "EUR")


def lines(**quantities: int) -> tuple[Line, ...]:
    return tuple(Line(sku=sku, quantity=n) for sku, n in quantities.items())


@dataclass
class Shop:
    """A store, its clock, and keys that nobody has to think of."""

    store: SqlStore
    clock: Clock
    _keys: count = field(default_factory=count)

    async def do(self, action: Action, *, key: str | None = None, actor: str = "test") -> Outcome:
        return await self.store.apply(action, key=key or f"k{next(self._keys)}", actor=actor)

    async def done(self, action: Action) -> Outcome:
        outcome = await self.do(action)
        assert outcome.applied, outcome
        return outcome

    async def refused(self, action: Action) -> Outcome:
        outcome = await self.do(action)
        assert not outcome.applied, outcome
        return outcome

    async def stocked(self, warehouse: str = "main", **levels: int) -> None:
        """Count units of products, which come to cost 4.00 and sell at 10.00."""
        every = tuple(StockCount(sku=s, on_hand=n, warehouse=warehouse) for s, n in levels.items())
        await self.done(SetStock(levels=every))
        for sku in levels:
            await self.done(SetPrice(sku=sku, price=euro(10)))
            await self.done(SetCost(sku=sku, cost=euro(4)))

    async def placed(self, **quantities: int) -> int:
        outcome = await self.done(PlaceOrder(lines=lines(**quantities)))
        return int(outcome.detail["order_id"])

    async def order_at(self, status: OrderStatus, *, paid: bool = True, **quantities: int) -> int:
        """Bring a new order to this state by legal steps."""
        order_id = await self.placed(**quantities)
        for action in _way_to(order_id, status, paid=paid):
            await self.done(action)
        assert (await self.store.order(order_id)).status is status
        return order_id

    async def level(self, sku: str, warehouse: str = "main") -> tuple[int, int]:
        """Return units on hand and reserved."""
        for level in await self.store.stock([sku]):
            if level.warehouse == warehouse:
                return level.on_hand, level.reserved
        return 0, 0

    async def facts(self) -> list[object]:
        return [published.event for _, published in await self.store.outbox(0, limit=10_000)]

    async def peopled(self) -> None:
        await self.store.put_customers(
            [
                Customer(id="ann", name="Ann", marketing_consent=True),
                Customer(id="bob", name="Bob"),
            ]
        )
        await self.store.put_suppliers([Supplier(id="acme", name="Acme", lead_time_days=3)])


def _way_to(order_id: int, status: OrderStatus, *, paid: bool) -> list[Action]:
    if status is OrderStatus.RECEIVED:
        return []
    if status is OrderStatus.CANCELLED:
        return [CancelOrder(order_id=order_id)]
    way: list[Action] = [ApproveOrder(order_id=order_id)]
    if status is OrderStatus.AWAITING_PAYMENT and not paid:
        return way
    way += [
        CapturePayment(order_id=order_id, reference=f"pay-{order_id}"),
        FulfilOrder(order_id=order_id),
        CompleteDelivery(order_id=order_id),
        AcceptReturn(order_id=order_id),
    ]
    reached = (
        OrderStatus.AWAITING_PAYMENT,
        OrderStatus.AWAITING_DELIVERY,
        OrderStatus.DELIVERED,
        OrderStatus.RETURNED,
    )
    return way[: 2 + reached.index(status)]
