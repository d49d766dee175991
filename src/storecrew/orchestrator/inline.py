"""An engine that carries runs out at once, on the caller's task.

For simulation, backtests and single passes, where the journal's own record is what a run resumes
from: every part of a run may be repeated without doing anything twice.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime


class InlineEngine:
    """Carries each submitted run out before `submit` returns."""

    def __init__(self) -> None:
        self._execute: Callable[[str], Awaitable[None]] | None = None

    async def start(self, execute: Callable[[str], Awaitable[None]]) -> None:
        """Remember who carries runs out."""
        self._execute = execute

    async def submit(self, run_id: str) -> None:
        """Carry the run out now."""
        if self._execute is not None:
            await self._execute(run_id)

    async def prune(self, before: datetime) -> int:
        """Forget nothing, as nothing is kept."""
        return 0

    async def stop(self) -> None:
        """Carry out no more runs."""
        self._execute = None
