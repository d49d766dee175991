"""Actions around an order's payment, and orders that a person has to look at."""

import sqlalchemy as sa

from storecrew.domain.shop.orders import (
    RESERVING,
    HoldOrder,
    OrderHeld,
    OrderReleased,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import (
    AuthorizePayment,
    PaymentAuthorized,
    PaymentMethodChanged,
    SetPaymentMethod,
)
from storecrew.stores.sql.checks import bad_amount, bad_name
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.schema import customers_and_offers as d
from storecrew.stores.sql.unit_of_work import UnitOfWork


def authorize_payment(unit: UnitOfWork, action: AuthorizePayment) -> HandlerResult:
    """Record that a provider set the order's total aside, under a reference never seen before."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    bad = bad_name("reference", action.reference) or bad_name("method", action.method)
    if bad := bad or bad_amount(unit, "amount", action.amount):
        return bad
    if order.status not in RESERVING:
        return refused("illegal_move", f"order {order.id} is {order.status}: no payment is due")
    here = d.authorizations.c.reference == action.reference
    if unit.connection.execute(sa.select(d.authorizations.c.at).where(here)).first() is not None:
        problem = f"payment {action.reference!r} was recorded before"
        return refused("duplicate_reference", problem, {"reference": action.reference})
    money = {"amount_minor": action.amount.minor, "method": action.method, "at": unit.now}
    row = {"reference": action.reference, "order_id": order.id, **money}
    unit.connection.execute(sa.insert(d.authorizations), row)
    unit.publish(
        PaymentAuthorized(
            order_id=order.id,
            reference=action.reference,
            amount=action.amount.rounded(),
            method=action.method,
        )
    )
    return done(detail={"order_id": order.id, "reference": action.reference})


def set_payment_method(unit: UnitOfWork, action: SetPaymentMethod) -> HandlerResult:
    """Offer the way to pay, or offer it no longer; one that was never set is offered."""
    if bad := bad_name("method", action.method):
        return bad
    here = d.payment_methods.c.method == action.method
    was = unit.connection.execute(sa.select(d.payment_methods.c.enabled).where(here)).scalar()
    unit.connection.execute(sa.delete(d.payment_methods).where(here))
    row = {"method": action.method, "enabled": action.enabled}
    unit.connection.execute(sa.insert(d.payment_methods), row)
    before = True if was is None else was
    if before != action.enabled:
        unit.publish(PaymentMethodChanged(method=action.method, enabled=action.enabled))
    return done(before={"enabled": before}, after={"enabled": action.enabled})


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
