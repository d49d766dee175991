"""A shop that answers late, twice, or not at all, in front of the real ledger."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.errors import OutcomeUnknown, StorageBusy
from storecrew.stores.sql import SqlStore
from storecrew.testing.simulation.faults import Faults


@dataclass(frozen=True)
class FaultyStore:
    """Implements the `Store` port by delegation, and misbehaves as its faults decide.

    A call may be refused before it acts, may act and then time out, or act twice under its key,
    as an impatient proxy does. The outbox may be empty for a while, end early, or repeat itself.
    """

    store: SqlStore
    faults: Faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    async def apply(self, action: Action, *, key: str, actor: str = "system") -> Outcome:
        """Act, perhaps after or before a fault."""
        return (await self.apply_batch([Command(key=key, action=action, actor=actor)]))[0]

    async def apply_batch(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        """Act, perhaps after or before a fault."""
        if self.faults.trouble():
            raise StorageBusy("orders")
        outcomes = await self.send(batch)
        if self.faults.trouble():
            outcomes = await self.send(batch)
        if self.faults.trouble():
            raise OutcomeUnknown(batch[0].key)
        return outcomes

    async def send(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        """Hand the actions to the ledger."""
        return await self.store.apply_batch(batch)

    async def outbox(self, after: int, *, limit: int = 500) -> Sequence[tuple[int, EventEnvelope]]:
        """Return facts: sometimes none, only the first of them, or some that were seen before."""
        if self.faults.trouble():
            return []
        if self.faults.trouble():
            after = max(0, after - self.faults.random.randint(1, 5))
        facts = await self.store.outbox(after, limit=limit)
        if self.faults.trouble():
            return facts[: len(facts) // 2]
        return facts
