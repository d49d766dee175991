"""Handlers of payments: authorizations, captures, refunds, payment methods."""

import sqlalchemy as sa

from storecrew.domain.shop.orders import (
    RESERVING,
    OrderStatus,
)
from storecrew.domain.shop.payments import (
    AuthorizePayment,
    CapturePayment,
    OrderRefunded,
    PaymentAuthorized,
    PaymentMethodChanged,
    PaymentReceived,
    Refund,
    SetPaymentMethod,
)
from storecrew.stores.sql.checks import bad_amount, bad_name
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.order_transitions import bad_hold, illegal, state
from storecrew.stores.sql.rows import OrderRow
from storecrew.stores.sql.schema import tables as t
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
    here = t.authorizations.c.reference == action.reference
    if unit.connection.execute(sa.select(t.authorizations.c.at).where(here)).first() is not None:
        problem = f"payment {action.reference!r} was recorded before"
        return refused("duplicate_reference", problem, {"reference": action.reference})
    money = {"amount_minor": action.amount.minor, "method": action.method, "at": unit.now}
    row = {"reference": action.reference, "order_id": order.id, **money}
    unit.connection.execute(sa.insert(t.authorizations), row)
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
    here = t.payment_methods.c.method == action.method
    was = unit.connection.execute(sa.select(t.payment_methods.c.enabled).where(here)).scalar()
    unit.connection.execute(sa.delete(t.payment_methods).where(here))
    row = {"method": action.method, "enabled": action.enabled}
    unit.connection.execute(sa.insert(t.payment_methods), row)
    before = True if was is None else was
    if before != action.enabled:
        unit.publish(PaymentMethodChanged(method=action.method, enabled=action.enabled))
    return done(before={"enabled": before}, after={"enabled": action.enabled})


def capture_payment(unit: UnitOfWork, action: CapturePayment) -> HandlerResult:
    """Record the payment of the whole total, under a reference never seen before."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    by_agent = unit.actor.startswith("agent:")  # what a provider received is recorded anyway
    if bad := _bad_payment(unit, order, action) or (bad_hold(order) if by_agent else None):
        return bad
    before = state(order) | {"paid": unit.json(order.paid)}
    order.paid += order.total
    order.payments += 1
    unit.references.add(action.reference)
    paid = {"order_id": order.id, "amount_minor": order.total, "at": unit.now}
    unit.add(t.payments, paid | {"reference": action.reference})
    unit.put_order(order)
    unit.publish(PaymentReceived(order_id=order.id, amount=unit.money(order.total)))
    return done(
        before=before,
        after=state(order) | {"paid": unit.json(order.paid)},
        detail=state(order) | {"total": unit.json(order.total)},
    )


def pay_back(unit: UnitOfWork, order: OrderRow, amount: int, reason: str) -> None:
    """Record a refund, if there is anything to refund."""
    if amount:
        order.paid -= amount
        row = {"order_id": order.id, "amount_minor": amount, "reason": reason, "at": unit.now}
        unit.add(t.refunds, row)


def _bad_payment(unit: UnitOfWork, order: OrderRow, action: CapturePayment) -> HandlerResult | None:
    if action.reference in unit.references:
        problem = f"payment {action.reference!r} was recorded before"
        return refused("duplicate_reference", problem, {"reference": action.reference})
    status = order.status
    if status is not OrderStatus.AWAITING_PAYMENT or order.payments:
        state_name = "paid" if order.payments else status.value
        move = {"from": status.value, "to": OrderStatus.AWAITING_PAYMENT.value}
        return refused("illegal_move", f"order {order.id} is {state_name}: no payment is due", move)
    if bad := bad_name("reference", action.reference):
        return bad
    if action.amount is not None and action.amount != unit.money(order.total):
        return invalid("amount", f"{action.amount} is not the total {unit.money(order.total)}")
    return None


def refund(unit: UnitOfWork, action: Refund) -> HandlerResult:
    """Pay back what is left of a returned order's payment."""
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    if bad := illegal(order, OrderStatus.REFUNDED):
        return bad
    if not (amount := order.paid):
        return refused("invalid", f"nothing of order {order.id} is left to refund")
    before = {"status": order.status.value, "paid": unit.json(amount)}
    pay_back(unit, order, amount, action.reason or "refunded")
    unit.transition(order, OrderStatus.REFUNDED)
    unit.publish(OrderRefunded(order_id=order.id, amount=unit.money(amount)))
    after = {"status": order.status.value, "paid": unit.json(0)}
    detail = {"order_id": order.id, "status": order.status.value, "refund": unit.json(amount)}
    return done(before=before, after=after, detail=detail)
