"""The durable-execution engine, as little of it as the orchestrator needs."""

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any, Protocol


class Engine(Protocol):
    """The durable-execution engine, as little of it as the orchestrator needs.

    It sees to it that each run is carried out to its end. What a run has done so far is the
    journal's to know, which records it together with its consequences.
    """

    async def start(self, execute: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        """Begin: every run submitted before and not finished is carried out again."""
        ...

    async def submit(self, run_id: str) -> None:
        """Carry the run out, soon and to the end, across crashes. Idempotent per id."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget runs that finished before then; return how many."""
        ...

    async def stop(self) -> None:
        """Let steps under way finish, then stop; unfinished runs resume at the next start."""
        ...
