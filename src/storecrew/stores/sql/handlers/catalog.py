"""Handlers of the catalog's actions: products, prices, costs, competitors' prices and pages."""

import sqlalchemy as sa

from storecrew.domain.codec import encode
from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.catalog import (
    CompetitorPriceObserved,
    CostChanged,
    PriceChanged,
    ProductChanged,
    RecordCompetitorPrice,
    SetCost,
    SetPrice,
    SuggestProduct,
    TrackCompetitorPage,
    UntrackCompetitorPage,
    UpsertProduct,
    WithdrawCompetitorPrice,
)
from storecrew.domain.shop.orders import check_name
from storecrew.stores.sql.checks import LONGEST_TEXT, bad_amount, bad_name, bad_pack, bad_text
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.lookups import bad_skus, row_exists
from storecrew.stores.sql.rows import ProductRow
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork


def set_price(unit: UnitOfWork, action: SetPrice) -> HandlerResult:
    """Change the price, unless it is no longer the one that the decision rested on."""
    expected = action.expected_price
    bad = bad_amount(unit, "price", action.price, least=1)
    if bad := bad or (None if expected is None else bad_amount(unit, "expected_price", expected)):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        return unknown("product", action.sku)
    previous, price = product.price, action.price.minor
    before, after = {"price": unit.json(previous)}, {"price": unit.json(price)}
    if expected is not None and expected.minor != previous:
        problem = f"the price of {action.sku!r} is {unit.money(previous)}, not {expected}"
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


def set_cost(unit: UnitOfWork, action: SetCost) -> HandlerResult:
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


def upsert_product(unit: UnitOfWork, action: UpsertProduct) -> HandlerResult:
    """Create the product, or change all but its price."""
    if bad := _bad_product(unit, action):
        return bad
    if (product := unit.products.get(action.sku)) is None:
        before = {}
        product = new_product(unit, action.sku, check_name(action.name), action.price.minor)
        product.stocked = action.stocked is not False
    elif action.stocked not in (None, product.stocked):
        return invalid("stocked", f"cannot be changed for {action.sku!r}, which exists")
    else:
        before = _known(unit, product)
    product.name = check_name(action.name)
    if action.pack_size is not None:
        product.pack_size = action.pack_size
    if action.cost is not None:
        product.cost = action.cost.minor
        product.assumed -= {"cost"}
    if action.retired is not None:
        product.retired = action.retired
    if action.supplier is not None:
        product.supplier = action.supplier
        product.assumed -= {"supplier"}
    unit.put_product(product)
    unit.publish(ProductChanged(sku=action.sku))
    return done(before=before, after=_known(unit, product))


def new_product(unit: UnitOfWork, sku: str, name: str, price: int) -> ProductRow:
    """Create a product at this price, which begins its price history."""
    product = ProductRow(sku, name, price, stored=False)
    unit.put_product(product)
    _note_price(unit, sku, None, price)
    return product


def record_competitor_price(unit: UnitOfWork, action: RecordCompetitorPrice) -> HandlerResult:
    """Keep the observation as it was seen; a fact leaves only when it is another than before."""
    if bad := bad_name("competitor", action.competitor):
        return bad
    if action.sku not in unit.products:
        return unknown("product", action.sku)
    previous = unit.competitor_prices.get((action.sku, action.competitor))
    unit.put_competitor_price(action.sku, action.competitor, action.price)
    if previous != action.price:
        event = CompetitorPriceObserved(
            sku=action.sku, competitor=action.competitor, price=action.price
        )
        unit.publish(event)
    return done(before={"price": encode(previous)}, after={"price": encode(action.price)})


def _bad_product(unit: UnitOfWork, action: UpsertProduct) -> HandlerResult | None:
    cost = action.cost
    return (
        bad_name("sku", action.sku)
        or bad_name("name", action.name)
        or _misleading(action.name)
        or bad_amount(unit, "price", action.price)
        or (None if cost is None else bad_amount(unit, "cost", cost))
        or (invalid("supplier", "is blank") if action.supplier == "" else None)
        or (None if action.pack_size is None else bad_pack(action.pack_size))
    )


def _misleading(name: str) -> HandlerResult | None:
    """Refuse a name that could not be ordered."""
    try:
        check_name(name)
    except InvalidInput as error:
        return invalid("name", error.problem)
    return None


def _known(unit: UnitOfWork, product: ProductRow) -> dict[str, object]:
    return {
        "name": product.name,
        "price": unit.json(product.price),
        "cost": unit.json(product.cost),
        "supplier": product.supplier,
        "pack_size": product.pack_size,
        "stocked": product.stocked,
        "retired": product.retired,
    }


def _note_price(unit: UnitOfWork, sku: str, previous: int | None, price: int) -> None:
    row = {"product": sku, "previous_minor": previous, "price_minor": price, "at": unit.now}
    unit.add(t.price_history, row)


def suggest_product(unit: UnitOfWork, action: SuggestProduct) -> HandlerResult:
    """Put the idea on the owner's list, once."""
    if bad := bad_name("name", action.name) or bad_text("reason", action.reason):
        return bad
    if row_exists(unit, t.product_suggestions.c.name, action.name):
        return refused("already_open", f"{action.name!r} was suggested before")
    row = {"name": action.name, "reason": action.reason, "source": action.source[:LONGEST_TEXT]}
    unit.connection.execute(sa.insert(t.product_suggestions), row | {"suggested_at": unit.now})
    return done(after={"name": action.name})


def track_competitor_page(unit: UnitOfWork, action: TrackCompetitorPage) -> HandlerResult:
    """Track the page; it replaces another page of the same competitor for the product."""
    if bad := bad_name("competitor", action.competitor) or bad_text("url", action.url):
        return bad
    if not action.url.startswith(("https://", "http://")):
        return invalid("url", "does not begin with https:// or http://")
    if bad := bad_skus(unit, (action.sku,)):
        return bad
    here = (
        t.competitor_pages.c.product == action.sku,
        t.competitor_pages.c.competitor == action.competitor,
    )
    was = unit.connection.execute(sa.select(t.competitor_pages.c.url).where(*here)).scalar()
    unit.connection.execute(sa.delete(t.competitor_pages).where(*here))
    row = {"product": action.sku, "competitor": action.competitor, "url": action.url}
    unit.connection.execute(sa.insert(t.competitor_pages), row)
    return done(before={"url": was}, after={"url": action.url})


def withdraw_competitor_price(unit: UnitOfWork, action: WithdrawCompetitorPrice) -> HandlerResult:
    """Forget the price; it is recorded anew when the product can be bought there again."""
    previous = unit.competitor_prices.get((action.sku, action.competitor))
    if previous is None:
        return unknown("competitor price", f"{action.sku}/{action.competitor}")
    unit.forget_competitor_price(action.sku, action.competitor)
    return done(before={"price": encode(previous)}, after={"price": None})


def untrack_competitor_page(unit: UnitOfWork, action: UntrackCompetitorPage) -> HandlerResult:
    """Forget the page and the price that was seen there."""
    here = (
        t.competitor_pages.c.product == action.sku,
        t.competitor_pages.c.competitor == action.competitor,
    )
    url = unit.connection.scalar(sa.select(t.competitor_pages.c.url).where(*here))
    if url is None:
        return unknown("competitor page", f"{action.sku}/{action.competitor}")
    unit.connection.execute(sa.delete(t.competitor_pages).where(*here))
    unit.forget_competitor_price(action.sku, action.competitor)
    return done(before={"url": url}, after={"url": None})
