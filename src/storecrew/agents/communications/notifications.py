"""What is to be told of which order: pure functions of orders and events."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.agents.communications.wording import OrderNews
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.orders import Order, OrderStatus, ShippingDelayed
from storecrew.domain.shop.payments import OrderRefunded
from storecrew.domain.shop.purchasing import PurchaseOrderDelayed
from storecrew.domain.shop.returns import OrderReturned

OLD = timedelta(days=3)
"""Age after which a change of an order is no news any more."""
_SLACK = timedelta(days=1)
"""A purchase that is later by less is not worth a message."""
_UNSENT = (OrderStatus.RECEIVED, OrderStatus.APPROVED, OrderStatus.AWAITING_PAYMENT)
_ON_ITS_WAY = (*_UNSENT, OrderStatus.AWAITING_DELIVERY)


@dataclass(frozen=True, kw_only=True)
class Notification:
    """One thing to tell about one order."""

    news: OrderNews
    order: Order
    topic: str
    """Told of once."""
    amount: Money | None = None
    product: str = ""
    expected_at: datetime | None = None
    source: str = ""
    """What was reported from outside, for the owner."""


_NEWS = {
    OrderStatus.RECEIVED: OrderNews.PLACED,
    OrderStatus.APPROVED: OrderNews.APPROVED,
    OrderStatus.AWAITING_PAYMENT: OrderNews.APPROVED,
    OrderStatus.AWAITING_DELIVERY: OrderNews.SHIPPED,
    OrderStatus.DELIVERED: OrderNews.DELIVERED,
    OrderStatus.CANCELLED: OrderNews.CANCELLED,
    OrderStatus.RETURNED: OrderNews.RETURNED,
    OrderStatus.REFUNDED: OrderNews.REFUNDED,
}


def stands(order: Order) -> OrderNews:
    """Return the newest change of an order."""
    is_paid = order.status is OrderStatus.AWAITING_PAYMENT and order.is_paid
    return OrderNews.PAID if is_paid else _NEWS[order.status]


def order_notifications(
    orders: Iterable[Order], events: Sequence[Event], now: datetime
) -> list[Notification]:
    """Return the newest change of each order, and refunds beside it."""
    returned = {e.order_id: e.amount for e in events if isinstance(e, OrderReturned)}
    refunded = {e.order_id: e.amount for e in events if isinstance(e, OrderRefunded)}
    found: list[Notification] = []
    for order in orders:
        if order.imported or now - order.updated_at > OLD:
            continue
        news = stands(order)
        amount = returned.get(order.id) if news is OrderNews.RETURNED else None
        if order.id in refunded:
            news, amount = OrderNews.REFUNDED, refunded[order.id]
        topic = f"order:{order.id}:{news.value}"
        found.append(Notification(news=news, order=order, topic=topic, amount=amount))
    return found


def carrier_notifications(orders: Iterable[Order], events: Sequence[Event]) -> list[Notification]:
    """Return what carriers said of parcels that are still awaited, once per new date."""
    known = {order.id: order for order in orders if order.status in _ON_ITS_WAY}
    found: dict[str, Notification] = {}
    for event in events:
        if not isinstance(event, ShippingDelayed) or event.order_id not in known:
            continue
        day = f":{event.expected_at:%Y-%m-%d}" if event.expected_at else ""
        topic = f"order:{event.order_id}:late{day}"
        found[topic] = Notification(
            news=OrderNews.LATE,
            order=known[event.order_id],
            topic=topic,
            expected_at=event.expected_at,
            source=event.reason,
        )
    return list(found.values())


def supplier_notifications(
    open_orders: Sequence[Order], events: Sequence[Event]
) -> list[Notification]:
    """Return which orders not yet sent hold a product whose supplier is late, once each."""
    found: dict[str, Notification] = {}
    for event in events:
        if not isinstance(event, PurchaseOrderDelayed) or event.due_at - event.previous < _SLACK:
            continue
        for order in open_orders:
            if order.status not in _UNSENT or not any(x.sku == event.sku for x in order.lines):
                continue
            topic = f"order:{order.id}:delayed:{event.sku}"[:250]
            found[topic] = Notification(
                news=OrderNews.DELAYED,
                order=order,
                topic=topic,
                product=event.sku,
                expected_at=None,
                source=f"purchase {event.purchase_id} is now due on {event.due_at:%Y-%m-%d}",
            )
    return list(found.values())
