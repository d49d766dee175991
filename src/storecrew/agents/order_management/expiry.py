"""Orders that are not paid in time: their units go back on sale."""

from datetime import datetime, timedelta

from storecrew.agents.order_management.settings import OrderManagementSettings
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.orders import RESERVING, CancelOrder, Order

_TICKS = 3
"""Hours in a row in which it is proposed: a tick may be missed while the process is down."""


async def expirations(
    store: StoreView, due: datetime | None, settings: OrderManagementSettings
) -> list[Proposal]:
    """Propose on a tick to cancel what is unpaid for too long; money set aside keeps an order."""
    if due is None:
        return []
    orders = await store.open_orders()
    overdue = {order.id: order for order in orders if _is_overdue(order, due, settings)}
    if not overdue:
        return []
    kept = {each.order_id for each in await store.authorizations(overdue)}
    hours = f"{settings.reservation_hours:g}"
    return [_cancel(order, due, hours) for order in overdue.values() if order.id not in kept]


def _is_overdue(order: Order, now: datetime, settings: OrderManagementSettings) -> bool:
    """Tell whether an unpaid order expires in these hours, or is asked about again."""
    if order.status not in RESERVING or order.payments or order.paid.amount > 0:
        return False
    hours = (now - order.updated_at) / timedelta(hours=1) - settings.reservation_hours
    return hours >= 0 and int(hours) % max(_TICKS, int(settings.recheck_hours)) < _TICKS


def _cancel(order: Order, now: datetime, hours: str) -> Proposal:
    return Proposal(
        action=CancelOrder(order_id=order.id, reason=f"not paid within {hours} hours"),
        reason="Nothing was paid in time; the reserved units can be sold again.",
        evidence={
            "total": str(order.total),
            "status": order.status.value,
            "held": order.held or "no",
            "customer": order.customer or "not named",
            "units": sum(line.quantity for line in order.lines),
            "hours_since_last_step": round((now - order.updated_at) / timedelta(hours=1)),
        },
    )
