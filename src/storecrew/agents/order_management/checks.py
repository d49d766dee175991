"""Before an order is approved: the shelf, the customer, and whether it looks like the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from storecrew.agents.order_management import signals
from storecrew.agents.order_management.settings import OrderManagementSettings
from storecrew.agents.order_management.signals import Signal
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import NotFound
from storecrew.domain.events import Event
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.orders import ApproveOrder, HoldOrder, Order, OrderQuery, OrderStatus

_OWN = 50
"""Orders of one customer that are looked at."""


@dataclass(frozen=True, kw_only=True)
class OrderContext:
    """What a batch of received orders is held against."""

    shelf: Mapping[str, int]
    """Units on hand and not promised, over all warehouses."""
    newest: Sequence[Order]
    """The shop's newest orders, those of the batch included."""


async def load_context(
    store: StoreView, orders: Sequence[Order], settings: OrderManagementSettings
) -> OrderContext:
    """Read, in two questions, what all of these orders are compared with."""
    if not orders:
        return OrderContext(shelf={}, newest=())
    levels = await store.stock({line.sku for order in orders for line in order.lines})
    last = max(order.id for order in orders)
    numbers = {*range(max(1, last - settings.baseline_orders), last + 1), *(o.id for o in orders)}
    return OrderContext(shelf=_shelf(levels), newest=await store.orders_by_id(numbers))


async def checked(
    store: StoreView,
    order: Order,
    around: OrderContext,
    settings: OrderManagementSettings,
    *,
    trusted: bool,
) -> Proposal | Event:
    """Approve the order, hold it for a person, or say why neither can be done.

    A trusted order was released by a person, who has seen its signals.
    """
    if missing := [line.sku for line in order.lines if around.shelf.get(line.sku, 0) < 0]:
        return ObservationRejected(
            sku=missing[0],
            what="stock",
            value=str(around.shelf[missing[0]]),
            reason=f"more is promised than is on hand; order {order.id} waits for a person",
        )
    if trusted:
        return _approve(order, "a person released it")
    if found := await _signals(store, order, around, settings):
        return _hold(order, found)
    return _approve(order, f"none of {signals.CHECKS}")


async def _signals(
    store: StoreView, order: Order, around: OrderContext, settings: OrderManagementSettings
) -> Sequence[Signal]:
    others = [each for each in around.newest if each.id != order.id]
    shop = signals.usual([o for o in others if o.status is not OrderStatus.CANCELLED])
    found = signals.cheap_signals(order, shop, others, settings)
    if not signals.is_large(order, shop, settings):
        return found
    own = await _own_orders(store, order)
    found += signals.of_customer(order, shop, own, settings)
    if found and order.customer and not await _is_reachable(store, order.customer):
        found.append(
            Signal(name="customer not on record", figure=order.customer, usual="a mail address")
        )
    return found


async def _own_orders(store: StoreView, order: Order) -> list[Order]:
    """Return the customer's earlier orders that were not called off."""
    if not order.customer:
        return []
    page = await store.orders(OrderQuery(customer=order.customer, per_page=_OWN))
    return [o for o in page.items if o.id < order.id and o.status is not OrderStatus.CANCELLED]


async def _is_reachable(store: StoreView, customer: str) -> bool:
    try:
        return bool((await store.customer(customer)).email)
    except NotFound:
        return False


def _shelf(levels: Sequence[StockLevel]) -> Mapping[str, int]:
    shelf: dict[str, int] = {}
    for level in levels:
        shelf[level.sku] = shelf.get(level.sku, 0) + level.available
    return shelf


def _approve(order: Order, said: str) -> Proposal:
    return Proposal(
        action=ApproveOrder(order_id=order.id),
        reason="All units are on hand and reserved.",
        evidence={
            "total": str(order.total),
            "lines": len(order.lines),
            "units": sum(line.quantity for line in order.lines),
            "stock_check": "reserved",
            "fraud_signals": said,
            "customer": order.customer or "not named",
            "placed_at": order.placed_at.isoformat(),
        },
    )


def _hold(order: Order, found: Sequence[Signal]) -> Proposal:
    names = ", ".join(signal.name for signal in found)
    return Proposal(
        action=HoldOrder(order_id=order.id, reason=names),
        reason=f"A person should look before anything moves: {names}.",
        evidence={
            "total": str(order.total),
            "customer": order.customer or "not named",
            "placed_at": order.placed_at.isoformat(),
            "signals": [{"signal": s.name, "seen": s.figure, "usual": s.usual} for s in found],
        },
    )
