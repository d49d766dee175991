"""The queue of messages to customers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

from storecrew.domain.shop.messages import (
    DeliveryResult,
    DeliveryState,
    MailReport,
    MessagePage,
    OutgoingEmail,
    QueuedMessage,
    SuppressionPage,
)


class MessageQueue(Protocol):
    """Where queued messages wait, and where it is written down what became of each."""

    async def claim(
        self, limit: int, *, marketing: bool = True, stale: timedelta | None = None
    ) -> Sequence[OutgoingEmail]:
        """Take out up to so many messages that are due, oldest first.

        Consent, suppressed addresses and the address itself are looked at in the same transaction;
        what must not be sent is written down as suppressed and not returned. What is returned
        stands as being sent before this call ends: whoever dies now leaves it unknown, not unsent.
        `marketing=False` leaves marketing waiting; messages older than `stale` are not sent.
        """
        ...

    async def record(self, results: Sequence[DeliveryResult]) -> None:
        """Write down what became of letters; what a later attempt found is left alone."""
        ...

    async def recover(self, before: datetime) -> int:
        """Mark as unknown what is being sent since before then: its sender is gone."""
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

    async def suppressions(self, *, page: int = 1, per_page: int = 50) -> SuppressionPage:
        """Return one page of the addresses that are written to no more, the newest first."""
        ...

    async def find_customer_by_email(self, address: str) -> str | None:
        """Return the customer with this address; None for no customer, or several."""
        ...
