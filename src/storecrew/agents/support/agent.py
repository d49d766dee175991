"""Answering customers: sure and within the shop's settings, or not at all."""

from collections.abc import Sequence
from datetime import timedelta

from storecrew.agents.support.alarms import alarm
from storecrew.agents.support.answers import CustomerQuestion, Escalation, TicketReply, answered
from storecrew.agents.support.plain_questions import plain_question
from storecrew.agents.support.settings import SupportSettings
from storecrew.agents.support.tickets import customer_of, question_of
from storecrew.agents.support.wording import letter
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.errors import NotFound
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.models import Intent
from storecrew.domain.shop.payments import Refund
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.domain.shop.support import (
    EscalateTicket,
    ReplyToTicket,
    Ticket,
    TicketOpened,
    TicketStatus,
)
from storecrew.sdk import Context, Effect, Proposal, Proposals, agent, every

_QUOTED = 300
"""Characters of the customer's words that the owner is shown."""


@agent(
    name="customer_support",
    on=TicketOpened,
    schedule=every(hours=1),
    allowed_actions=[ReplyToTicket, EscalateTicket, AcceptReturn, Refund],
    batch=50,
    batch_window=timedelta(seconds=1),
    priority=15,
    settings=SupportSettings,
    capabilities=["support"],
    tags=["care"],
)
async def customer_support(events: Sequence[Event], ctx: Context[SupportSettings]) -> Proposals:
    """Answer what customers ask where that is sure, and hand the rest to a person.

    What a customer writes is weighed as text and nothing else: it names a question, and never
    what may be done. An answer holds the shop's own sentences and the customer's own order.
    """
    settings = ctx.settings
    tickets = await _waiting(ctx, events, settings)
    intents = ctx.models.classify_intents([ticket.text for ticket in tickets]) if tickets else ()
    for ticket, intent in zip(tickets, intents, strict=True):
        for proposal in await _handled(ctx, ticket, certain(ticket, intent), settings):
            yield proposal


def certain(ticket: Ticket, intent: Intent) -> Intent:
    """Return the model's intent, or a plain question's where the model is not sure."""
    plain = "" if intent.sure else plain_question(ticket.text)
    return Intent(name=plain, probability=1.0, sure=True, known=True) if plain else intent


async def _waiting(
    ctx: Context[SupportSettings], events: Sequence[Event], settings: SupportSettings
) -> list[Ticket]:
    """Return tickets that wait for an answer: the new ones, and now and then forgotten ones."""
    names = dict.fromkeys(e.ticket_id for e in events if isinstance(e, TicketOpened))
    found: dict[str, Ticket] = {}
    for name in names:
        try:
            found[name] = await ctx.store.ticket(name)
        except NotFound:
            continue  # somebody spoke of a ticket that the shop does not have
    due = [event.due for event in events if isinstance(event, ClockTicked)]
    if due or any(isinstance(event, RunRequested) for event in events):
        for ticket in await ctx.store.tickets(status=TicketStatus.OPEN):
            age = (due[-1] if due else ctx.now) - ticket.updated_at
            if not due or _is_watched(age, settings):
                found[ticket.id] = ticket
    return [ticket for ticket in found.values() if ticket.status is TicketStatus.OPEN]


def _is_watched(age: timedelta, settings: SupportSettings) -> bool:
    """Tell whether this is the hour in which an open ticket is looked at (again)."""
    hours = age / timedelta(hours=1) - settings.stalled_hours
    return hours >= 0 and not int(hours) % max(1, int(settings.recheck_hours))


async def _handled(
    ctx: Context[SupportSettings], ticket: Ticket, intent: Intent, settings: SupportSettings
) -> list[Proposal]:
    if reason := _needs_a_person(ticket, intent, settings):
        return [_escalated(ticket, intent, reason)]
    customer = await customer_of(ctx.store, ticket)
    question = await question_of(ctx.store, ctx.now, ticket, customer, settings)
    reply = answered(intent.name, question)
    if isinstance(reply, Escalation):
        return [_escalated(ticket, intent, reply.reason)]
    text = letter(question.locale, customer.name if customer else "", *reply.parts)
    return [*_actions(question, intent, reply), _replied(question, intent, reply, text)]


def _needs_a_person(ticket: Ticket, intent: Intent, settings: SupportSettings) -> str:
    """Return why a template must not answer; empty where it may."""
    if found := alarm(ticket.text):
        return f"the customer's text {found}"
    if len(ticket.replies) >= settings.max_answers:
        return "the customer wrote again after an answer"
    if not intent.known:
        return "the question is like none that examples were given of"
    return "" if intent.sure else f"not sure that it is about {intent.name}"


def _escalated(ticket: Ticket, intent: Intent, reason: str) -> Proposal:
    return Proposal(
        action=EscalateTicket(ticket_id=ticket.id, reason=reason),
        reason=f"A person should answer: {reason}.",
        evidence={**_intent(intent), "customer_writes": ticket.text[:_QUOTED]},
    )


def _replied(question: CustomerQuestion, intent: Intent, said: TicketReply, text: str) -> Proposal:
    ticket = question.ticket
    return Proposal(
        action=ReplyToTicket(ticket_id=ticket.id, text=text, expected_text=ticket.text),
        reason=f"It is surely about {intent.name.replace('_', ' ')}, and the terms answer it.",
        evidence=_evidence(question, intent, said),
    )


def _actions(question: CustomerQuestion, intent: Intent, said: TicketReply) -> list[Proposal]:
    if said.action is None or question.order is None:
        return []
    cost = (
        -question.order.paid
        if question.order.paid.amount > 0
        else Money.of(0, question.order.paid.currency)
    )
    return [
        Proposal(
            action=said.action,
            reason="The customer asked for it, and the shop's terms allow it.",
            evidence=_evidence(question, intent, said),
            effect=Effect(low=cost, expected=cost, high=cost),
        )
    ]


def _evidence(
    question: CustomerQuestion, intent: Intent, said: TicketReply
) -> dict[str, str | float | int]:
    paragraph = question.settings.paragraph(said.paragraph, question.locale)
    shown: dict[str, str | float | int] = {
        **_intent(intent),
        "rests_on": f"{said.paragraph}: {paragraph}",
        "language": question.locale,
        "customer_writes": question.ticket.text[:_QUOTED],
    }
    if (order := question.order) is not None:
        shown |= {
            "order": order.id,
            "order_status": order.status.value,
            "order_total": str(order.total),
            "order_paid": str(order.paid),
            "order_since": order.updated_at.isoformat(),
        }
    return shown


def _intent(intent: Intent) -> dict[str, str | float]:
    return {"intent": intent.name or "unknown", "certainty": round(intent.probability, 3)}
