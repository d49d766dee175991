"""The post box over the ledger: each call one transaction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.engine import Connection

from storecrew.database import Database, reading
from storecrew.domain.ports.clock import Clock
from storecrew.domain.shop.messages import (
    DeliveryResult,
    OutgoingEmail,
)
from storecrew.stores.sql import message_delivery
from storecrew.stores.sql.queries import messages as queries

T = TypeVar("T")

_SETTLE = timedelta(hours=1)
"""After so long no transaction of before is still under way: numbers have no gaps left to fill."""
_LOOK_BACK = timedelta(minutes=1)
"""How often messages are looked for from the last settled one on."""


@dataclass
class _Position:
    """How far messages are known to be taken out, so that a claim need not look at all of them."""

    last: int = 0
    settled: int = 0
    looked_back: datetime | None = None

    def looks_back(self, now: datetime) -> bool:
        """Tell whether it is time to look again at what is not settled.

        On Postgres a message may be committed after one with a higher number.
        """
        if self.looked_back is not None and timedelta(0) <= now - self.looked_back < _LOOK_BACK:
            return False
        self.looked_back = now
        return True


@dataclass(frozen=True)
class SqlMessageQueue:
    """Implements `domain.ports.messages.MessageQueue` over the ledger's tables."""

    database: Database
    clock: Clock
    _reached: _Position = field(default_factory=_Position, init=False, repr=False, compare=False)

    async def claim(
        self, limit: int, *, marketing: bool = True, stale: timedelta | None = None
    ) -> Sequence[OutgoingEmail]:
        """Take out up to so many letters that are due; they stand as being sent when this ends."""
        now, reached = self.clock.now(), self._reached
        if looks_back := reached.looks_back(now):
            reached.last = reached.settled
        letters, last = await self._write(
            message_delivery.claim, limit, now, after=reached.last, marketing=marketing, stale=stale
        )
        if marketing:  # nothing before it was left waiting
            reached.last = last
            if looks_back:
                before = now - _SETTLE
                old = await self.database.read(partial(message_delivery.settled, before=before))
                reached.settled = min(last, old)
        return letters

    async def record(self, results: Sequence[DeliveryResult]) -> None:
        """Write down what became of letters; what a later attempt found is left alone."""
        await self._write(message_delivery.record, results, self.clock.now())

    async def recover(self, before: datetime) -> int:
        """Call unknown what is being sent since before then."""
        return await self._write(message_delivery.recover, before, self.clock.now())

    report = reading(queries.report)
    messages = reading(queries.messages)
    message = reading(queries.message)
    suppressions = reading(queries.suppressions)
    find_customer_by_email = reading(queries.find_customer_by_email)

    async def retry(self, message_id: int, *, by: str) -> None:
        """Let a message wait again because a person says so."""
        await self._write(message_delivery.retry, message_id, self.clock.now(), by=by)

    async def bounced(self, message_id: int, reason: str) -> str | None:
        """Call a sent message failed because it came back; return where it was sent."""
        return await self._write(message_delivery.bounced, message_id, reason, self.clock.now())

    async def _write(self, work: Callable[..., T], *arguments: object, **named: object) -> T:
        def attempt(connection: Connection) -> T:
            return work(connection, *arguments, **named)

        return await self.database.write(attempt)
