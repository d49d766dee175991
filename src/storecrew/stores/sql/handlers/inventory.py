"""Handlers of stock: counts, adjustments, transfers; and how an order picks units."""

from storecrew.domain.shop.catalog import ProductChanged
from storecrew.domain.shop.inventory import (
    DEFAULT_WAREHOUSE,
    AdjustStock,
    SetStock,
    StockCount,
    TransferStock,
)
from storecrew.stores.sql.checks import bad_level, bad_name, bad_quantity
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.catalog import new_product
from storecrew.stores.sql.rows import Allocation, StockRow
from storecrew.stores.sql.unit_of_work import UnitOfWork


def set_stock(unit: UnitOfWork, action: SetStock) -> HandlerResult:
    """Set every level, or none; an unknown product is created at price 0."""
    if not action.levels:
        return invalid("levels", "name at least one product")
    if len({(level.sku, level.warehouse) for level in action.levels}) < len(action.levels):
        return invalid("levels", "name a product twice in one warehouse")
    for level in action.levels:
        if bad := _bad_level(unit, level):
            return bad
    before = [_shown(unit, level) for level in action.levels]
    for level in action.levels:
        _set_level(unit, level, action.reason)
    return done(
        before={"levels": before},
        after={"levels": [_shown(unit, level) for level in action.levels]},
    )


def adjust_stock(unit: UnitOfWork, action: AdjustStock) -> HandlerResult:
    """Add units found or take off units lost, down to what is reserved."""
    if action.change == 0:
        return invalid("change", "is zero")
    if bad := bad_name("warehouse", action.warehouse) or _not_stocked(unit, action.sku):
        return bad
    held = _held(unit, action.sku, action.warehouse)
    if held.on_hand + action.change < held.reserved:
        return _below_reserved(action.sku, action.warehouse, held)
    if bad := bad_level(held.on_hand + action.change):
        return bad
    before = {"on_hand": held.on_hand, "warehouse": action.warehouse}
    shelf = unit.stock_row(action.sku, action.warehouse)
    unit.adjust_on_hand(shelf, action.change, action.reason)
    return done(before=before, after={"on_hand": shelf.on_hand, "warehouse": action.warehouse})


def transfer_stock(unit: UnitOfWork, action: TransferStock) -> HandlerResult:
    """Transfer unreserved units."""
    if action.source == action.target:
        return invalid("target", "is the warehouse that the units are in")
    bad = bad_quantity(action.quantity) or bad_name("target", action.target)
    if bad := bad or _not_stocked(unit, action.sku):
        return bad
    short = action.quantity - _held(unit, action.sku, action.source).available
    if short > 0:
        problem = f"{short} units of {action.sku!r} too few in {action.source!r}"
        return refused("short_stock", problem, {"missing": {action.sku: short}})
    source = unit.stock_row(action.sku, action.source)
    target = unit.stock_row(action.sku, action.target)
    before = {action.source: source.on_hand, action.target: target.on_hand}
    unit.adjust_on_hand(source, -action.quantity, f"transfer to {action.target}")
    unit.adjust_on_hand(target, action.quantity, f"transfer from {action.source}")
    after = {action.source: source.on_hand, action.target: target.on_hand}
    return done(before={"on_hand": before}, after={"on_hand": after})


def pick(unit: UnitOfWork, product: str, quantity: int) -> list[Allocation] | int:
    """Choose where the units come from, or return how many are missing.

    One warehouse that has them all, the default one first; else the fullest ones together.
    """
    shelves = sorted(unit.stock.get(product, {}).values(), key=_preference)
    for shelf in shelves:
        if shelf.available >= quantity:
            return [Allocation(product, shelf.warehouse, quantity)]
    picks: list[Allocation] = []
    for shelf in sorted(shelves, key=lambda shelf: -shelf.available):
        if taken := min(shelf.available, quantity):
            picks.append(Allocation(product, shelf.warehouse, taken))
            quantity -= taken
    return quantity or picks


def _preference(shelf: StockRow) -> tuple[bool, str]:
    return shelf.warehouse != DEFAULT_WAREHOUSE, shelf.warehouse


def _bad_level(unit: UnitOfWork, level: StockCount) -> HandlerResult | None:
    bad = bad_name("sku", level.sku) or bad_name("warehouse", level.warehouse)
    if bad := bad or bad_level(level.on_hand):
        return bad
    if level.sku in unit.products and (bad := _not_stocked(unit, level.sku)):
        return bad
    held = _held(unit, level.sku, level.warehouse)
    if level.on_hand < held.reserved:
        return _below_reserved(level.sku, level.warehouse, held)
    return None


def _not_stocked(unit: UnitOfWork, sku: str) -> HandlerResult | None:
    if (product := unit.products.get(sku)) is None:
        return unknown("product", sku)
    return None if product.stocked else invalid("sku", f"{sku!r} is a service and has no stock")


def _held(unit: UnitOfWork, sku: str, warehouse: str) -> StockRow:
    return unit.stock.get(sku, {}).get(warehouse) or StockRow(sku, warehouse)


def _below_reserved(sku: str, warehouse: str, held: StockRow) -> HandlerResult:
    return refused(
        "below_reserved",
        f"{held.reserved} units of {sku!r} in {warehouse!r} are promised to open orders",
        {"product": sku, "warehouse": warehouse, "reserved": held.reserved},
    )


def _set_level(unit: UnitOfWork, level: StockCount, reason: str) -> None:
    if (product := unit.products.get(level.sku)) is None:
        new_product(unit, level.sku, level.sku, 0)
        unit.publish(ProductChanged(sku=level.sku))
    elif "stock" in product.assumed:
        product.assumed -= {"stock"}
        unit.put_product(product)
    shelf = unit.stock_row(level.sku, level.warehouse)
    unit.adjust_on_hand(shelf, level.on_hand - shelf.on_hand, reason)


def _shown(unit: UnitOfWork, level: StockCount) -> dict[str, object]:
    held = _held(unit, level.sku, level.warehouse)
    return {"sku": level.sku, "warehouse": level.warehouse, "on_hand": held.on_hand}
