"""Order flow, towards the customer: says what happened, once, in words that need no model."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import timedelta

from storecrew.agents.communications.notifications import (
    Notification,
    carrier_notifications,
    order_notifications,
    supplier_notifications,
)
from storecrew.agents.communications.settings import CommunicationsSettings
from storecrew.agents.communications.wording import OrderFacts, about_order, back_in_stock
from storecrew.domain.control.proposals import Evidence
from storecrew.domain.errors import NotFound
from storecrew.domain.events import Event
from storecrew.domain.shop.customers import BackInStock, Customer
from storecrew.domain.shop.messages import SendMessage
from storecrew.domain.shop.orders import (
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
    OrderPlaced,
    ShippingDelayed,
)
from storecrew.domain.shop.payments import OrderRefunded, PaymentReceived
from storecrew.domain.shop.purchasing import PurchaseOrderDelayed
from storecrew.domain.shop.returns import OrderReturned
from storecrew.sdk import Context, Proposal, Proposals, agent

_MOVES = (
    OrderPlaced,
    OrderApproved,
    PaymentReceived,
    OrderFulfilled,
    OrderDelivered,
    OrderCancelled,
    OrderReturned,
    OrderRefunded,
)
_OTHERS = (ShippingDelayed, PurchaseOrderDelayed, BackInStock)


@agent(
    on=[*_MOVES, *_OTHERS],
    allowed_actions=[SendMessage],
    batch=200,
    batch_window=timedelta(minutes=1),
    settings=CommunicationsSettings,
    capabilities=["messages"],
    tags=["customers"],
)
async def customer_communications(
    events: Sequence[Event], ctx: Context[CommunicationsSettings]
) -> Proposals:
    """Notify customers of order changes, delays and products back in stock; each topic once.

    In quiet hours it waits until they are over and then tells how things stand: of several
    changes of one order only the newest is told.
    """
    if not any(isinstance(event, (*_MOVES, *_OTHERS)) for event in events):
        return
    ctx.wait_until(ctx.settings.end_of_quiet_hours(ctx.attempt_time or ctx.now))
    pieces = await _pieces(events, ctx)
    customers = await _people(ctx, [piece.order.customer for piece in pieces])
    topics = {piece.topic for piece in pieces}
    sent = await ctx.store.sent_topics(customers, topics) if pieces else {}
    names = await _names(ctx, pieces)
    for piece in pieces:
        customer = customers.get(piece.order.customer or "")
        if customer is not None and piece.topic not in sent.get(customer.id, ()):
            yield _about(piece, customer, names)
    skus = dict.fromkeys(event.sku for event in events if isinstance(event, BackInStock))
    for sku in skus:
        async for proposal in _back(ctx, sku):
            yield proposal


async def _pieces(
    events: Sequence[Event], ctx: Context[CommunicationsSettings]
) -> list[Notification]:
    moved = {e.order_id for e in events if isinstance(e, _MOVES)}
    late = {e.order_id for e in events if isinstance(e, ShippingDelayed)}
    orders = await ctx.store.orders_by_id(moved | late) if moved | late else ()
    pieces = order_notifications([o for o in orders if o.id in moved], events, ctx.now)
    pieces += carrier_notifications([o for o in orders if o.id in late], events)
    if any(isinstance(event, PurchaseOrderDelayed) for event in events):
        pieces += supplier_notifications(await ctx.store.open_orders(), events)
    return pieces


async def _people(
    ctx: Context[CommunicationsSettings], ids: Iterable[str | None]
) -> dict[str, Customer]:
    """Return those of these customers who can be written to."""
    found: dict[str, Customer] = {}
    for customer_id in dict.fromkeys(ids):
        if customer_id:
            try:
                customer = await ctx.store.customer(customer_id)
            except NotFound:
                continue  # somebody ordered who is no customer of record
            if customer.email:
                found[customer_id] = customer
    addresses = [customer.email or "" for customer in found.values()]
    barred = await ctx.store.suppressed(addresses) if addresses else {}
    return {key: each for key, each in found.items() if each.email not in barred}


async def _names(
    ctx: Context[CommunicationsSettings], pieces: Sequence[Notification]
) -> Mapping[str, str]:
    """Return the names of the products that the messages speak of."""
    skus = {line.sku for piece in pieces for line in piece.order.lines}
    skus |= {piece.product for piece in pieces if piece.product}
    return {p.sku: p.name for p in await ctx.store.products(skus)} if skus else {}


def _about(piece: Notification, customer: Customer, names: Mapping[str, str]) -> Proposal:
    order, day = piece.order, piece.expected_at
    facts = OrderFacts(
        name=customer.name,
        number=order.id,
        items=[(line.quantity, names.get(line.sku, line.sku)) for line in order.lines],
        total=order.total,
        amount=piece.amount,
        product=names.get(piece.product, piece.product),
        day=day.date() if day else None,
        tracking=order.tracking,
    )
    title, body = about_order(piece.news, facts, customer.locale)
    evidence: dict[str, Evidence] = {
        "order": order.id,
        "status": order.status.value,
        "total": str(order.total),
        "since": order.updated_at.isoformat(),
        "language": customer.locale,
        **({"reported": piece.source} if piece.source else {}),
    }
    reason = f"Order {order.id}: {piece.news.value}, and its customer was not told yet."
    return _message(customer, (title, body), piece.topic, reason, evidence)


async def _back(ctx: Context[CommunicationsSettings], sku: str) -> AsyncIterator[Proposal]:
    """Tell those who asked for it that the product is back."""
    waiting = await ctx.store.back_in_stock_subscribers(sku)
    customers = await _people(ctx, waiting)
    if not customers:
        return
    found = await ctx.store.products([sku])
    name = found[0].name if found else sku
    topic = f"back:{sku}:{ctx.now:%Y-%m-%d}"
    sent = await ctx.store.sent_topics(customers, [topic])
    evidence: dict[str, Evidence] = {"product": sku, "waiting": len(waiting)}
    for customer in customers.values():
        if topic not in sent.get(customer.id, ()):
            words = back_in_stock(name, customer.name, customer.locale)
            reason = f"{name} is back, and this customer asked to be told."
            yield _message(customer, words, topic, reason, evidence)


def _message(
    customer: Customer,
    words: tuple[str, str],
    topic: str,
    reason: str,
    evidence: Mapping[str, Evidence],
) -> Proposal:
    title, body = words
    action = SendMessage(
        customer=customer.id, purpose="service", title=title, body=body, topic=topic
    )
    return Proposal(action=action, reason=reason, evidence=evidence)
