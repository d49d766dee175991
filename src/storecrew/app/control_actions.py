"""The plane as the pipeline acts on it: the journal's operations over this plane's crew."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.actions import Command
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.ports.clock import Clock
from storecrew.journal.control_actions import OperationContext, SqlControlActions
from storecrew.orchestrator.registry import Registry


@dataclass(frozen=True, kw_only=True)
class PlaneOperations:
    """Implements `domain.operations.Operations` over the journal.

    What is recorded there is carried out by whoever looks: the supervisor restarts, the loop
    wakes, the alerts tell.
    """

    book: SqlControlActions
    registry: Registry
    clock: Clock

    async def apply(self, keyed: Command) -> Outcome:
        """Do the operation at most once per key, and return its outcome."""
        scene = OperationContext(
            now=self.clock.now(),
            agents=self.registry.agents.keys(),
            subscribers_of=self.registry.subscribers_of,
        )
        return await self.book.apply(keyed, scene)

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, or None."""
        return await self.book.outcome(key)

    async def applied_keys(self) -> Sequence[str]:
        """Return the keys under which something was done."""
        return await self.book.applied_keys()

    async def restarts(self, since: datetime) -> Mapping[str, int]:
        """Return how often the crew restarted each service since then."""
        return await self.book.restarts(since)
