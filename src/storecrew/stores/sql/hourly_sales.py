"""Trade hour by hour, for who watches its rhythm."""

from collections.abc import Sequence
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.money import Money
from storecrew.domain.shop.orders import HourlySales, OrderStatus
from storecrew.stores.sql.schema import ledger as t

_TO_THE_HOUR = 13
"""Characters of a moment, as it is kept, up to its hour."""
_PLACED = sa.func.substr(sa.type_coerce(t.orders.c.timestamp, sa.String), 1, _TO_THE_HOUR)
_PAID_BACK = sa.func.substr(sa.type_coerce(t.refunds.c.at, sa.String), 1, _TO_THE_HOUR)
_SOLD = (
    sa.select(_PLACED, sa.func.count(), sa.func.sum(t.orders.c.total_minor))
    .where(
        t.orders.c.timestamp >= sa.bindparam("since"),
        t.orders.c.status != OrderStatus.CANCELLED,
        t.orders.c.imported.is_(False),
    )
    .group_by(_PLACED)
)
_REFUNDED = (
    sa.select(_PAID_BACK, sa.func.sum(t.refunds.c.amount_minor))
    .where(t.refunds.c.at >= sa.bindparam("since"))
    .group_by(_PAID_BACK)
)


def hourly_sales(connection: Connection, currency: str, since: datetime) -> Sequence[HourlySales]:
    """Return the hours since then in which something was sold or paid back, oldest first."""
    whole = {"since": since.astimezone(UTC).replace(minute=0, second=0, microsecond=0)}
    sold = {hour: (int(n), int(minor)) for hour, n, minor in connection.execute(_SOLD, whole)}
    back = {hour: int(minor) for hour, minor in connection.execute(_REFUNDED, whole)}
    return [
        HourlySales(
            hour=datetime.fromisoformat(f"{hour}:00:00+00:00"),
            orders=sold.get(hour, (0, 0))[0],
            value=Money.from_minor(sold.get(hour, (0, 0))[1], currency),
            refunds=Money.from_minor(back.get(hour, 0), currency),
        )
        for hour in sorted({*sold, *back})
    ]
