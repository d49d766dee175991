"""Order flow, last steps: paid orders leave the shelf, delivered ones are closed."""

from collections.abc import Sequence
from datetime import timedelta

from storecrew.domain.actions import CompleteDelivery, FulfilOrder
from storecrew.domain.commerce import Order
from storecrew.domain.events import DeliveryConfirmed, Event, ObservationRejected, PaymentReceived
from storecrew.domain.orders import Status
from storecrew.sdk import Context, Proposal, Proposals, agent


@agent(
    on=[PaymentReceived, DeliveryConfirmed],
    may=[FulfilOrder, CompleteDelivery],
    batch=200,
    within=timedelta(milliseconds=250),
    priority=20,
    capabilities=["orders"],
    tags=["flow"],
)
async def fulfilment(
    events: Sequence[PaymentReceived | DeliveryConfirmed], ctx: Context
) -> Proposals:
    """Hand paid orders to the carrier, and close those the carrier has delivered.

    A parcel reported as delivered before its order was marked as sent has left all the same: if
    the order is paid, both steps are proposed, in order.
    """
    wanted = [e for e in events if isinstance(e, PaymentReceived | DeliveryConfirmed)]
    delivered = {e.order_id for e in wanted if isinstance(e, DeliveryConfirmed)}
    found = {o.id: o for o in await ctx.store.orders_by_id({e.order_id for e in wanted})}
    for order_id in dict.fromkeys(event.order_id for event in wanted):
        order = found.get(order_id)
        for step in _steps(order_id, order, arrived=order_id in delivered):
            yield step


def _steps(order_id: int, order: Order | None, *, arrived: bool) -> list[Proposal | Event]:
    if order is not None and order.status is Status.AWAITING_DELIVERY:
        return [_complete(order)] if arrived else []
    if order is not None and order.status is Status.AWAITING_PAYMENT and order.is_paid:
        return [_fulfil(order), _complete(order)] if arrived else [_fulfil(order)]
    if arrived and (order is None or order.status is not Status.DELIVERED):
        state = order.status.value if order else "not open"
        reason = f"the order is {state}, so nothing can have been delivered"
        return [
            ObservationRejected(sku="", what="delivery", value=f"order {order_id}", reason=reason)
        ]
    return []


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
