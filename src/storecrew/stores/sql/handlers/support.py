"""Handlers of support tickets."""

from typing import Any

import sqlalchemy as sa

from storecrew.domain.shop.messages import MESSAGE_ID, SendMessage
from storecrew.domain.shop.support import (
    CloseTicket,
    EscalateTicket,
    OpenTicket,
    RateTicket,
    ReplyToTicket,
    TicketAnswered,
    TicketEscalated,
    TicketOpened,
    TicketRated,
    TicketStatus,
)
from storecrew.stores.sql.checks import bad_name
from storecrew.stores.sql.handler_result import HandlerResult, done, invalid, refused, unknown
from storecrew.stores.sql.handlers.messages import LONGEST, queue
from storecrew.stores.sql.schema import tables as t
from storecrew.stores.sql.unit_of_work import UnitOfWork

CHANNELS = ("api", "mail", "webhook")
_LONGEST_QUESTION = 20_000
_LARGEST_ID = 2**63 - 1


def open_ticket(unit: UnitOfWork, action: OpenTicket) -> HandlerResult:
    """Note the question; a known ticket is open again with the customer's newest words."""
    if bad := _bad_ticket(unit, action):
        return bad
    row = {"status": TicketStatus.OPEN.value, "text": action.text, "updated_at": unit.now}
    row |= {"reference": action.reference or None, "escalation": None}
    known = _ticket(unit, action.ticket_id)
    if known is None:
        who = {"customer": action.customer, "order_id": action.order_id, "rating": None}
        who["contact"] = action.contact or None
        new = {"id": action.ticket_id, "channel": action.channel, "opened_at": unit.now}
        unit.connection.execute(sa.insert(t.tickets), row | who | new)
    elif known.customer != action.customer:
        return refused("invalid", f"ticket {action.ticket_id!r} is another customer's")
    else:
        _change(unit, action.ticket_id, **row)
    unit.publish(
        TicketOpened(
            ticket_id=action.ticket_id,
            text=action.text,
            customer=action.customer,
            order_id=action.order_id if known is None else known.order_id,
        )
    )
    return done(detail={"ticket_id": action.ticket_id, "status": TicketStatus.OPEN.value})


def _bad_ticket(unit: UnitOfWork, action: OpenTicket) -> HandlerResult | None:
    if bad := bad_name("ticket_id", action.ticket_id):
        return bad
    if not 1 <= len(action.text.strip()) <= _LONGEST_QUESTION:
        return invalid("text", f"has 1 to {_LONGEST_QUESTION} characters, not all blank")
    if action.channel not in CHANNELS:
        return invalid("channel", f"{action.channel!r} is not one of {', '.join(CHANNELS)}")
    if action.reference and not MESSAGE_ID.fullmatch(action.reference):
        return invalid("reference", f"{action.reference[:80]!r} is no Message-ID")
    if action.order_id is not None and not 0 < action.order_id <= _LARGEST_ID:
        return unknown("order", action.order_id)
    if action.contact and ("@" not in action.contact or bad_name("contact", action.contact)):
        return invalid("contact", f"{action.contact[:80]!r} is no mail address")
    if action.customer is not None and action.customer not in unit.consents:
        return unknown("customer", action.customer)
    return None


def reply_to_ticket(unit: UnitOfWork, action: ReplyToTicket) -> HandlerResult:
    """Answer the words that the answer was written for, with one message to the customer."""
    if (ticket := _ticket(unit, action.ticket_id)) is None:
        return unknown("ticket", action.ticket_id)
    if not 1 <= len(action.text.strip()) <= LONGEST:
        return invalid("text", f"has 1 to {LONGEST} characters, not all blank")
    if ticket.status not in (TicketStatus.OPEN, TicketStatus.ESCALATED):
        return refused("stale", f"ticket {ticket.id!r} is {ticket.status} already")
    if action.expected_text and action.expected_text != ticket.text:
        return refused("stale", f"the customer wrote again on ticket {ticket.id!r}")
    replies = sa.select(sa.func.count()).where(t.ticket_replies.c.ticket_id == ticket.id)
    number = int(unit.connection.execute(replies).scalar_one()) + 1
    row = {"ticket_id": ticket.id, "text": action.text, "at": unit.now}
    unit.connection.execute(sa.insert(t.ticket_replies), row)
    _change(unit, ticket.id, status=TicketStatus.ANSWERED.value, updated_at=unit.now)
    letter = _queue_letter(unit, ticket, action.text, number)
    unit.publish(TicketAnswered(ticket_id=ticket.id, customer=ticket.customer))
    return _moved(ticket, TicketStatus.ANSWERED, **letter)


def _queue_letter(unit: UnitOfWork, ticket: Any, text: str, number: int) -> dict[str, object]:
    """Queue the answer as a letter; return its number, or why there is none."""
    if ticket.customer is None and not ticket.contact:
        return {"no_letter": "the ticket names no customer and no address"}
    message = SendMessage(
        customer=ticket.customer or "",
        purpose="service",
        title=f"Re: {_first_words(ticket.text)}",
        body=text,
        topic=f"ticket:{ticket.id}:{number}",
    )
    recipient = None if ticket.customer else ticket.contact
    letter = queue(unit, message, answers=ticket.reference, recipient=recipient)
    if recipient is None and not (unit.connection.scalar(_EMAIL, {"id": ticket.customer}) or ""):
        return {"message_id": letter, "no_letter": "the customer has no address"}
    return {"message_id": letter}


_EMAIL = sa.select(t.customers.c.email).where(t.customers.c.id == sa.bindparam("id"))


def _first_words(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:57].rsplit(" ", 1)[0] + " ..."


def escalate_ticket(unit: UnitOfWork, action: EscalateTicket) -> HandlerResult:
    """Leave the ticket to a person."""
    if (ticket := _ticket(unit, action.ticket_id)) is None:
        return unknown("ticket", action.ticket_id)
    if ticket.status != TicketStatus.OPEN:
        return refused("stale", f"ticket {ticket.id!r} is {ticket.status} already")
    status = TicketStatus.ESCALATED.value
    _change(unit, ticket.id, status=status, escalation=action.reason, updated_at=unit.now)
    unit.publish(TicketEscalated(ticket_id=ticket.id, reason=action.reason))
    return _moved(ticket, TicketStatus.ESCALATED)


def close_ticket(unit: UnitOfWork, action: CloseTicket) -> HandlerResult:
    """Call it settled, wherever it stands."""
    if (ticket := _ticket(unit, action.ticket_id)) is None:
        return unknown("ticket", action.ticket_id)
    _change(unit, ticket.id, status=TicketStatus.CLOSED.value, updated_at=unit.now)
    return _moved(ticket, TicketStatus.CLOSED)


def rate_ticket(unit: UnitOfWork, action: RateTicket) -> HandlerResult:
    """Keep the newest rating."""
    if not 1 <= action.rating <= 5:
        return invalid("rating", f"{action.rating} is not between 1 and 5")
    if (ticket := _ticket(unit, action.ticket_id)) is None:
        return unknown("ticket", action.ticket_id)
    _change(unit, ticket.id, rating=action.rating, updated_at=unit.now)
    unit.publish(TicketRated(ticket_id=ticket.id, rating=action.rating))
    return done(before={"rating": ticket.rating}, after={"rating": action.rating})


def _ticket(unit: UnitOfWork, ticket_id: str) -> Any:
    return unit.connection.execute(_TICKET, {"ticket_id": ticket_id}).first()


_TICKET = sa.select(t.tickets).where(t.tickets.c.id == sa.bindparam("ticket_id")).with_for_update()


def _change(unit: UnitOfWork, ticket_id: str, **values: object) -> None:
    unit.connection.execute(sa.update(t.tickets).where(t.tickets.c.id == ticket_id).values(values))


def _moved(ticket: Any, status: TicketStatus, **detail: object) -> HandlerResult:
    after = {"status": status.value}
    before = {"status": ticket.status}
    return done(before=before, after=after, detail={"ticket_id": ticket.id, **detail})
