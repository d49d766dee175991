"""Support tickets: customers' questions and the answers to them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storecrew.domain.actions import Action
from storecrew.domain.events import Event


class TicketStatus(StrEnum):
    """Where a ticket stands."""

    OPEN = "open"
    ANSWERED = "answered"
    """The customer has an answer, and may write again."""
    ESCALATED = "escalated"
    """A person has to look."""
    CLOSED = "closed"


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A customer's question and what was answered."""

    id: str
    status: TicketStatus
    text: str
    """The newest words of the customer."""
    customer: str | None = None
    order_id: int | None = None
    channel: str = "api"
    """`mail`, `api` or `webhook`."""
    contact: str | None = None
    """Address at which someone who is no customer is answered."""
    escalation: str | None = None
    """Why a person has to look, of a ticket that was escalated."""
    opened_at: datetime
    updated_at: datetime
    replies: tuple[str, ...] = ()
    """What the shop answered, oldest first."""
    rating: int | None = None
    """1 (bad) to 5 (good), as the customer rated the answer."""


@dataclass(frozen=True, kw_only=True)
class _OnTicket(Action):
    ticket_id: str

    @property
    def subject(self) -> str:
        """The ticket."""
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class OpenTicket(_OnTicket):
    """Note a customer's question; on a ticket that is known, what the customer wrote since."""

    text: str
    customer: str | None = None
    order_id: int | None = None
    channel: str = "api"
    contact: str = ""
    """Address at which someone who is no customer is answered; a customer's own is in the books."""
    reference: str = ""
    """Message-ID of the mail that it came by, which the answer then refers to."""


@dataclass(frozen=True, kw_only=True)
class ReplyToTicket(_OnTicket):
    """Answer the customer, with one message; the same ticket is not answered twice in a row."""

    text: str
    expected_text: str = ""
    """The customer's words that this answers; others meanwhile make the answer stale."""


@dataclass(frozen=True, kw_only=True)
class EscalateTicket(_OnTicket):
    """Hand the ticket to a person."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class CloseTicket(_OnTicket):
    """Call the question settled."""


@dataclass(frozen=True, kw_only=True)
class RateTicket(_OnTicket):
    """Record how the customer liked the answer: 1 (bad) to 5 (good)."""

    rating: int


@dataclass(frozen=True, kw_only=True)
class TicketOpened(Event):
    """A customer asked something."""

    ticket_id: str
    text: str
    customer: str | None = None
    order_id: int | None = None

    @property
    def subject(self) -> str:
        """The ticket."""
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class _OfTicket(Event):
    ticket_id: str

    @property
    def subject(self) -> str:
        """The ticket."""
        return f"ticket:{self.ticket_id}"


@dataclass(frozen=True, kw_only=True)
class TicketAnswered(_OfTicket):
    """A customer was answered."""

    customer: str | None = None


@dataclass(frozen=True, kw_only=True)
class TicketEscalated(_OfTicket):
    """A person has to look at a ticket."""

    reason: str


@dataclass(frozen=True, kw_only=True)
class TicketRated(_OfTicket):
    """A customer rated an answer: 1 (bad) to 5 (good)."""

    rating: int
