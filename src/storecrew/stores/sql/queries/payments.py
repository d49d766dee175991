"""Reads of payment authorizations and payment methods."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import row_counts
from storecrew.domain.money import Money
from storecrew.domain.shop.payments import Authorization
from storecrew.stores.sql.locking import chunks, storable
from storecrew.stores.sql.queries.filters import AMONG
from storecrew.stores.sql.schema import tables as t

_AUTHORIZATIONS = (
    sa.select(t.authorizations, t.payments.c.reference.label("paid"))
    .join_from(
        t.authorizations,
        t.payments,
        t.payments.c.reference == t.authorizations.c.reference,
        isouter=True,
    )
    .where(t.authorizations.c.order_id.in_(AMONG))
    .order_by(t.authorizations.c.at, t.authorizations.c.reference)
)


def authorizations(
    connection: Connection, currency: str, order_ids: Iterable[int]
) -> Sequence[Authorization]:
    """Return payments set aside for these orders, oldest first."""
    return [
        Authorization(
            order_id=row.order_id,
            reference=row.reference,
            amount=Money.from_minor(row.amount_minor, currency),
            method=row.method,
            at=row.at,
            captured=row.paid is not None,
        )
        for among in chunks(storable(order_ids))
        for row in connection.execute(_AUTHORIZATIONS, {"among": among})
    ]


def payment_methods(connection: Connection) -> Mapping[str, bool]:
    """Return the ways to pay that were ever used or set, and whether each is offered."""
    offered = dict.fromkeys(sorted(row_counts(connection, "authorizations")), True)
    offered.update((row.method, row.enabled) for row in connection.execute(_METHODS))
    return offered


_METHODS = sa.select(t.payment_methods).order_by(t.payment_methods.c.method)
