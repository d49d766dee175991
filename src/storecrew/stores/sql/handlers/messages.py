"""Handlers of messages to customers, which wait to be sent, and of suppressed addresses."""

import sqlalchemy as sa

from storecrew.domain.shop.messages import (
    MARKETING,
    PURPOSES,
    LiftSuppression,
    MessageQueued,
    SendMessage,
    SuppressAddress,
)
from storecrew.stores.sql.checks import bad_name
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

LONGEST = 100_000
"""Characters of a title and a body together."""
_LONGEST_TOPIC = 300
_BACK = "back:"
"""What begins the topic of a message that answers a wish to be told."""
_NEW_MESSAGE = sa.insert(t.messages).returning(t.messages.c.id)
_TOLD = sa.select(t.messages.c.id).where(
    t.messages.c.customer == sa.bindparam("to"), t.messages.c.topic == sa.bindparam("about")
)


def send_message(unit: UnitOfWork, action: SendMessage) -> HandlerResult:
    """Queue the message; marketing needs the customer's consent, and a topic is told once."""
    if action.purpose not in PURPOSES:
        return invalid("purpose", f"{action.purpose!r} is not one of {', '.join(PURPOSES)}")
    if len(action.title) + len(action.body) > LONGEST or len(action.topic) > _LONGEST_TOPIC:
        return invalid("body", f"is longer than {LONGEST} characters")
    if (consent := unit.consents.get(action.customer)) is None:
        return unknown("customer", action.customer)
    if action.purpose == MARKETING and not consent:
        return refused("invalid", f"customer {action.customer!r} gave no consent to marketing")
    if action.topic and _was_told(unit, action.customer, action.topic):
        return refused("already_sent", f"{action.customer!r} was told of {action.topic!r}")
    number = queue(unit, action)
    if action.topic.startswith(_BACK):
        _fulfil_subscription(unit, action)
    return done(detail={"customer": action.customer, "message_id": number})


def queue(
    unit: UnitOfWork,
    message: SendMessage,
    *,
    answers: str | None = None,
    recipient: str | None = None,
) -> int:
    """Put a message to the others that wait, and return its number.

    `answers` is the Message-ID of the customer's mail that it answers; `recipient` the address of
    someone who is no customer.
    """
    customer, purpose, topic = message.customer, message.purpose, message.topic
    words = {"customer": customer, "purpose": purpose, "title": message.title, "body": message.body}
    rest = {"at": unit.now, "topic": topic or None, "campaign": None, "answers": answers}
    rest["recipient"] = recipient
    number = unit.insert(_NEW_MESSAGE, words | rest)
    unit.publish(MessageQueued(customer=customer, purpose=purpose, message_id=number, topic=topic))
    return number


def _was_told(unit: UnitOfWork, customer: str, topic: str) -> bool:
    here = {"to": customer, "about": topic}
    return unit.connection.execute(_TOLD, here).first() is not None


def _fulfil_subscription(unit: UnitOfWork, action: SendMessage) -> None:
    """Delete the subscription that this message fulfils: `back:<sku>:<anything>`."""
    sku = action.topic.removeprefix(_BACK).rpartition(":")[0]
    here = (
        t.back_in_stock_subscriptions.c.product == sku,
        t.back_in_stock_subscriptions.c.customer == action.customer,
    )
    unit.connection.execute(sa.delete(t.back_in_stock_subscriptions).where(*here))


def suppress_address(unit: UnitOfWork, action: SuppressAddress) -> HandlerResult:
    """Keep the first reason why an address is written to no more."""
    address = action.address.strip().lower()
    if bad := bad_name("address", address) or bad_name("reason", action.reason):
        return bad
    if "@" not in address:
        return invalid("address", f"{address!r} is no mail address")
    here = t.suppressions.c.address == address
    if unit.connection.execute(sa.select(t.suppressions.c.reason).where(here)).first() is None:
        row = {"address": address, "reason": action.reason, "at": unit.now}
        unit.connection.execute(sa.insert(t.suppressions), row)
    return done(after={"address": address})


def lift_suppression(unit: UnitOfWork, action: LiftSuppression) -> HandlerResult:
    """Delete the address from those that are written to no more."""
    address = action.address.strip().lower()
    here = t.suppressions.c.address == address
    reason = unit.connection.scalar(sa.select(t.suppressions.c.reason).where(here))
    if reason is None:
        return unknown("suppressed address", address)
    unit.connection.execute(sa.delete(t.suppressions).where(here))
    return done(before={"address": address, "reason": reason})
