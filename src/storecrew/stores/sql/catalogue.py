"""Actions on products: prices, costs, what is known of them, and what rivals ask."""

from storecrew.domain.actions import PutProduct, RecordRivalPrice, SetCost, SetPrice
from storecrew.domain.codec import encode
from storecrew.domain.events import CostChanged, PriceChanged, ProductChanged, RivalPriceSeen
from storecrew.stores.sql import tables as t
from storecrew.stores.sql.answers import Answer, done, invalid, refused, unknown
from storecrew.stores.sql.checks import bad_amount, bad_name, bad_pack
from storecrew.stores.sql.rows import ProductRow
from storecrew.stores.sql.unit import Unit


def set_price(unit: Unit, action: SetPrice) -> Answer:
    """Change the price, unless it is no longer the one that the decision rested on."""
    expect = action.expect
    bad = bad_amount(unit, "price", action.price, least=1)
    if bad := bad or (None if expect is None else bad_amount(unit, "expect", expect)):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        return unknown("product", action.sku)
    previous, price = product.price, action.price.minor
    before, after = {"price": unit.json(previous)}, {"price": unit.json(price)}
    if expect is not None and expect.minor != previous:
        problem = f"the price of {action.sku!r} is {unit.money(previous)}, not {expect}"
        return refused("stale", problem, before)
    if price != previous:
        product.price = price
        product.assumed -= {"price"}
        unit.put_product(product)
        _note_price(unit, action.sku, previous, price)
        unit.publish(
            PriceChanged(
                sku=action.sku, previous=unit.money(previous), price=action.price.rounded()
            )
        )
    return done(before=before, after=after)


def set_cost(unit: Unit, action: SetCost) -> Answer:
    """Change what a unit costs the shop."""
    if bad := bad_amount(unit, "cost", action.cost):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        return unknown("product", action.sku)
    previous, product.cost = product.cost, action.cost.minor
    product.assumed -= {"cost"}
    unit.put_product(product)
    if previous != product.cost:
        was = None if previous is None else unit.money(previous)
        unit.publish(CostChanged(sku=action.sku, previous=was, cost=action.cost.rounded()))
    return done(before={"cost": unit.json(previous)}, after={"cost": unit.json(product.cost)})


def put_product(unit: Unit, action: PutProduct) -> Answer:
    """Create the product, or change all but its price."""
    if bad := _bad_product(unit, action):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        before = {}
        product = new_product(unit, action.sku, action.name, action.price.minor)
        product.stocked = action.stocked is not False
    elif action.stocked not in (None, product.stocked):
        return invalid("stocked", f"cannot be changed for {action.sku!r}, which exists")
    else:
        before = _known(unit, product)
    product.name = action.name
    if action.pack_size is not None:
        product.pack_size = action.pack_size
    if action.cost is not None:
        product.cost = action.cost.minor
        product.assumed -= {"cost"}
    if action.supplier is not None:
        product.supplier = action.supplier
        product.assumed -= {"supplier"}
    unit.put_product(product)
    unit.publish(ProductChanged(sku=action.sku))
    return done(before=before, after=_known(unit, product))


def new_product(unit: Unit, sku: str, name: str, price: int) -> ProductRow:
    """Create a product at this price, which begins its price history."""
    product = ProductRow(sku, name, price, stored=False)
    unit.put_product(product)
    _note_price(unit, sku, None, price)
    return product


def record_rival_price(unit: Unit, action: RecordRivalPrice) -> Answer:
    """Keep the observation as it was seen; a fact leaves only when it is another than before."""
    if bad := bad_name("rival", action.rival):
        return bad
    if action.sku not in unit.products:
        return unknown("product", action.sku)
    previous = unit.rivals.get((action.sku, action.rival))
    unit.put_rival(action.sku, action.rival, action.price)
    if previous != action.price:
        seen = RivalPriceSeen(sku=action.sku, rival=action.rival, price=action.price)
        unit.publish(seen)
    return done(before={"price": encode(previous)}, after={"price": encode(action.price)})


def _bad_product(unit: Unit, action: PutProduct) -> Answer | None:
    cost = action.cost
    return (
        bad_name("sku", action.sku)
        or bad_name("name", action.name)
        or bad_amount(unit, "price", action.price)
        or (None if cost is None else bad_amount(unit, "cost", cost))
        or (invalid("supplier", "is blank") if action.supplier == "" else None)
        or (None if action.pack_size is None else bad_pack(action.pack_size))
    )


def _known(unit: Unit, product: ProductRow) -> dict[str, object]:
    return {
        "name": product.name,
        "price": unit.json(product.price),
        "cost": unit.json(product.cost),
        "supplier": product.supplier,
        "pack_size": product.pack_size,
        "stocked": product.stocked,
    }


def _note_price(unit: Unit, sku: str, previous: int | None, price: int) -> None:
    row = {"product": sku, "previous_minor": previous, "price_minor": price, "at": unit.now}
    unit.add(t.price_history, row)
