"""Actions on units: counted, adjusted, moved between warehouses; and how an order picks them."""

from storecrew.domain.actions import AdjustStock, Level, SetStock, TransferStock
from storecrew.domain.commerce import DEFAULT_WAREHOUSE
from storecrew.domain.events import ProductChanged
from storecrew.stores.sql.answers import Answer, done, invalid, refused, unknown
from storecrew.stores.sql.catalogue import new_product
from storecrew.stores.sql.checks import bad_level, bad_name, bad_quantity
from storecrew.stores.sql.rows import Pick, Shelf
from storecrew.stores.sql.unit import Unit


def set_stock(unit: Unit, action: SetStock) -> Answer:
    """Set every level, or none; a product nobody knew is created at no price."""
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


def adjust_stock(unit: Unit, action: AdjustStock) -> Answer:
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
    shelf = unit.shelf(action.sku, action.warehouse)
    unit.count(shelf, action.change, action.reason)
    return done(before=before, after={"on_hand": shelf.on_hand, "warehouse": action.warehouse})


def transfer_stock(unit: Unit, action: TransferStock) -> Answer:
    """Move units that are promised to nobody."""
    if action.source == action.target:
        return invalid("target", "is the warehouse that the units are in")
    bad = bad_quantity(action.quantity) or bad_name("target", action.target)
    if bad := bad or _not_stocked(unit, action.sku):
        return bad
    short = action.quantity - _held(unit, action.sku, action.source).available
    if short > 0:
        problem = f"{short} units of {action.sku!r} too few in {action.source!r}"
        return refused("short_stock", problem, {"missing": {action.sku: short}})
    source = unit.shelf(action.sku, action.source)
    target = unit.shelf(action.sku, action.target)
    before = {action.source: source.on_hand, action.target: target.on_hand}
    unit.count(source, -action.quantity, f"transfer to {action.target}")
    unit.count(target, action.quantity, f"transfer from {action.source}")
    after = {action.source: source.on_hand, action.target: target.on_hand}
    return done(before={"on_hand": before}, after={"on_hand": after})


def pick(unit: Unit, product: str, quantity: int) -> list[Pick] | int:
    """Choose where the units come from, or return how many are missing.

    One warehouse that has them all, the default one first; else the fullest ones together.
    """
    shelves = sorted(unit.stock.get(product, {}).values(), key=_preference)
    for shelf in shelves:
        if shelf.available >= quantity:
            return [Pick(product, shelf.warehouse, quantity)]
    picks: list[Pick] = []
    for shelf in sorted(shelves, key=lambda shelf: -shelf.available):
        if taken := min(shelf.available, quantity):
            picks.append(Pick(product, shelf.warehouse, taken))
            quantity -= taken
    return quantity or picks


def _preference(shelf: Shelf) -> tuple[bool, str]:
    return shelf.warehouse != DEFAULT_WAREHOUSE, shelf.warehouse


def _bad_level(unit: Unit, level: Level) -> Answer | None:
    bad = bad_name("sku", level.sku) or bad_name("warehouse", level.warehouse)
    if bad := bad or bad_level(level.on_hand):
        return bad
    if level.sku in unit.products and (bad := _not_stocked(unit, level.sku)):
        return bad
    held = _held(unit, level.sku, level.warehouse)
    if level.on_hand < held.reserved:
        return _below_reserved(level.sku, level.warehouse, held)
    return None


def _not_stocked(unit: Unit, sku: str) -> Answer | None:
    if (product := unit.products.get(sku)) is None:
        return unknown("product", sku)
    return None if product.stocked else invalid("sku", f"{sku!r} is a service and has no stock")


def _held(unit: Unit, sku: str, warehouse: str) -> Shelf:
    return unit.stock.get(sku, {}).get(warehouse) or Shelf(sku, warehouse)


def _below_reserved(sku: str, warehouse: str, held: Shelf) -> Answer:
    return refused(
        "below_reserved",
        f"{held.reserved} units of {sku!r} in {warehouse!r} are promised to open orders",
        {"product": sku, "warehouse": warehouse, "reserved": held.reserved},
    )


def _set_level(unit: Unit, level: Level, reason: str) -> None:
    if (product := unit.products.get(level.sku)) is None:
        new_product(unit, level.sku, level.sku, 0)
        unit.publish(ProductChanged(sku=level.sku))
    elif "stock" in product.assumed:
        product.assumed -= {"stock"}
        unit.put_product(product)
    shelf = unit.shelf(level.sku, level.warehouse)
    unit.count(shelf, level.on_hand - shelf.on_hand, reason)


def _shown(unit: Unit, level: Level) -> dict[str, object]:
    held = _held(unit, level.sku, level.warehouse)
    return {"sku": level.sku, "warehouse": level.warehouse, "on_hand": held.on_hand}
