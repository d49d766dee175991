"""Goods that come back: within the window, no more than was sold, at the price of their sale."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from storecrew.agents.order_management.settings import OrderManagementSettings
from storecrew.domain.actions import Action
from storecrew.domain.control.proposals import Effect, Proposal
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.orders import Line, Lines, Order, OrderStatus, OrderTransition
from storecrew.domain.shop.payments import Refund
from storecrew.domain.shop.returns import AcceptReturn, ReturnRequested


def judged(
    asked: ReturnRequested,
    order: Order | None,
    moves: Sequence[OrderTransition],
    now: datetime,
    settings: OrderManagementSettings,
) -> Proposal | Event:
    """Accept what may come back, or say why nothing can."""
    if order is None or order.status not in (OrderStatus.DELIVERED, OrderStatus.RETURNED):
        state = order.status.value if order else "not known"
        return _refused(asked, f"the order is {state}, so nothing can come back")
    delivered = _delivered_at(order, moves)
    days = (now - delivered) / timedelta(days=1)
    if days > settings.return_days:
        return _refused(
            asked, f"delivered {days:.0f} days ago; {settings.return_days:g} are allowed"
        )
    left = units_left(order)
    requested = {line.sku: line.quantity for line in Lines.merge_lines(asked.lines).items} or left
    too_many = [sku for sku, units in requested.items() if not 0 < units <= left.get(sku, 0)]
    if not requested or too_many:
        named = ", ".join(sorted(too_many)) or "everything"
        return _refused(asked, f"{named}: more than is left of what was sold")
    amount = min(_value(order, requested), order.paid, key=lambda money: money.amount)
    return _accepted(asked, order, requested, amount, days)


def left_over(order: Order) -> Proposal | None:
    """Propose to pay back what is left of an order whose goods all came back."""
    if order.status is not OrderStatus.RETURNED or order.paid.amount <= 0 or units_left(order):
        return None
    cost = -order.paid
    return Proposal(
        action=Refund(order_id=order.id, reason="everything came back"),
        reason="All units came back, and some of the payment is still here.",
        evidence={"total": str(order.total), "still_paid": str(order.paid)},
        effect=Effect(low=cost, expected=cost, high=cost),
    )


def with_back(order: Order, action: Action) -> Order:
    """Return the order as it is once this return is accepted."""
    if not isinstance(action, AcceptReturn):
        return order
    return replace(order, returned=Lines.merge_lines([*order.returned, *action.lines]).items)


def units_left(order: Order) -> dict[str, int]:
    """Return the units that the customer still has, per product."""
    units: dict[str, int] = {}
    for line in order.lines:
        units[line.sku] = units.get(line.sku, 0) + line.quantity
    for back in order.returned:
        units[back.sku] = units.get(back.sku, 0) - back.quantity
    return {sku: left for sku, left in units.items() if left > 0}


def _delivered_at(order: Order, moves: Sequence[OrderTransition]) -> datetime:
    arrived = [m.at for m in moves if m.order_id == order.id and m.status is OrderStatus.DELIVERED]
    return arrived[-1] if arrived else order.updated_at


def _value(order: Order, wanted: Mapping[str, int]) -> Money:
    """Price the units as they were sold, after those that came back before."""
    gone = {back.sku: back.quantity for back in order.returned}
    rest = dict(wanted)
    total = Money.of(0, order.total.currency)
    for line in order.lines:
        skipped = min(line.quantity, gone.get(line.sku, 0))
        gone[line.sku] = gone.get(line.sku, 0) - skipped
        taken = min(line.quantity - skipped, rest.get(line.sku, 0))
        rest[line.sku] = rest.get(line.sku, 0) - taken
        total += line.unit_price * taken
    return total


def _accepted(
    asked: ReturnRequested, order: Order, wanted: Mapping[str, int], amount: Money, days: float
) -> Proposal:
    lines = tuple(Line(sku=sku, quantity=n) for sku, n in sorted(wanted.items()))
    cost = -amount
    return Proposal(
        action=AcceptReturn(order_id=order.id, lines=lines, reason=asked.reason or "returned"),
        reason="The customer gives goods back within the time for that.",
        evidence={
            "refund": str(amount),
            "units": sum(wanted.values()),
            "paid": str(order.paid),
            "days_since_delivery": int(days),
            "customer_says": asked.reason[:200],
        },
        effect=Effect(low=cost, expected=cost, high=cost),
    )


def _refused(asked: ReturnRequested, reason: str) -> ObservationRejected:
    return ObservationRejected(
        sku="", what="return", value=f"order {asked.order_id}", reason=reason
    )
