"""Money that a provider set aside for an order: taken once, and only to the cent."""

from collections.abc import Mapping, Sequence

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.orders import Order, OrderStatus
from storecrew.domain.shop.payments import Authorization, CapturePayment


async def captures(
    store: StoreView, orders: Sequence[Order], spoken_of: Mapping[int, str]
) -> list[Proposal | Event]:
    """Propose to capture what was set aside for orders that await their payment.

    `spoken_of` are the references that news were about: if their amount is wrong, that is told.
    """
    due = {o.id: o for o in orders if _awaits_money(o)}
    if not due:
        return []
    aside: dict[int, list[Authorization]] = {}
    for each in await store.authorizations(due):
        if not each.captured:
            aside.setdefault(each.order_id, []).append(each)
    found: list[Proposal | Event] = []
    for order_id, kept in aside.items():
        found += _capture(due[order_id], kept, spoken_of.get(order_id, ""))
    return found


def _awaits_money(order: Order) -> bool:
    return order.status is OrderStatus.AWAITING_PAYMENT and not order.payments and not order.held


def _capture(order: Order, kept: list[Authorization], news: str) -> list[Proposal | Event]:
    exact = next((each for each in kept if each.amount == order.total), None)
    if exact is not None:
        return [_take(order, exact)]
    return [_wrong(order, each) for each in kept if not news or each.reference == news]


def _take(order: Order, kept: Authorization) -> Proposal:
    return Proposal(
        action=CapturePayment(order_id=order.id, reference=kept.reference, amount=kept.amount),
        reason="The payment was set aside in full.",
        evidence={
            "total": str(order.total),
            "authorised": str(kept.amount),
            "reference": kept.reference,
            "method": kept.method,
            "authorised_at": kept.at.isoformat(),
        },
    )


def _wrong(order: Order, kept: Authorization) -> ObservationRejected:
    return ObservationRejected(
        sku="",
        what="authorization",
        value=f"order {order.id}: {kept.amount}",
        reason=f"{kept.reference!r} is not the total {order.total}; nothing was captured",
    )
