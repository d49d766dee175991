"""What the numbers in the books mean: the currency, kept with them from the first time on."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.stores.sql.schema import tables as t

_CURRENCY = "currency"
_KEPT = sa.select(t.books.c.value).where(t.books.c.name == _CURRENCY)
_KEEP = sa.text(
    "INSERT INTO books (name, value) VALUES (:name, :value) ON CONFLICT (name) DO NOTHING"
)
"""Of two processes that open new books at once, the first one's counts."""


def currency(connection: Connection) -> str | None:
    """Return the currency that the books are kept in; None where nothing says so yet."""
    return connection.scalar(_KEPT)


def keep_currency(connection: Connection, currency: str) -> str:
    """Keep the currency with the books, and return it: that of amounts which are there already."""
    for column in (t.orders.c.currency, t.products.c.currency):
        currency = connection.scalar(sa.select(column).limit(1)) or currency
    connection.execute(_KEEP, {"name": _CURRENCY, "value": currency})
    return connection.scalar(_KEPT) or currency
