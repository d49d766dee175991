"""The action that writes to customers: a message waits in its table to be sent."""

from storecrew.domain.actions import SendMessage
from storecrew.domain.events import MessageQueued
from storecrew.stores.sql import tables as t
from storecrew.stores.sql.answers import Answer, done, invalid, refused, unknown
from storecrew.stores.sql.unit import Unit

MARKETING = "marketing"
PURPOSES = ("service", MARKETING)
_LONGEST = 100_000


def send_message(unit: Unit, action: SendMessage) -> Answer:
    """Queue the message; marketing needs the customer's consent."""
    if action.purpose not in PURPOSES:
        return invalid("purpose", f"{action.purpose!r} is not one of {', '.join(PURPOSES)}")
    if len(action.title) + len(action.body) > _LONGEST:
        return invalid("body", f"is longer than {_LONGEST} characters")
    if (consent := unit.consents.get(action.customer)) is None:
        return unknown("customer", action.customer)
    if action.purpose == MARKETING and not consent:
        return refused("invalid", f"customer {action.customer!r} gave no consent to marketing")
    words = {"purpose": action.purpose, "title": action.title, "body": action.body}
    unit.add(t.messages, {"customer": action.customer, **words, "at": unit.now})
    unit.publish(MessageQueued(customer=action.customer, purpose=action.purpose))
    return done(detail={"customer": action.customer})
