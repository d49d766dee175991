"""One page of an ordered query, read from whichever end of the order is nearer."""

from collections.abc import Sequence
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

SortOrder = Sequence[tuple[sa.ColumnElement[Any], Literal["up", "down"]]]
"""Columns that sort a list; an index on them in this order makes a page cost what is on it."""


def page_rows(
    connection: Connection,
    query: "sa.Select[Any]",
    order: SortOrder,
    *,
    total: int,
    page: int,
    per_page: int,
) -> "Sequence[Row[Any]]":
    """Return the rows of one page of the query, of whose rows there are `total`.

    What a page costs beyond its own rows are the index entries between it and the nearer end, so
    the query should read nothing else: ids, of which the rows are then read.
    """
    first = (page - 1) * per_page
    last = min(first + per_page, total)
    if first >= last:
        return []
    is_near = first <= total - last
    ways = {"up": is_near, "down": not is_near}
    sorted_by = [column.asc() if ways[way] else column.desc() for column, way in order]
    skipped = first if is_near else total - last
    rows = connection.execute(query.order_by(*sorted_by).limit(last - first).offset(skipped)).all()
    return rows if is_near else rows[::-1]
