"""Where queued messages stand: counts, pages, one of them, and who was told of what."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from storecrew.domain.care import DeliveryState, MailReport, MessagePage, QueuedMessage
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.stores.sql import tables as t
from storecrew.stores.sql.dealings import deliveries
from storecrew.stores.sql.load import chunks, storable

MAX_PER_PAGE = 200
_WAITING = DeliveryState.WAITING


def report(connection: Connection, campaign: str | None) -> MailReport:
    """Count messages by state; those without a row wait."""
    queued = sa.select(sa.func.count()).select_from(t.messages)
    by_state = sa.select(deliveries.c.state, sa.func.count()).group_by(deliveries.c.state)
    if campaign is not None:
        of_campaign = t.messages.c.campaign == campaign
        queued = queued.where(of_campaign)
        by_state = by_state.join(t.messages, t.messages.c.id == deliveries.c.message_id)
        by_state = by_state.where(of_campaign)
    total: int = connection.execute(queued).scalar_one()
    counts = {str(state): int(number) for state, number in connection.execute(by_state)}
    counts[_WAITING] = total - sum(n for state, n in counts.items() if state != _WAITING)
    return MailReport(queued=total, **counts)


_STANDING = sa.select(
    t.messages,
    deliveries.c.state,
    deliveries.c.address,
    deliveries.c.attempts,
    deliveries.c.detail,
    deliveries.c.at.label("since"),
).select_from(t.messages.outerjoin(deliveries, deliveries.c.message_id == t.messages.c.id))


def messages(
    connection: Connection, state: DeliveryState | None, page: int, per_page: int
) -> MessagePage:
    """Return one page of messages, newest first."""
    if page < 1:
        raise InvalidInput("page", "begins at 1")
    if not 1 <= per_page <= MAX_PER_PAGE:
        raise InvalidInput("per_page", f"is between 1 and {MAX_PER_PAGE}")
    found = _STANDING
    if state is _WAITING:
        found = found.where(sa.or_(deliveries.c.state.is_(None), deliveries.c.state == state))
    elif state is not None:
        found = found.where(deliveries.c.state == state)
    total: int = connection.execute(
        sa.select(sa.func.count()).select_from(found.with_only_columns(t.messages.c.id).subquery())
    ).scalar_one()
    skip = (page - 1) * per_page
    if skip >= total:
        return MessagePage(items=(), total=total)
    rows = connection.execute(
        found.order_by(t.messages.c.id.desc()).limit(per_page).offset(skip)
    ).all()
    return MessagePage(items=tuple(map(_standing, rows)), total=total)


def message(connection: Connection, message_id: int) -> QueuedMessage:
    """Return the message, or raise `NotFound`."""
    wanted = _STANDING.where(t.messages.c.id == message_id)
    found = storable([message_id]) and connection.execute(wanted).first()
    if not found:
        raise NotFound("message", message_id)
    return _standing(found)


def _standing(found: Any) -> QueuedMessage:
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


def customer_at(connection: Connection, address: str) -> str | None:
    """Return who is written to at this address; None for nobody, or more than one."""
    here = sa.select(t.customers.c.id).where(sa.func.lower(t.customers.c.email) == address.lower())
    found = connection.scalars(here.limit(2)).all()
    return found[0] if len(found) == 1 else None


def told(
    connection: Connection, customers: Iterable[str], topics: Iterable[str]
) -> dict[str, list[str]]:
    """Return which of these topics each of these customers was told of, in order."""
    found: dict[str, list[str]] = {}
    column, wanted = t.messages.c.customer, sorted(topics)
    for people in chunks(customers):
        for about in chunks(wanted):
            some = sa.select(column, t.messages.c.topic)
            some = some.where(column.in_(people), t.messages.c.topic.in_(about))
            for customer, topic in connection.execute(some):
                found.setdefault(customer, []).append(topic)
    return {customer: sorted(each) for customer, each in sorted(found.items())}
