"""Checks of an action against rows that are not locked for it."""

from typing import Any

import sqlalchemy as sa

from storecrew.stores.sql.handler_result import HandlerResult, invalid, unknown
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

MAX_SKUS = 500


def row_exists(unit: UnitOfWork, column: sa.Column[Any], key: str) -> bool:
    """Tell whether a row has this value in the column."""
    return unit.connection.execute(sa.select(column).where(column == key)).first() is not None


def bad_skus(
    unit: UnitOfWork, skus: tuple[str, ...], *, least: int = 0, most: int = MAX_SKUS
) -> HandlerResult | None:
    """Return why these are not products of the shop, each named once, or None."""
    if not least <= len(skus) <= most or len(set(skus)) < len(skus):
        return invalid("skus", f"are {least} to {most} products, each named once")
    known = sa.select(t.products.c.sku).where(t.products.c.sku.in_(skus))
    missing = set(skus) - set(unit.connection.scalars(known))
    return unknown("product", min(missing)) if missing else None
