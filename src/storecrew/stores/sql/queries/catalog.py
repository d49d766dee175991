"""Reads of the catalog: products, prices, competitors' prices and pages, suggestions."""

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from operator import itemgetter
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_count
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.paging import Page
from storecrew.domain.shop.catalog import (
    CompetitorPage,
    CompetitorPrice,
    PriceChange,
    Product,
    ProductSuggestion,
)
from storecrew.stores.sql.queries.filters import of_products, one_page
from storecrew.stores.sql.schema import tables as t

_PRODUCTS = sa.select(t.products).order_by(t.products.c.sku)
_PRICES = (
    sa.select(t.price_history)
    .where(t.price_history.c.at >= sa.bindparam("since"))
    .order_by(t.price_history.c.at, t.price_history.c.id)
)
_RIVALS = sa.select(t.competitor_prices).order_by(
    t.competitor_prices.c.product, t.competitor_prices.c.competitor
)


def products(
    connection: Connection, currency: str, skus: frozenset[str] | None
) -> Sequence[Product]:
    """Return these products (all when None) ordered by SKU."""
    rows = of_products(connection, _PRODUCTS, t.products.c.sku, skus)
    return [to_product(row, currency) for row in rows]


def to_product(row: Any, currency: str) -> Product:
    """Read a row of `products`."""
    return Product(
        sku=row.sku,
        name=row.name,
        price=Money.from_minor(row.price_minor, currency),
        cost=None if row.cost_minor is None else Money.from_minor(row.cost_minor, currency),
        supplier=row.supplier,
        pack_size=row.pack_size,
        stocked=row.stocked,
        retired=row.retired,
        assumed=tuple(json.loads(row.assumed)),
    )


def product(connection: Connection, currency: str, sku: str) -> Product:
    """Return the product, or raise `NotFound`."""
    if not (found := products(connection, currency, frozenset([sku]))):
        raise NotFound("product", sku)
    return found[0]


def price_changes(
    connection: Connection, currency: str, since: datetime, skus: frozenset[str] | None
) -> Sequence[PriceChange]:
    """Return price changes from that moment on, oldest first."""
    rows = of_products(connection, _PRICES, t.price_history.c.product, skus, {"since": since})
    return [
        PriceChange(
            sku=sku,
            previous=None if previous is None else Money.from_minor(previous, currency),
            price=Money.from_minor(price, currency),
            at=at,
        )
        for _id, sku, previous, price, at in sorted(rows, key=itemgetter(4, 0))
    ]


def competitor_prices(
    connection: Connection, skus: frozenset[str] | None
) -> Sequence[CompetitorPrice]:
    """Return each competitor's last observed price, by SKU, then competitor."""
    return [
        CompetitorPrice(
            sku=row.product,
            competitor=row.competitor,
            price=Money(Decimal(row.amount), row.currency),
            seen_at=row.seen_at,
        )
        for row in of_products(connection, _RIVALS, t.competitor_prices.c.product, skus)
    ]


def product_suggestions(connection: Connection) -> Sequence[ProductSuggestion]:
    """Return products that were suggested, newest first."""
    newest = sa.select(t.product_suggestions).order_by(
        t.product_suggestions.c.suggested_at.desc(), t.product_suggestions.c.name
    )
    return [ProductSuggestion(**row._mapping) for row in connection.execute(newest)]


def competitor_pages(connection: Connection) -> Sequence[CompetitorPage]:
    """Return the tracked competitor pages, by SKU, then competitor."""
    every = sa.select(t.competitor_pages).order_by(
        t.competitor_pages.c.product, t.competitor_pages.c.competitor
    )
    return [
        CompetitorPage(sku=row.product, competitor=row.competitor, url=row.url)
        for row in connection.execute(every)
    ]


def product_page(
    connection: Connection, currency: str, *, page: int, per_page: int
) -> Page[Product]:
    """Return one page of the products, by SKU."""
    return one_page(
        connection,
        sa.select(t.products),
        [(t.products.c.sku, "up")],
        total=row_count(connection, "products"),
        place=(page, per_page),
        read=lambda row: to_product(row, currency),
    )
