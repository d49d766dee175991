"""Reads of messages to customers: counts, pages, one of them, sent topics, suppressed addresses."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.database import SortOrder, page_rows, row_count, row_counts
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.shop.messages import (
    MARKETING,
    DeliveryState,
    MailReport,
    MessagePage,
    QueuedMessage,
    Suppression,
    SuppressionPage,
)
from storecrew.stores.sql.locking import chunks, storable
from storecrew.stores.sql.queries.filters import AMONG
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.schema.tables import message_deliveries

MAX_PER_PAGE = 200
_WAITING = DeliveryState.WAITING


def report(connection: Connection, campaign: str | None = None) -> MailReport:
    """Count messages by state, all or those of one campaign; those without a row wait."""
    if campaign is None:
        total, counts = (
            row_count(connection, "messages"),
            row_counts(connection, "message_deliveries"),
        )
    else:
        queued = sa.select(sa.func.count()).where(t.messages.c.campaign == campaign)
        total = connection.execute(queued).scalar_one()
        by_state = sa.select(message_deliveries.c.state, sa.func.count()).group_by(
            message_deliveries.c.state
        )
        by_state = by_state.join(t.messages, t.messages.c.id == message_deliveries.c.message_id)
        of_campaign = connection.execute(by_state.where(t.messages.c.campaign == campaign))
        counts = {str(state): int(number) for state, number in of_campaign}
    counts[_WAITING] = total - sum(n for state, n in counts.items() if state != _WAITING)
    return MailReport(queued=total, **counts)


_MESSAGE_STATE = sa.select(
    t.messages,
    message_deliveries.c.state,
    message_deliveries.c.address,
    message_deliveries.c.attempts,
    message_deliveries.c.detail,
    message_deliveries.c.at.label("since"),
).select_from(
    t.messages.outerjoin(message_deliveries, message_deliveries.c.message_id == t.messages.c.id)
)


def messages(
    connection: Connection,
    *,
    state: DeliveryState | None = None,
    page: int = 1,
    per_page: int = 50,
) -> MessagePage:
    """Return one page of messages in this state (all when None), newest first."""
    if page < 1:
        raise InvalidInput("page", "begins at 1")
    if not 1 <= per_page <= MAX_PER_PAGE:
        raise InvalidInput("per_page", f"is between 1 and {MAX_PER_PAGE}")
    if state is _WAITING:
        return _waiting_page(connection, page, per_page)
    if state is None:
        ids, number = sa.select(t.messages.c.id), t.messages.c.id
        total = row_count(connection, "messages")
    else:
        number = message_deliveries.c.message_id
        ids = sa.select(number.label("id")).where(message_deliveries.c.state == state)
        total = row_count(connection, "message_deliveries", state=state)
    order: SortOrder = [(number, "down")]
    found = page_rows(connection, ids, order, total=total, page=page, per_page=per_page)
    return _page(connection, [row.id for row in found], total)


def _waiting_page(connection: Connection, page: int, per_page: int) -> MessagePage:
    """Return one page of those that wait: taken out once and put back, or never taken out."""
    back = row_count(connection, "message_deliveries", state=_WAITING)
    total = back + row_count(connection, "messages") - row_count(connection, "message_deliveries")
    first = (page - 1) * per_page
    if first >= total:
        return MessagePage(items=(), total=total)
    most = min(per_page, total - first)
    # no more are looked for than there are: it ends with the last, and those sent long ago are
    # not gone through
    place = {"most": most, "first": first, "reach": first + most}
    found = connection.execute(_NEWEST_WAITING, place)
    return _page(connection, [row.id for row in found], total)


def _newest(column: sa.Column[int], condition: sa.ColumnElement[bool]) -> "sa.Select[tuple[int]]":
    reach = sa.bindparam("reach", type_=sa.Integer)
    found = sa.select(column.label("id")).where(condition).order_by(column.desc()).limit(reach)
    return sa.select(found.subquery().c.id)


_TAKEN = sa.select(message_deliveries.c.message_id).where(
    message_deliveries.c.message_id == t.messages.c.id
)
_NEWEST_WAITING = (
    sa.union_all(
        # a join would read both tables to their ends
        _newest(t.messages.c.id, _TAKEN.scalar_subquery().is_(None)),
        _newest(message_deliveries.c.message_id, message_deliveries.c.state == _WAITING),
    )
    .order_by(sa.desc("id"))
    .limit(sa.bindparam("most", type_=sa.Integer))
    .offset(sa.bindparam("first", type_=sa.Integer))
)


def _page(connection: Connection, ids: Sequence[int], total: int) -> MessagePage:
    """Return these messages, newest first."""
    some = _MESSAGE_STATE.where(t.messages.c.id.in_(ids)).order_by(t.messages.c.id.desc())
    return MessagePage(items=tuple(map(_message_states, connection.execute(some))), total=total)


def message(connection: Connection, message_id: int) -> QueuedMessage:
    """Return the message, or raise `NotFound`."""
    statement = _MESSAGE_STATE.where(t.messages.c.id == message_id)
    found = storable([message_id]) and connection.execute(statement).first()
    if not found:
        raise NotFound("message", message_id)
    return _message_states(found)


def _message_states(found: Any) -> QueuedMessage:
    return QueuedMessage(
        message_id=found.id,
        customer=found.customer,
        purpose=found.purpose,
        title=found.title,
        body=found.body,
        queued_at=found.at,
        topic=found.topic or "",
        campaign=found.campaign or "",
        state=DeliveryState(found.state or _WAITING),
        address=found.address or "",
        attempts=found.attempts or 0,
        detail=found.detail or "",
        at=found.since,
    )


def find_customer_by_email(connection: Connection, address: str) -> str | None:
    """Return the customer with this address; None for no customer, or several."""
    here = sa.select(t.customers.c.id).where(sa.func.lower(t.customers.c.email) == address.lower())
    found = connection.scalars(here.limit(2)).all()
    return found[0] if len(found) == 1 else None


_TOLD = sa.select(t.messages.c.customer, t.messages.c.topic).where(
    t.messages.c.customer.in_(sa.bindparam("customers", expanding=True)),
    t.messages.c.topic.in_(sa.bindparam("topics", expanding=True)),
)


def sent_topics(
    connection: Connection, customers: Iterable[str], topics: Iterable[str]
) -> dict[str, list[str]]:
    """Return which of these topics each of these customers was told of, in order."""
    found: dict[str, list[str]] = {}
    topic_list = sorted(topics)
    for people in chunks(customers):
        for about in chunks(topic_list):
            some = {"customers": people, "topics": about}
            for customer, topic in connection.execute(_TOLD, some):
                found.setdefault(customer, []).append(topic)
    return {customer: sorted(each) for customer, each in sorted(found.items())}


_MESSAGES = (
    sa.select(t.messages.c.customer, sa.func.count())
    .where(
        t.messages.c.customer.in_(AMONG),
        t.messages.c.at >= sa.bindparam("since"),
        t.messages.c.purpose == MARKETING,
    )
    .group_by(t.messages.c.customer)
)


def messages_sent(
    connection: Connection, customers: frozenset[str], since: datetime
) -> Mapping[str, int]:
    """Return how many marketing messages each of these customers was sent since then."""
    sent = dict.fromkeys(sorted(customers), 0)
    for among in chunks(customers):
        sent.update(
            (row[0], row[1])
            for row in connection.execute(_MESSAGES, {"among": among, "since": since})
        )
    return sent


def suppressed(connection: Connection, addresses: Iterable[str]) -> Mapping[str, str]:
    """Return which of these addresses are written to no more, and why."""
    by_address = {address.strip().lower(): address for address in addresses}
    return {
        by_address[address]: reason
        for among in chunks(by_address)
        for address, reason in connection.execute(_SUPPRESSED, {"among": among})
    }


def suppressions(connection: Connection, *, page: int = 1, per_page: int = 50) -> SuppressionPage:
    """Return one page of suppressed addresses, the newest first."""
    total = connection.execute(sa.select(sa.func.count()).select_from(t.suppressions)).scalar_one()
    newest = (
        sa.select(t.suppressions)
        .order_by(t.suppressions.c.at.desc(), t.suppressions.c.address)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    items = tuple(Suppression(**row._mapping) for row in connection.execute(newest))
    return SuppressionPage(items=items, total=total)


_SUPPRESSED = sa.select(t.suppressions.c.address, t.suppressions.c.reason).where(
    t.suppressions.c.address.in_(AMONG)
)
