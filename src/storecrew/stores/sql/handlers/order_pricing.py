"""Prices of an order's lines: the list price, less a discount's share or a bundle's saving."""

import json
from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal

import sqlalchemy as sa

from storecrew.domain.shop.orders import PlaceOrder
from storecrew.stores.sql.handler_result import HandlerResult, invalid
from storecrew.stores.sql.rows import OrderItemRow, ProductRow
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

RequestedLines = Sequence[tuple[ProductRow, int]]


def priced(
    unit: UnitOfWork, action: PlaceOrder, requested: RequestedLines
) -> list[OrderItemRow] | HandlerResult:
    """Return the lines as they are sold; an offer that does not hold for the order is refused."""
    if action.code and action.bundle:
        return invalid("bundle", "a bundle and a discount code do not go together")
    if action.code:
        return _discounted(unit, action, requested)
    if action.bundle:
        return _bundled(unit, action.bundle, requested)
    return [OrderItemRow(product.sku, quantity, product.price) for product, quantity in requested]


def _discounted(
    unit: UnitOfWork, action: PlaceOrder, requested: RequestedLines
) -> list[OrderItemRow] | HandlerResult:
    here = sa.select(t.discounts).where(t.discounts.c.code == action.code)
    row = unit.connection.execute(here).first()
    if row is None or not row.starts_at <= unit.now < row.ends_at:
        return invalid("code", f"{action.code!r} is no discount code that holds now")
    customers, skus = json.loads(row.customers), set(json.loads(row.skus))
    if customers and action.customer not in customers:
        return invalid("code", f"{action.code!r} is another customer's")
    if not any(product.sku in skus for product, _ in requested):
        return invalid("code", f"{action.code!r} is for other products")
    left = 1 - Decimal(row.percent) / 100
    return [
        OrderItemRow(
            product.sku,
            quantity,
            _share(product.price, left) if product.sku in skus else product.price,
        )
        for product, quantity in requested
    ]


def _share(price: int, left: Decimal) -> int:
    """Return what is left of a price, rounded up, so that no floor is fallen below."""
    return int((price * left).to_integral_value(ROUND_CEILING))


def _bundled(
    unit: UnitOfWork, name: str, requested: RequestedLines
) -> list[OrderItemRow] | HandlerResult:
    row = unit.connection.execute(sa.select(t.bundles).where(t.bundles.c.name == name)).first()
    if row is None:
        return invalid("bundle", f"{name!r} is not offered")
    skus = json.loads(row.skus)
    held = {product.sku: (product, quantity) for product, quantity in requested}
    if missing := [sku for sku in skus if sku not in held]:
        return invalid("bundle", f"{name!r} also has {missing[0]!r}")
    sets = min(held[sku][1] for sku in skus)
    prices = _parts([held[sku][0].price for sku in skus], row.price_minor)
    lines = [OrderItemRow(sku, sets, price) for sku, price in zip(skus, prices, strict=True)]
    for product, quantity in requested:
        if rest := quantity - (sets if product.sku in skus else 0):
            lines.append(OrderItemRow(product.sku, rest, product.price))
    return lines


def _parts(prices: Sequence[int], whole: int) -> list[int]:
    """Return the share of each part in the price of the whole, which they sum to."""
    apart = sum(prices)
    if whole >= apart:  # prices fell since it was offered: nobody pays more for a set
        return list(prices)
    shares = [price * whole // apart for price in prices]
    shares[-1] += whole - sum(shares)
    return shares
