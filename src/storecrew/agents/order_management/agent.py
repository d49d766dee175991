"""Order flow, from the order to its end: checked, paid, sent, closed, taken back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from storecrew.agents.order_management.checks import checked, load_context
from storecrew.agents.order_management.expiry import expirations
from storecrew.agents.order_management.fulfilment import is_due, sent_or_closed
from storecrew.agents.order_management.inbox import OrderInbox, sorted_out
from storecrew.agents.order_management.payments import captures
from storecrew.agents.order_management.returns import judged, left_over, with_back
from storecrew.agents.order_management.settings import OrderManagementSettings
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    DeliveryConfirmed,
    FulfilOrder,
    HoldOrder,
    Order,
    OrderApproved,
    OrderPlaced,
    OrderQuery,
    OrderReleased,
    OrderStatus,
)
from storecrew.domain.shop.payments import (
    CapturePayment,
    PaymentAuthorized,
    PaymentReceived,
    Refund,
)
from storecrew.domain.shop.returns import AcceptReturn, ReturnRequested
from storecrew.sdk import Context, Proposal, Proposals, agent, every

_REFUND_HOUR = 6
"""Hour (UTC) of the daily look at what came back and was not paid back."""
_RETURNED = 200
"""Newest returned orders that are looked at."""


@agent(
    name="order_management",
    on=[
        OrderPlaced,
        OrderApproved,
        PaymentAuthorized,
        PaymentReceived,
        DeliveryConfirmed,
        ReturnRequested,
        OrderReleased,
    ],
    schedule=every(hours=1, offset=timedelta(0)),
    allowed_actions=[
        ApproveOrder,
        CancelOrder,
        CapturePayment,
        FulfilOrder,
        CompleteDelivery,
        AcceptReturn,
        Refund,
        HoldOrder,
    ],
    publishes=[ObservationRejected],
    batch=200,
    batch_window=timedelta(milliseconds=250),
    priority=20,
    settings=OrderManagementSettings,
    capabilities=["orders"],
    tags=["flow"],
)
async def order_management(
    events: Sequence[Event], ctx: Context[OrderManagementSettings]
) -> Proposals:
    """Take each order its next step: check, approve, capture, send, close, take back.

    Every hour it looks for orders that stand still although nobody is asked: an event that was
    lost costs an hour or two, not an order. What looks odd, a person sees first.
    """
    settings = ctx.settings
    news = sorted_out(events)
    known = {o.id: o for o in await ctx.store.orders_by_id(news.orders)} if news.orders else {}
    stuck = await _stuck(ctx, news, settings) if news.due or news.is_asked else []
    for each in await _approvals(ctx, news, known, stuck, settings):
        yield each
    paying = [known[number] for number in news.payable if number in known]
    for each in await captures(ctx.store, [*paying, *stuck], news.references):
        yield each
    for each in _sent_or_closed(news, known, stuck):
        yield each
    for each in await expirations(ctx.store, news.due, settings):
        yield each
    for each in await _returns(ctx, news, known, settings):
        yield each
    if news.due is not None and news.due.hour == _REFUND_HOUR:
        for each in await _left_over(ctx):
            yield each


async def _stuck(
    ctx: Context[OrderManagementSettings], news: OrderInbox, settings: OrderManagementSettings
) -> list[Order]:
    """Return open orders that have stood still for a while: each now and then, all when asked."""
    found = [order for order in await ctx.store.open_orders() if not order.held]
    if news.is_asked:
        since = ctx.now - timedelta(hours=settings.stalled_hours)
        return [order for order in found if order.updated_at <= since]
    due = news.due or ctx.now
    return [order for order in found if _is_watched(order, due, settings)]


def _is_watched(order: Order, due: datetime, settings: OrderManagementSettings) -> bool:
    """Tell whether this is the hour in which a still order is looked at (again).

    Once after `stalled_hours`, then every `recheck_hours`: a question that waits is not repeated.
    """
    hours = int((due - order.updated_at) / timedelta(hours=1) - settings.stalled_hours)
    return due - order.updated_at >= timedelta(hours=settings.stalled_hours) and not (
        hours % max(1, int(settings.recheck_hours))
    )


async def _approvals(
    ctx: Context[OrderManagementSettings],
    news: OrderInbox,
    known: dict[int, Order],
    stuck: Sequence[Order],
    settings: OrderManagementSettings,
) -> list[Proposal | Event]:
    """Judge received orders that are new, released, or forgotten."""
    numbers = dict.fromkeys([*news.placed, *news.released])
    found = [known[number] for number in numbers if number in known] + list(stuck)
    received = [o for o in found if o.status is OrderStatus.RECEIVED and not o.held]
    around = await load_context(ctx.store, received, settings)
    released = set(news.released)
    return [
        await checked(ctx.store, order, around, settings, trusted=order.id in released)
        for order in {order.id: order for order in received}.values()
    ]


def _sent_or_closed(
    news: OrderInbox, known: dict[int, Order], stuck: Sequence[Order]
) -> list[Proposal | Event]:
    found: list[Proposal | Event] = []
    for number in dict.fromkeys([*news.paid, *news.released]):
        found += sent_or_closed(number, known.get(number), arrived=number in news.arrived)
    for order in stuck:
        if is_due(order) and order.id not in news.paid:
            found += sent_or_closed(order.id, order, arrived=False)
    return found


async def _returns(
    ctx: Context[OrderManagementSettings],
    news: OrderInbox,
    known: dict[int, Order],
    settings: OrderManagementSettings,
) -> list[Proposal | Event]:
    """Judge return requests in order, each after those before it."""
    if not news.returns:
        return []
    moves = await ctx.store.order_transitions({asked.order_id for asked in news.returns})
    now_known, found = dict(known), []
    for asked in news.returns:
        order = now_known.get(asked.order_id)
        proposal = judged(asked, order, moves, ctx.now, settings)
        found.append(proposal)
        if order is not None and isinstance(proposal, Proposal):
            now_known[order.id] = with_back(order, proposal.action)
    return found


async def _left_over(ctx: Context[OrderManagementSettings]) -> list[Proposal]:
    query = OrderQuery(status=OrderStatus.RETURNED, per_page=_RETURNED)
    orders = (await ctx.store.orders(query)).items
    return [found for order in orders if (found := left_over(order)) is not None]
