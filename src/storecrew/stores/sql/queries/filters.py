"""Filters and pages that several reads share."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import SortOrder, page_rows
from storecrew.domain.paging import Page
from storecrew.stores.sql.locking import chunks

T = TypeVar("T")

AMONG: sa.BindParameter[Any] = sa.bindparam("among", expanding=True)


def of_products(
    connection: Connection,
    statement: sa.Select[Any],
    sku: sa.ColumnElement[Any],
    skus: frozenset[str] | None,
    parameters: Mapping[str, Any] = {},
) -> Iterator[Any]:
    """Yield the rows of these products (all when None), in the statement's order by SKU."""
    if skus is None:
        yield from connection.execute(statement, parameters)
        return
    some = _narrowed(statement, sku)
    for among in chunks(skus):
        yield from connection.execute(some, {**parameters, "among": among})


@cache
def _narrowed(statement: sa.Select[Any], sku: sa.ColumnElement[Any]) -> sa.Select[Any]:
    return statement.where(sku.in_(AMONG))


def sku_set(skus: Iterable[str] | None) -> frozenset[str] | None:
    """Return the SKUs asked for as a set; None stands for all."""
    return None if skus is None else frozenset(skus)


def one_page(
    connection: Connection,
    query: "sa.Select[Any]",
    order: SortOrder,
    *,
    total: int,
    place: tuple[int, int],
    read: Callable[[Any], T],
) -> Page[T]:
    """Return one page of the query's rows, each read as a value; `place` is page and size."""
    page, per_page = place
    rows = page_rows(connection, query, order, total=total, page=page, per_page=per_page)
    return Page(items=tuple(read(row) for row in rows), total=total)
