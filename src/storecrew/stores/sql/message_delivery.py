"""The way of queued messages out of the ledger: what is due, what must not go, what became of it.

A message without a row in `deliveries` waits. A row says where it stands; `at` is when that began,
or, of one that waits again, when it is due.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.errors import InvalidInput
from storecrew.domain.shop.messages import MARKETING, DeliveryResult, DeliveryState, OutgoingEmail
from storecrew.stores.sql.locking import storable
from storecrew.stores.sql.queries.messages import message
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.schema.tables import message_deliveries, suppressions

TAKING_LOCK = 0x6C6574
"""Postgres: one process at a time takes letters out."""
_WAITING, _SENDING = DeliveryState.WAITING, DeliveryState.SENDING

_ADDRESS = sa.func.coalesce(t.messages.c.recipient, t.customers.c.email)
_MESSAGES = sa.select(
    t.messages,
    _ADDRESS.label("email"),
    t.customers.c.name,
    t.customers.c.locale,
    t.customers.c.marketing_consent,
    suppressions.c.reason.label("barred"),
    message_deliveries.c.attempts,
    message_deliveries.c.state,
).select_from(
    t.messages.outerjoin(t.customers, t.customers.c.id == t.messages.c.customer)
    .outerjoin(suppressions, suppressions.c.address == sa.func.lower(_ADDRESS))
    .outerjoin(message_deliveries, message_deliveries.c.message_id == t.messages.c.id)
)
_OF_PURPOSE = sa.or_(
    t.messages.c.purpose != MARKETING, sa.bindparam("marketing", type_=sa.Boolean) == sa.true()
)
# which messages is found out first, from indexes alone, and only then what is known of them
_NEW = (
    sa.select(t.messages.c.id)
    .where(
        t.messages.c.id > sa.bindparam("after"),
        ~sa.exists().where(message_deliveries.c.message_id == t.messages.c.id),
        _OF_PURPOSE,
    )
    .order_by(t.messages.c.id)
    .limit(sa.bindparam("most"))
)
_AGAIN = (
    sa.select(message_deliveries.c.message_id)
    .join(t.messages, t.messages.c.id == message_deliveries.c.message_id)
    .where(
        message_deliveries.c.state == _WAITING,
        message_deliveries.c.at <= sa.bindparam("now"),
        _OF_PURPOSE,
    )
    .order_by(message_deliveries.c.message_id)
    .limit(sa.bindparam("most"))
)
_THESE = _MESSAGES.where(t.messages.c.id.in_(sa.bindparam("among", expanding=True))).order_by(
    t.messages.c.id
)
_NEWEST = sa.select(sa.func.max(t.messages.c.id))
_INSERT = sa.insert(message_deliveries)
_UPDATE = (
    sa.update(message_deliveries)
    .where(message_deliveries.c.message_id == sa.bindparam("of_message"))
    .values({name: sa.bindparam(name) for name in ("state", "address", "attempts", "detail", "at")})
)
_RECORD = (
    sa.update(message_deliveries)
    .where(
        message_deliveries.c.message_id == sa.bindparam("of_message"),
        message_deliveries.c.attempts == sa.bindparam("attempt"),
        sa.or_(
            message_deliveries.c.state == _SENDING,
            message_deliveries.c.state == DeliveryState.UNKNOWN,
        ),
    )
    .values({name: sa.bindparam(name) for name in ("state", "detail", "attempts", "at")})
)


def claim(
    connection: Connection,
    limit: int,
    now: datetime,
    *,
    after: int = 0,
    marketing: bool = True,
    stale: timedelta | None = None,
) -> tuple[list[OutgoingEmail], int]:
    """Take out letters that are due; return them and the number up to which none is left.

    Messages up to `after` are known to be taken out already. What is left because it is marketing
    does not count.
    """
    if connection.dialect.name != "sqlite":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TAKING_LOCK)))
    values = {"marketing": marketing, "most": limit}
    again = connection.scalars(_AGAIN, {**values, "now": now}).all()
    values["most"] = limit - len(again)
    new = connection.scalars(_NEW, {**values, "after": after}).all() if values["most"] else []
    last = after if not values["most"] else new[-1] if len(new) == values["most"] else None
    if last is None:
        last = connection.execute(_NEWEST).scalar() or 0
    letters, rows = [], []
    for found in connection.execute(_THESE, {"among": [*again, *new]}):
        why_not = _suppression_reason(found, now, stale)
        rows.append(_row(found, why_not, now))
        if why_not is None:
            letters.append(_outgoing_email(found))
    fresh = [row for row in rows if not row.pop("is_known")]
    known = [row for row in rows if row not in fresh]
    if fresh:
        connection.execute(_INSERT, fresh)
    if known:
        connection.execute(_UPDATE, [{**r, "of_message": r.pop("message_id")} for r in known])
    return letters, last


def _suppression_reason(found: Any, now: datetime, stale: timedelta | None) -> str | None:
    """Return why the message must not be sent, as things stand now."""
    if found.marketing_consent is None and found.recipient is None:
        return "there is no such customer"
    if not (found.email or "").strip():
        return "the customer has no address"
    if found.barred is not None:
        return f"nothing is sent to this address: {found.barred}"
    if found.purpose == MARKETING and not found.marketing_consent:
        return "the customer does not agree to marketing"
    # a person who asks for it again wants it, however old it is
    if stale is not None and found.state is None and now - found.at > stale:
        return f"waited since {found.at:%Y-%m-%d}, which is too long"
    return None


def _row(found: Any, why_not: str | None, now: datetime) -> dict[str, Any]:
    attempts = found.attempts or 0
    return {
        "is_known": found.state is not None,
        "message_id": found.id,
        "state": _SENDING if why_not is None else DeliveryState.SUPPRESSED,
        "address": (found.email or "").strip(),
        "attempts": attempts + (why_not is None),
        "detail": why_not or "",
        "at": now,
    }


def _outgoing_email(found: Any) -> OutgoingEmail:
    return OutgoingEmail(
        message_id=found.id,
        customer=found.customer,
        address=found.email.strip(),
        name=found.name or "",
        locale=found.locale or "en",
        purpose=found.purpose,
        title=found.title,
        body=found.body,
        queued_at=found.at,
        topic=found.topic or "",
        campaign=found.campaign or "",
        answers=found.answers or "",
        attempt=(found.attempts or 0) + 1,
    )


def record(connection: Connection, results: Sequence[DeliveryResult], now: datetime) -> None:
    """Write down what became of letters; what a later attempt found is left alone."""
    rows = [
        {
            "of_message": each.message_id,
            "attempt": each.attempt,
            "state": each.state,
            "detail": each.detail,
            "attempts": each.attempt if each.tried else each.attempt - 1,
            "at": each.due_at if each.state is _WAITING and each.due_at else now,
        }
        for each in results
    ]
    if rows:
        connection.execute(_RECORD, rows)


def recover(connection: Connection, before: datetime, now: datetime) -> int:
    """Call unknown what is being sent since before then; return how many."""
    lost = sa.update(message_deliveries).where(
        message_deliveries.c.state == _SENDING, message_deliveries.c.at < before
    )
    detail = "storecrew ended while this was being sent; the server may have it"
    values = {"state": DeliveryState.UNKNOWN, "detail": detail, "at": now}
    return connection.execute(lost.values(values)).rowcount


_RETRIED = (DeliveryState.FAILED, DeliveryState.SUPPRESSED, DeliveryState.UNKNOWN)


def retry(connection: Connection, message_id: int, now: datetime, *, by: str) -> None:
    """Let a message wait again because a person says so."""
    known = message(connection, message_id)
    if known.state not in _RETRIED:
        raise InvalidInput("message", f"{message_id} is {known.state}; nothing to try again")
    again = sa.update(message_deliveries).where(
        message_deliveries.c.message_id == message_id, message_deliveries.c.state == known.state
    )
    connection.execute(
        again.values(state=_WAITING, detail=f"again, said {by}; was {known.state}", at=now)
    )


def bounced(connection: Connection, message_id: int, reason: str, now: datetime) -> str | None:
    """Call a sent message failed; return where it was sent, None where it was not."""
    sent_to = sa.select(message_deliveries.c.address).where(
        message_deliveries.c.message_id == message_id,
        message_deliveries.c.state.in_(
            [DeliveryState.SENT, DeliveryState.UNKNOWN, DeliveryState.FAILED, _SENDING]
        ),
    )
    found = storable([message_id]) and connection.execute(sent_to).scalar()
    if not found:
        return None
    came_back = sa.update(message_deliveries).where(message_deliveries.c.message_id == message_id)
    values = {"state": DeliveryState.FAILED, "detail": f"came back: {reason}", "at": now}
    connection.execute(came_back.values(values))
    return str(found)


def settled(connection: Connection, before: datetime) -> int:
    """Return the newest message of before then: nothing older is still being written."""
    newest = sa.select(t.messages.c.id).where(t.messages.c.at < before)
    last = newest.order_by(t.messages.c.id.desc()).limit(1)  # looks no further back than it must
    return connection.execute(last).scalar() or 0
