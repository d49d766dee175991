"""Handlers of purchase orders: created, received, delayed, cancelled."""

from datetime import timedelta

import sqlalchemy as sa

from storecrew.domain.codec import encode
from storecrew.domain.shop.purchasing import (
    CancelPurchaseOrder,
    CreatePurchaseOrder,
    DelayPurchaseOrder,
    PurchaseOrderCancelled,
    PurchaseOrderCreated,
    PurchaseOrderDelayed,
    PurchaseOrderReceived,
    ReceivePurchaseOrder,
)
from storecrew.stores.sql.checks import bad_name, bad_quantity
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.rows import PurchaseOrderRow
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

DEFAULT_SUPPLIER = "default"
DEFAULT_LEAD_DAYS = 7.0
"""Assumed where nobody named a supplier: a week, as wholesalers commonly promise."""
_NEW_PURCHASE = sa.insert(t.purchase_orders).returning(t.purchase_orders.c.id)


def create_purchase_order(unit: UnitOfWork, action: CreatePurchaseOrder) -> HandlerResult:
    """Buy from the product's supplier, unless a purchase for that place is already open."""
    if bad := bad_quantity(action.quantity) or bad_name("warehouse", action.warehouse):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        return unknown("product", action.sku)
    if not product.stocked or product.cost is None:
        return invalid("sku", f"{action.sku!r} has no stock or no known cost")
    if opened := _open(unit, action):
        problem = f"purchase {opened.id} for {action.sku!r} is still open"
        return refused("already_open", problem, {"purchase_id": opened.id})
    if (supplier := _supplier(unit, product.supplier)) is None:
        return invalid("supplier", f"of {action.sku!r} is not known")
    due = unit.now + timedelta(days=unit.lead_times[supplier])
    row = {"supplier": supplier, "unit_cost_minor": product.cost, "due_at": due}
    purchase = _new_purchase(unit, action, row)
    ordered = PurchaseOrderCreated(
        sku=action.sku, purchase_id=purchase.id, quantity=action.quantity, due_at=due
    )
    unit.publish(ordered)
    detail = {"purchase_id": purchase.id, "supplier": supplier, "due_at": encode(due)}
    cost = unit.json(product.cost * action.quantity)
    return done(after={"purchase_id": purchase.id, "status": "open", "cost": cost}, detail=detail)


def cancel_purchase_order(unit: UnitOfWork, action: CancelPurchaseOrder) -> HandlerResult:
    """Call an open purchase off."""
    if (purchase := unit.purchases.get(action.purchase_id)) is None:
        return unknown("purchase", action.purchase_id)
    if bad := _not_open(purchase, "cancelled"):
        return bad
    purchase.status = "cancelled"
    unit.close_purchase(purchase)
    unit.publish(PurchaseOrderCancelled(sku=purchase.product, purchase_id=purchase.id))
    return done(before=_state(purchase, "open"), after=_state(purchase, "cancelled"))


def receive_purchase_order(unit: UnitOfWork, action: ReceivePurchaseOrder) -> HandlerResult:
    """Put what was delivered on the shelf, and close the purchase."""
    if (purchase := unit.purchases.get(action.purchase_id)) is None:
        return unknown("purchase", action.purchase_id)
    if bad := _not_open(purchase, "received"):
        return bad
    quantity = purchase.quantity if action.quantity is None else action.quantity
    if bad := bad_quantity(quantity):
        return bad
    shelf = unit.stock_row(purchase.product, purchase.warehouse)
    before = _state(purchase, "open") | {"on_hand": shelf.on_hand}
    purchase.status, purchase.received = "received", quantity
    unit.close_purchase(purchase)
    unit.adjust_on_hand(shelf, quantity, f"purchase {purchase.id} received")
    received = PurchaseOrderReceived(
        sku=purchase.product, purchase_id=purchase.id, quantity=quantity
    )
    unit.publish(received)
    return done(before=before, after=_state(purchase, "received") | {"on_hand": shelf.on_hand})


def delay_purchase_order(unit: UnitOfWork, action: DelayPurchaseOrder) -> HandlerResult:
    """Note when an open purchase will really arrive; a moment that is over already is refused."""
    if (purchase := unit.purchases.get(action.purchase_id)) is None:
        return unknown("purchase", action.purchase_id)
    if bad := _not_open(purchase, "delayed"):
        return bad
    if action.due_at <= unit.now:
        return invalid("due_at", "is over already; receive or cancel the purchase")
    here = t.purchase_orders.c.id == purchase.id
    was = unit.connection.execute(sa.select(t.purchase_orders.c.due_at).where(here)).scalar_one()
    unit.connection.execute(sa.update(t.purchase_orders).where(here).values(due_at=action.due_at))
    unit.publish(
        PurchaseOrderDelayed(
            sku=purchase.product, purchase_id=purchase.id, previous=was, due_at=action.due_at
        )
    )
    return done(before={"due_at": encode(was)}, after={"due_at": encode(action.due_at)})


def _open(unit: UnitOfWork, action: CreatePurchaseOrder) -> PurchaseOrderRow | None:
    place = (action.sku, action.warehouse)
    every = unit.purchases.values()
    return next(
        (p for p in every if p.status == "open" and (p.product, p.warehouse) == place), None
    )


def _supplier(unit: UnitOfWork, named: str | None) -> str | None:
    """Return the product's supplier, or the shop's only one; begin with a default one."""
    if named in unit.lead_times:
        return named
    if named is None and len(unit.lead_times) == 1:
        return next(iter(unit.lead_times))
    if unit.lead_times and named is None:
        return None
    supplier = named or DEFAULT_SUPPLIER
    lead = {"lead_time_days": DEFAULT_LEAD_DAYS, "lead_time_sd": 0.0}
    unit.add(t.suppliers, {"id": supplier, "name": supplier, **lead})
    unit.lead_times[supplier] = DEFAULT_LEAD_DAYS
    return supplier


def _new_purchase(
    unit: UnitOfWork, action: CreatePurchaseOrder, row: dict[str, object]
) -> PurchaseOrderRow:
    place = {"product": action.sku, "warehouse": action.warehouse, "quantity": action.quantity}
    state = {"status": "open", "received": None, "ordered_at": unit.now}
    number = unit.insert(_NEW_PURCHASE, {**row, **place, **state})
    made = PurchaseOrderRow(number, action.sku, action.warehouse, action.quantity, "open")
    unit.purchases[number] = made
    return made


def _not_open(purchase: PurchaseOrderRow, status: str) -> HandlerResult | None:
    if purchase.status == "open":
        return None
    problem = f"purchase {purchase.id} is {purchase.status}, not open"
    return refused("illegal_move", problem, {"from": purchase.status, "to": status})


def _state(purchase: PurchaseOrderRow, status: str) -> dict[str, object]:
    return {"purchase_id": purchase.id, "status": status}
