"""What passes between the shop and its customers: tickets, consent, wishes, suppressed addresses.

Values as a store keeps them, and the actions that change them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from storecrew.domain.actions import Action

MESSAGE_ID = re.compile(r"<[\x21-\x3b=\x3f-\x7e]{1,300}>")
"""A mail's Message-ID: printable ASCII between angle brackets, fit for a header as it is."""


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
    reference: str = ""
    """Message-ID of the mail that it came by, which the answer then refers to."""


@dataclass(frozen=True, kw_only=True)
class ReplyToTicket(_OnTicket):
    """Answer the customer, with one message; the same ticket is not answered twice in a row."""

    text: str
    expect: str = ""
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
class PutCustomer(Action):
    """Enter a customer, or change what is known of one; consent to marketing is set apart."""

    customer: str
    name: str
    email: str | None = None
    locale: str = "en"

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class SetConsent(Action):
    """Record whether the customer agrees to marketing; an opt-out holds at once."""

    customer: str
    marketing: bool

    @property
    def subject(self) -> str:
        """The customer."""
        return f"customer:{self.customer}"


@dataclass(frozen=True, kw_only=True)
class SuppressAddress(Action):
    """Write to this address no more: it does not exist, or its owner complained."""

    address: str
    reason: str

    @property
    def subject(self) -> str:
        """The address."""
        return f"address:{self.address}"


@dataclass(frozen=True, kw_only=True)
class WatchStock(Action):
    """Tell the customer once when the product can be bought again."""

    customer: str
    sku: str

    @property
    def subject(self) -> str:
        """The product."""
        return f"product:{self.sku}"


class DeliveryState(StrEnum):
    """What became of a queued message."""

    WAITING = "waiting"
    SENDING = "sending"
    """Handed to the mail server just now, or when the process died: then nobody knows."""
    SENT = "sent"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    """Not sent: no address, opted out meanwhile, or the address is suppressed."""
    UNKNOWN = "unknown"
    """The server may have it. It is never sent again by itself; a person looks."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """One queued message, ready to be sent."""

    message_id: int
    customer: str
    address: str
    name: str
    locale: str
    purpose: str
    title: str
    body: str
    queued_at: datetime
    topic: str = ""
    campaign: str = ""
    answers: str = ""
    """Message-ID of the customer's mail that it answers; empty where it answers none."""
    attempt: int = 1
    """How often it was taken out to be sent, this time counted."""


@dataclass(frozen=True, kw_only=True)
class Delivered:
    """What became of a letter that was taken out to be sent."""

    message_id: int
    attempt: int
    """Of the letter it is about: what a later attempt found stands."""
    state: DeliveryState
    detail: str = ""
    due_at: datetime | None = None
    """When a letter that waits again may be tried again."""
    tried: bool = True
    """False where nobody tried after all: the attempt does not count."""


@dataclass(frozen=True, kw_only=True)
class QueuedMessage:
    """A message to a customer, and where its delivery stands."""

    message_id: int
    customer: str
    purpose: str
    title: str
    body: str
    queued_at: datetime
    topic: str = ""
    campaign: str = ""
    state: DeliveryState = DeliveryState.WAITING
    address: str = ""
    """Where it was sent; empty before anybody tried."""
    attempts: int = 0
    detail: str = ""
    at: datetime | None = None
    """When the state was entered; of one that waits again, when it is tried next."""


@dataclass(frozen=True, kw_only=True)
class MailReport:
    """How many messages stand where. The states add up to what was queued."""

    queued: int
    waiting: int = 0
    sending: int = 0
    sent: int = 0
    failed: int = 0
    suppressed: int = 0
    unknown: int = 0


@dataclass(frozen=True, kw_only=True)
class MessagePage:
    """One page of messages and how many there are in all."""

    items: tuple[QueuedMessage, ...]
    total: int


class PostBox(Protocol):
    """Where queued messages wait, and where it is written down what became of each."""

    async def claim(
        self, limit: int, *, marketing: bool = True, stale: timedelta | None = None
    ) -> Sequence[Letter]:
        """Take out up to so many messages that are due, oldest first.

        Consent, suppressed addresses and the address itself are looked at in the same transaction;
        what must not be sent is written down as suppressed and not returned. What is returned
        stands as being sent before this call ends: whoever dies now leaves it unknown, not unsent.
        `marketing=False` leaves marketing waiting; messages older than `stale` are not sent.
        """
        ...

    async def record(self, results: Sequence[Delivered]) -> None:
        """Write down what became of letters; what a later attempt found is left alone."""
        ...

    async def recover(self, before: datetime) -> int:
        """Call unknown what is being sent since before then: whoever sent it is gone."""
        ...

    async def report(self, campaign: str | None = None) -> MailReport:
        """Count messages by state, all or those of one campaign."""
        ...

    async def messages(
        self, *, state: DeliveryState | None = None, page: int = 1, per_page: int = 50
    ) -> MessagePage:
        """Return one page of messages in this state (all when None), newest first."""
        ...

    async def message(self, message_id: int) -> QueuedMessage:
        """Return the message, or raise `NotFound`."""
        ...

    async def retry(self, message_id: int, *, by: str) -> None:
        """Let a message that failed, was suppressed or is unknown wait again, because a person
        says so. Raises `NotFound`, or `InvalidInput` where it waits or was sent."""
        ...

    async def bounced(self, message_id: int, reason: str) -> str | None:
        """Call a sent message failed because it came back; return where it was sent, if it was."""
        ...

    async def customer_at(self, address: str) -> str | None:
        """Return who is written to at this address; None for nobody, or more than one."""
        ...
