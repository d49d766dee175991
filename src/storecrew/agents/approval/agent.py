"""Order flow, second step: a received order is checked and approved."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from storecrew.domain.actions import ApproveOrder
from storecrew.domain.commerce import Order, StockLevel
from storecrew.domain.events import ObservationRejected, OrderPlaced
from storecrew.domain.orders import Status
from storecrew.sdk import Context, Proposal, Proposals, agent


@agent(
    on=OrderPlaced,
    may=[ApproveOrder],
    batch=200,
    within=timedelta(milliseconds=250),
    priority=20,
    capabilities=["orders"],
    tags=["flow"],
)
async def approval(events: Sequence[OrderPlaced], ctx: Context) -> Proposals:
    """Approve received orders whose units are on the shelf."""
    ids = {e.order_id for e in events if isinstance(e, OrderPlaced)}
    orders = [o for o in await ctx.store.orders_by_id(ids) if o.status is Status.RECEIVED]
    levels = await ctx.store.stock({line.sku for order in orders for line in order.lines})
    shelf = _shelf(levels)
    for order in orders:
        if missing := [line.sku for line in order.lines if shelf.get(line.sku, 0) < 0]:
            yield ObservationRejected(
                sku=missing[0],
                what="stock",
                value=str(shelf[missing[0]]),
                reason=f"more is promised than is on hand; order {order.id} waits for a person",
            )
        else:
            yield _approve(order)


def _shelf(levels: Sequence[StockLevel]) -> Mapping[str, int]:
    """Return units on hand and not promised, over all warehouses."""
    shelf: dict[str, int] = {}
    for level in levels:
        shelf[level.sku] = shelf.get(level.sku, 0) + level.available
    return shelf


def _approve(order: Order) -> Proposal:
    return Proposal(
        action=ApproveOrder(order_id=order.id),
        reason="All units are on hand and reserved.",
        evidence={
            "total": str(order.total),
            "lines": len(order.lines),
            "units": sum(line.quantity for line in order.lines),
            "stock_check": "reserved",
            "placed_at": order.placed_at.isoformat(),
        },
    )
