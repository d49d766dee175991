"""A draft for a person who answers a ticket: what the agent would write if it were sure."""

from datetime import datetime

from storecrew.agents.support.agent import certain
from storecrew.agents.support.answers import Escalation, answered
from storecrew.agents.support.settings import SupportSettings
from storecrew.agents.support.tickets import customer_of, question_of
from storecrew.agents.support.wording import letter
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import StoreView
from storecrew.domain.shop.support import Ticket


async def draft(
    store: StoreView, models: Models, now: datetime, ticket: Ticket, settings: SupportSettings
) -> str:
    """Return an answer for a person to read and change; nothing of it is sent or done."""
    (intent,) = models.classify_intents([ticket.text])
    customer = await customer_of(store, ticket)
    question = await question_of(store, now, ticket, customer, settings)
    reply = answered(certain(ticket, intent).name, question)
    parts = ("...",) if isinstance(reply, Escalation) else reply.parts
    return letter(question.locale, customer.name if customer else "", *parts)
