"""Handlers of orders: placed, approved, held, fulfilled, delivered, cancelled."""

from collections.abc import Sequence

import sqlalchemy as sa

from storecrew.domain.shop.orders import (
    MAX_LINES,
    RESERVING,
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    HoldOrder,
    Line,
    OrderApproved,
    OrderCancelled,
    OrderDelivered,
    OrderFulfilled,
    OrderHeld,
    OrderPlaced,
    OrderReleased,
    OrderStatus,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.stores.sql.checks import bad_quantity
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.inventory import pick
from storecrew.stores.sql.handlers.order_pricing import priced
from storecrew.stores.sql.handlers.order_transitions import bad_hold, illegal, moved, state
from storecrew.stores.sql.handlers.payments import pay_back
from storecrew.stores.sql.rows import Allocation, OrderItemRow, OrderRow, ProductRow
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

_NEW_ORDER = sa.insert(t.orders).returning(t.orders.c.id)


def place_order(unit: UnitOfWork, action: PlaceOrder) -> HandlerResult:
    """Reserve every line and record the order, or say what is missing and record nothing."""
    requested = _resolved(unit, action.lines)
    if isinstance(requested, HandlerResult):
        return requested
    if bad := _not_for_sale([product for product, _ in requested]):
        return bad
    missing: dict[str, int] = {}
    picks: list[Allocation] = []
    for product, quantity in requested:
        if not product.stocked:
            continue
        chosen = pick(unit, product.sku, quantity)
        if isinstance(chosen, int):
            missing[product.sku] = chosen
        else:
            picks += chosen
    if missing:
        listed = ", ".join(f"{sku}: {units}" for sku, units in missing.items())
        return refused("short_stock", f"units missing: {listed}", {"missing": missing})
    sold = priced(unit, action, requested)
    if isinstance(sold, HandlerResult):
        return sold
    order = _new_order(unit, action, sold)
    _hold(unit, order, picks)
    customer = action.customer
    unit.publish(OrderPlaced(order_id=order.id, total=unit.money(order.total), customer=customer))
    return done(after=state(order), detail=state(order) | {"total": unit.json(order.total)})


def _not_for_sale(products: Sequence[ProductRow]) -> HandlerResult | None:
    for product in products:
        if product.price <= 0:
            return refused("unpriced", f"{product.sku!r} has no price yet; set one first")
        if product.retired:
            return refused("retired", f"{product.sku!r} is sold no longer")
    return None


def approve_order(unit: UnitOfWork, action: ApproveOrder) -> HandlerResult:
    """Take a received order through `approved` to `awaiting_payment`."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if bad := illegal(order, OrderStatus.APPROVED) or bad_hold(order):
        return bad
    before = state(order)
    unit.transition(order, OrderStatus.APPROVED)
    unit.transition(order, OrderStatus.AWAITING_PAYMENT)
    unit.publish(OrderApproved(order_id=order.id))
    return moved(before, order)


_TRACKING = 64
"""Longest number of a parcel."""


def fulfil_order(unit: UnitOfWork, action: FulfilOrder) -> HandlerResult:
    """Take a paid order's reserved units off the shelf and hand them to the carrier."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if bad := illegal(order, OrderStatus.AWAITING_DELIVERY) or bad_hold(order):
        return bad
    if not order.payments:
        return refused("unpaid", f"{unit.money(order.total)} of order {order.id} are not paid")
    if not action.tracking.isprintable() or len(action.tracking) > _TRACKING:
        return invalid("tracking", f"has at most {_TRACKING} printable characters")
    before = state(order)
    stock: dict[str, int] = {}
    for taken in order.reserved:
        shelf = unit.stock_row(taken.product, taken.warehouse)
        reason = f"order {order.id} fulfilled"
        unit.adjust_on_hand(shelf, -taken.quantity, reason, reserved=-taken.quantity)
        stock[taken.product] = sum(s.on_hand for s in unit.stock[taken.product].values())
        _note_fulfilment(unit, order, taken, action.tracking)
    unit.release(order)
    unit.transition(order, OrderStatus.AWAITING_DELIVERY)
    unit.publish(OrderFulfilled(order_id=order.id))
    return done(before=before, after=state(order), detail=state(order) | {"updated_stock": stock})


def complete_delivery(unit: UnitOfWork, action: CompleteDelivery) -> HandlerResult:
    """Record that the parcel arrived."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if bad := illegal(order, OrderStatus.DELIVERED):
        return bad
    before = state(order)
    unit.transition(order, OrderStatus.DELIVERED)
    unit.publish(OrderDelivered(order_id=order.id))
    return moved(before, order)


def cancel_order(unit: UnitOfWork, action: CancelOrder) -> HandlerResult:
    """Release the order's reservation and refund what was paid."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if bad := illegal(order, OrderStatus.CANCELLED):
        return bad
    before = state(order) | {"paid": unit.json(order.paid)}
    refunded = order.paid
    for held in order.reserved:
        unit.reserve(unit.stock_row(held.product, held.warehouse), -held.quantity)
    unit.release(order)
    pay_back(unit, order, refunded, action.reason or "cancelled")
    order.details = action.reason
    unit.transition(order, OrderStatus.CANCELLED)
    unit.publish(OrderCancelled(order_id=order.id, reason=action.reason))
    after = state(order) | {"paid": unit.json(0)}
    return done(before=before, after=after, detail=state(order) | {"refund": unit.json(refunded)})


def _resolved(
    unit: UnitOfWork, lines: tuple[Line, ...]
) -> list[tuple[ProductRow, int]] | HandlerResult:
    if not 1 <= len(lines) <= MAX_LINES:
        return invalid("lines", f"an order has 1 to {MAX_LINES} lines")
    total: dict[str, int] = {}
    for line in lines:
        if bad := bad_quantity(line.quantity):
            return bad
        sku = line.sku if line.sku in unit.products else _only(unit.names.get(line.sku, []))
        if sku is None:
            return refused("not_found", f"no product {line.sku!r}", {"product": line.sku})
        total[sku] = total.get(sku, 0) + line.quantity
    return [(unit.products[sku], quantity) for sku, quantity in sorted(total.items())]


def _only(skus: list[str]) -> str | None:
    return skus[0] if len(skus) == 1 else None


def _new_order(unit: UnitOfWork, action: PlaceOrder, lines: list[OrderItemRow]) -> OrderRow:
    total = sum(line.quantity * line.price for line in lines)
    number = unit.insert(
        _NEW_ORDER,
        {
            "order_text": action.order_text
            or ", ".join(f"{x.product}:{x.quantity}" for x in lines),
            "status": OrderStatus.RECEIVED,
            "timestamp": unit.now,
            "agent": unit.actor,
            "details": "",
            "customer": action.customer,
            "total_minor": total,
            "paid_minor": 0,
            "currency": unit.currency,
            "updated_at": unit.now,
            "imported": False,
            "external_id": None,
            "effect_key": unit.key,
        },
    )
    for line in lines:
        item = {"order_id": number, "product": line.product, "quantity": line.quantity}
        unit.add(t.order_items, item | {"unit_price_minor": line.price})
    unit.add_history(number, None, OrderStatus.RECEIVED)
    order = OrderRow(number, OrderStatus.RECEIVED, total, 0, lines=lines)
    unit.orders[number] = order
    return order


def _hold(unit: UnitOfWork, order: OrderRow, picks: list[Allocation]) -> None:
    for held in picks:
        unit.reserve(unit.stock_row(held.product, held.warehouse), held.quantity)
        row = {"product": held.product, "warehouse": held.warehouse, "quantity": held.quantity}
        unit.add(t.reservations, {"order_id": order.id, **row})
    order.reserved = picks


def _note_fulfilment(
    unit: UnitOfWork, order: OrderRow, taken: Allocation, tracking: str = ""
) -> None:
    order.fulfilled.append(taken)
    row = {"product": taken.product, "warehouse": taken.warehouse, "quantity": taken.quantity}
    unit.add(t.fulfilments, {"order_id": order.id, **row, "at": unit.now, "tracking": tracking})


def hold_order(unit: UnitOfWork, action: HoldOrder) -> HandlerResult:
    """Keep an open order where it is."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if not action.reason.strip():
        return invalid("reason", "says why, for the person who will look")
    if order.status not in RESERVING:
        return refused("illegal_move", f"order {order.id} is {order.status} and cannot be held")
    before, order.held = order.held, action.reason
    unit.put_order(order)
    if not before:
        unit.publish(OrderHeld(order_id=order.id, reason=action.reason))
    return done(before={"held": before}, after={"held": order.held}, detail={"order_id": order.id})


def release_order(unit: UnitOfWork, action: ReleaseOrder) -> HandlerResult:
    """Let a held order go on; one that is not held stays as it is."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    before, order.held = order.held, ""
    if before:
        unit.put_order(order)
        unit.publish(OrderReleased(order_id=order.id))
    return done(before={"held": before}, after={"held": ""}, detail={"order_id": order.id})
