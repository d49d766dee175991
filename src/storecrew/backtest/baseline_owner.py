"""The baseline of a trial: one sensible person with a spreadsheet and an hour each morning.

Answers orders and customers, sends what is paid and records deliveries at eight in the morning;
calls before a dear order is approved; orders goods on Mondays, up to four weeks of each product's
average sales; keeps the list prices.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from storecrew.backtest.manual_operator import answers
from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.store import Store
from storecrew.domain.shop.catalog import ProductIndex
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    DeliveryConfirmed,
    FulfilOrder,
    Line,
    Order,
    OrderStatus,
    PlaceOrder,
    parse_order,
)
from storecrew.domain.shop.purchasing import CreatePurchaseOrder

MORNING = 8
"""Hour of the day at which the owner looks at the shop."""
LOOK_BACK_DAYS = 28
"""Days over which sales are averaged."""
COVER_DAYS = 28
"""Days of average sales that a weekly order fills the shelf up to."""
CALLS_ABOVE = 150
"""Amount from which the owner calls a customer before an order is approved."""
_ACTOR = "person:owner"
_PAGE = 500


@dataclass
class BaselineOwner:
    """Runs a shop through its store port, by hand. `operate` is called as time passes."""

    store: Store
    is_fraud: Callable[[int], bool] = lambda _order: False
    """What a call to the customer of an order would reveal."""
    _mails: list[MailReceived] = field(default_factory=list[MailReceived])
    _delivered: list[int] = field(default_factory=list[int])

    async def operate(self, now: datetime, news: Sequence[EventEnvelope]) -> None:
        """Collect the news; in the morning, do the day's work."""
        self._mails += [n.event for n in news if isinstance(n.event, MailReceived)]
        self._delivered += [
            n.event.order_id for n in news if isinstance(n.event, DeliveryConfirmed)
        ]
        if now.hour != MORNING:
            return
        await self._do(now, await self._orders())
        if now.weekday() == 0:
            await self._do(now, await self._purchases(now))

    async def _orders(self) -> list[Action]:
        """Place the written orders, approve, send, and record deliveries."""
        actions: list[Action] = [*await self._written(), *await answers(self.store)]
        for order in await self.store.open_orders():
            if order.status is OrderStatus.RECEIVED:
                actions.append(self._decide(order))
            elif order.status is OrderStatus.AWAITING_PAYMENT and order.is_paid:
                actions.append(FulfilOrder(order_id=order.id))
        actions += [CompleteDelivery(order_id=number) for number in self._delivered]
        self._delivered.clear()
        return actions

    def _decide(self, order: Order) -> Action:
        """Approve an order; call the customer first where much is at stake."""
        if order.total.amount > CALLS_ABOVE and self.is_fraud(order.id):
            return CancelOrder(order_id=order.id, reason="not the card's owner")
        return ApproveOrder(order_id=order.id)

    async def _written(self) -> list[Action]:
        if not self._mails:
            return []
        names = ProductIndex(await self.store.products())
        found: list[Action] = []
        for mail in self._mails:
            try:
                parsed = names.find_all(parse_order(mail.mail))
            except InvalidInput:
                continue  # the owner cannot read it either
            lines = tuple(Line(sku=product.sku, quantity=n) for product, n in parsed)
            found.append(PlaceOrder(lines=lines, customer=mail.customer, order_text=mail.mail))
        self._mails.clear()
        return found

    async def _purchases(self, now: datetime) -> list[Action]:
        """Fill every product up to four weeks of its average sales, in whole packs."""
        today = now.date()
        first, last = today - timedelta(days=LOOK_BACK_DAYS), today - timedelta(days=1)
        sales = await self.store.daily_sales(first, last)
        position: Counter[str] = Counter()
        for level in await self.store.stock():
            position[level.sku] += level.available
        on_order = {purchase.sku for purchase in await self.store.purchase_orders()}
        found: list[Action] = []
        for product in await self.store.products():
            average = sum(sales.units.get(product.sku, ())) / LOOK_BACK_DAYS
            target = max(1, round(average * COVER_DAYS))  # a sold out product is kept in the range
            missing = target - position[product.sku]
            if missing > 0 and product.stocked and product.sku not in on_order:
                packs = -(-missing // product.pack_size)
                found.append(
                    CreatePurchaseOrder(sku=product.sku, quantity=packs * product.pack_size)
                )
        return found

    async def _do(self, now: datetime, actions: Sequence[Action]) -> None:
        stamp = now.isoformat(timespec="minutes")
        keyed = [
            Command(key=f"owner/{stamp}/{type(a).__name__}/{n}", action=a, actor=_ACTOR)
            for n, a in enumerate(actions)
        ]
        for start in range(0, len(keyed), _PAGE):
            await self.store.apply_batch(keyed[start : start + _PAGE])
