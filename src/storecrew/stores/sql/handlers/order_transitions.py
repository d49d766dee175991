"""Checks and results that every handler of an order's next state shares."""

from storecrew.domain.shop.orders import (
    OrderStatus,
    is_legal,
)
from storecrew.stores.sql.handler_result import HandlerResult, done, refused
from storecrew.stores.sql.rows import OrderRow


def illegal(order: OrderRow, status: OrderStatus) -> HandlerResult | None:
    """Refuse a move that the order machine does not know."""
    if is_legal(order.status, status):
        return None
    problem = f"order {order.id} is {order.status} and cannot become {status}"
    return refused("illegal_move", problem, {"from": order.status.value, "to": status.value})


def bad_hold(order: OrderRow) -> HandlerResult | None:
    """Refuse a step of an order that a person has to look at first."""
    if not order.held:
        return None
    return refused("held", f"order {order.id} is held: {order.held}", {"order_id": order.id})


def state(order: OrderRow) -> dict[str, object]:
    """Return what an outcome tells of the order."""
    return {"order_id": order.id, "status": order.status.value}


def moved(before: dict[str, object], order: OrderRow) -> HandlerResult:
    """Return the result of a transition that was done."""
    return done(before=before, after=state(order), detail=state(order))
