"""Reads of support tickets."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.errors import NotFound
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.stores.sql.locking import chunks
from storecrew.stores.sql.queries.filters import AMONG
from storecrew.stores.sql.schema import tables as t

_REPLIES = (
    sa.select(t.ticket_replies.c.ticket_id, t.ticket_replies.c.text)
    .where(t.ticket_replies.c.ticket_id.in_(AMONG))
    .order_by(t.ticket_replies.c.id)
)
_TICKETS = sa.select(*(column for column in t.tickets.c if column.name != "reference"))
"""What a ticket says; by which mail it came is for the answer's headers alone."""
_TICKET = _TICKETS.where(t.tickets.c.id == sa.bindparam("ticket_id"))


def ticket(connection: Connection, ticket_id: str) -> Ticket:
    """Return the ticket, or raise `NotFound`."""
    rows = connection.execute(_TICKET, {"ticket_id": ticket_id}).all()
    if not (found := _tickets(connection, rows)):
        raise NotFound("ticket", ticket_id)
    return found[0]


def tickets(
    connection: Connection, *, status: TicketStatus | None = None, limit: int = 200
) -> Sequence[Ticket]:
    """Return tickets of this status (all when None), newest first."""
    of_status = list(TicketStatus) if status is None else [status]
    values = {"statuses": of_status, "most": limit}
    return _tickets(connection, connection.execute(_NEWEST_TICKETS, values).all())


_NEWEST_TICKETS = (
    _TICKETS.where(t.tickets.c.status.in_(sa.bindparam("statuses", expanding=True)))
    .order_by(t.tickets.c.opened_at.desc(), t.tickets.c.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer))
)


def _tickets(connection: Connection, rows: Sequence[Any]) -> list[Ticket]:
    replies: dict[str, list[str]] = {}
    for among in chunks([row.id for row in rows]):
        for ticket_id, text in connection.execute(_REPLIES, {"among": among}):
            replies.setdefault(ticket_id, []).append(text)
    return [
        Ticket(
            **{**row._mapping, "status": TicketStatus(row.status)},
            replies=tuple(replies.get(row.id, ())),
        )
        for row in rows
    ]
