"""Handlers of returns: goods taken back and restocked."""

import sqlalchemy as sa

from storecrew.domain.shop.inventory import DEFAULT_WAREHOUSE
from storecrew.domain.shop.orders import Line, Lines, OrderStatus
from storecrew.domain.shop.returns import AcceptReturn, OrderReturned
from storecrew.stores.sql.checks import bad_quantity
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, unknown
from storecrew.stores.sql.handlers.order_transitions import illegal
from storecrew.stores.sql.handlers.payments import pay_back
from storecrew.stores.sql.rows import OrderRow
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

_NEW_RETURN = sa.insert(t.returns).returning(t.returns.c.id)


def accept_return(unit: UnitOfWork, action: AcceptReturn) -> HandlerResult:
    """Restock what comes back where it came from, and refund what it was sold for.

    An order returned in part takes further returns, until all of its units are back.
    """
    if (order := unit.orders.get(action.order_id)) is None:
        return unknown("order", action.order_id)
    back = _coming_back(order, action.lines)
    further = order.status is OrderStatus.RETURNED and _left(order)
    if not further and (bad := illegal(order, OrderStatus.RETURNED)):
        return bad
    if isinstance(back, HandlerResult):
        return back
    amount = min(order.paid, sum(_value(order, line) for line in back))
    before = {"status": order.status.value, "paid": unit.json(order.paid)}
    _note_return(unit, order, back, amount, action.reason)
    for line in back:
        _restock(unit, order, line)
        order.returned[line.sku] = order.returned.get(line.sku, 0) + line.quantity
    pay_back(unit, order, amount, action.reason or "returned")
    if order.status is OrderStatus.RETURNED:
        unit.put_order(order)
    else:
        unit.transition(order, OrderStatus.RETURNED)
    unit.publish(OrderReturned(order_id=order.id, amount=unit.money(amount)))
    after = {"status": order.status.value, "paid": unit.json(order.paid)}
    detail = {"order_id": order.id, "status": order.status.value, "refund": unit.json(amount)}
    return done(before=before, after=after, detail=detail)


def _left(order: OrderRow) -> dict[str, int]:
    """Return the units that the customer still has, per product."""
    units: dict[str, int] = {}
    for sold in order.lines:
        units[sold.product] = units.get(sold.product, 0) + sold.quantity
    left = {sku: total - order.returned.get(sku, 0) for sku, total in units.items()}
    return {sku: quantity for sku, quantity in left.items() if quantity > 0}


def _coming_back(order: OrderRow, lines: tuple[Line, ...]) -> tuple[Line, ...] | HandlerResult:
    left = _left(order)
    if not lines:
        return tuple(Line(sku=sku, quantity=units) for sku, units in sorted(left.items()))
    for line in lines:
        if bad := bad_quantity(line.quantity):
            return bad
    for line in Lines.merge_lines(lines).items:
        if line.quantity > (most := left.get(line.sku, 0)):
            return invalid("lines", f"{line.quantity} of {line.sku!r} are more than {most} left")
    return Lines.merge_lines(lines).items


def _value(order: OrderRow, line: Line) -> int:
    """Price the units as they were sold, after those that came back before."""
    sold = [s for s in order.lines if s.product == line.sku]
    units = _next([s.quantity for s in sold], order.returned.get(line.sku, 0), line.quantity)
    return sum(s.price * n for s, n in zip(sold, units, strict=True))


def _next(parts: list[int], skip: int, quantity: int) -> list[int]:
    """Return how many units of each part are meant, after so many that are gone already."""
    taken: list[int] = []
    for part in parts:
        gone = min(part, skip)
        skip -= gone
        taken.append(min(part - gone, quantity))
        quantity -= taken[-1]
    return taken


def _restock(unit: UnitOfWork, order: OrderRow, line: Line) -> None:
    """Put units back where they came from; what another system fulfilled goes to the default."""
    if not unit.products[line.sku].stocked:
        return
    picks = [pick for pick in order.fulfilled if pick.product == line.sku]
    units = _next([p.quantity for p in picks], order.returned.get(line.sku, 0), line.quantity)
    places = {p.warehouse: n for p, n in zip(picks, units, strict=True)}
    for warehouse, quantity in (places or {DEFAULT_WAREHOUSE: line.quantity}).items():
        if quantity:
            unit.adjust_on_hand(
                unit.stock_row(line.sku, warehouse), quantity, f"order {order.id} returned"
            )


def _note_return(
    unit: UnitOfWork, order: OrderRow, lines: tuple[Line, ...], amount: int, reason: str
) -> None:
    row = {"order_id": order.id, "external_id": None, "customer": None, "at": unit.now}
    number = unit.insert(_NEW_RETURN, {**row, "amount_minor": amount, "reason": reason})
    for line in lines:
        unit.add(
            t.return_lines,
            {"return_id": number, "product": line.sku, "quantity": line.quantity},
        )
