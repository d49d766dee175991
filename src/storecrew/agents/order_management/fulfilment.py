"""Paid orders leave the shelf, delivered ones are closed: which step an order is due."""

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.orders import CompleteDelivery, FulfilOrder, Order, OrderStatus


def sent_or_closed(order_id: int, order: Order | None, *, arrived: bool) -> list[Proposal | Event]:
    """Propose to send what is paid and to close what arrived.

    A parcel reported as delivered before its order was marked as sent has left all the same: if
    the order is paid, both steps are proposed, in order.
    """
    if order is not None and order.status is OrderStatus.AWAITING_DELIVERY:
        return [_complete(order)] if arrived else []
    if order is not None and is_due(order):
        return [_fulfil(order), _complete(order)] if arrived else [_fulfil(order)]
    if arrived and (order is None or order.status is not OrderStatus.DELIVERED):
        state = order.status.value if order else "not open"
        reason = f"the order is {state}, so nothing can have been delivered"
        return [
            ObservationRejected(sku="", what="delivery", value=f"order {order_id}", reason=reason)
        ]
    return []


def is_due(order: Order) -> bool:
    """Tell whether the order is paid, not held, and not sent."""
    return order.status is OrderStatus.AWAITING_PAYMENT and order.is_paid and not order.held


def _fulfil(order: Order) -> Proposal:
    return Proposal(
        action=FulfilOrder(order_id=order.id),
        reason="The order is paid in full.",
        evidence={
            "total": str(order.total),
            "paid": str(order.paid),
            "units": sum(line.quantity for line in order.lines),
        },
    )


def _complete(order: Order) -> Proposal:
    return Proposal(
        action=CompleteDelivery(order_id=order.id),
        reason="The carrier says that the parcel arrived.",
        evidence={"total": str(order.total)},
    )
