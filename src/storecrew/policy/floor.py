"""The margin floor: one calculation for every way in which a price can fall."""

from collections.abc import Sequence
from decimal import Decimal

from storecrew.domain.actions import Action
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import Product, SetPrice, UpsertProduct, floor_price
from storecrew.domain.shop.promotions import CreateDiscount, OfferBundle
from storecrew.policy.facts import PolicyFacts
from storecrew.policy.settings import PolicySettings


def floor_breach(action: Action, facts: PolicyFacts, settings: PolicySettings) -> str | None:
    """Return why the action would sell a product below its floor, else None.

    None also where a cost is unknown: then there is no floor to compare with.
    """
    margin = settings.margin_floor
    if isinstance(action, SetPrice):
        return _price_below(action.price, None, facts, margin)
    if isinstance(action, UpsertProduct):
        return _price_below(action.price, action.cost, facts, margin)
    if isinstance(action, CreateDiscount):
        known = [facts.products[sku] for sku in action.skus if sku in facts.products]
        return _discount_below(known, action.percent / 100, margin)
    if isinstance(action, OfferBundle):
        known = [facts.products[sku] for sku in action.skus if sku in facts.products]
        return _bundle_below(known, action.price, margin)
    return None


def _price_below(
    price: Money, cost: Money | None, facts: PolicyFacts, margin: Decimal
) -> str | None:
    before = facts.product
    cost = cost or (before.cost if before else None)
    if cost is None:
        return None
    floor = floor_price(cost, margin)
    if price < floor:
        return f"{price} is below the floor {floor.rounded_up()}"
    discounted = price * (1 - facts.discounted)
    if discounted < floor and before is not None and price < before.price:
        return f"with {facts.discounted:.0%} discount it is below {floor.rounded_up()}"
    return None


def _discount_below(products: Sequence[Product], share: Decimal, margin: Decimal) -> str | None:
    for product in products:
        if product.cost is None:
            continue
        left, floor = product.price * (1 - share), floor_price(product.cost, margin)
        if left.currency != floor.currency or left < floor:
            return f"{product.sku} would be sold below its floor"
    return None


def _bundle_below(products: Sequence[Product], price: Money, margin: Decimal) -> str | None:
    costs = [product.cost.amount for product in products if product.cost is not None]
    if len(costs) < len(products):
        return None
    floor = floor_price(Money(sum(costs) + Decimal(0), price.currency), margin)
    return f"{price} is below the floor {floor.rounded_up()}" if price < floor else None
