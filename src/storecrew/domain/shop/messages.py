"""Messages to customers, and the state of their delivery."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storecrew.domain.actions import Action
from storecrew.domain.events import Event

MESSAGE_ID = re.compile(r"<[\x21-\x3b=\x3f-\x7e]{1,300}>")
"""A mail's Message-ID: printable ASCII between angle brackets, fit for a header as it is."""

MARKETING = "marketing"
PURPOSES = ("service", MARKETING)
"""Why a message is sent; only customers who agreed get one of marketing."""


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
class LiftSuppression(Action):
    """Write to a suppressed address again, because a person knows better."""

    address: str

    @property
    def subject(self) -> str:
        """The address."""
        return f"address:{self.address}"


@dataclass(frozen=True, kw_only=True)
class Suppression:
    """An address that is written to no more, and why."""

    address: str
    reason: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class SuppressionPage:
    """One page of suppressed addresses and how many there are in all."""

    items: tuple[Suppression, ...]
    total: int


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
class OutgoingEmail:
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
class DeliveryResult:
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


@dataclass(frozen=True, kw_only=True)
class SendMessage(Action):
    """Queue one message to a customer."""

    customer: str
    purpose: str
    """`service` (about an order) or `marketing` (needs consent)."""
    title: str
    body: str
    topic: str = ""
    """What it is about, such as `order:7:approved`: a customer is told of one topic once. Empty
    for what may be said again."""

    @property
    def subject(self) -> str:
        """The customer, and what is told: two topics are two questions to the owner."""
        return f"customer:{self.customer}" + (f":{self.topic}" if self.topic else "")


@dataclass(frozen=True, kw_only=True)
class MessageQueued(Event):
    """A message to a customer waits to be sent."""

    customer: str
    purpose: str
    message_id: int = 0
    """0 in events of before messages were numbered."""
    topic: str = ""


@dataclass(frozen=True, kw_only=True)
class MailReceived(Event):
    """A customer wrote an order, as `Name:quantity, …`."""

    mail: str
    customer: str | None = None
