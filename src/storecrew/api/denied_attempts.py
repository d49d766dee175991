"""Refused attempts, audited so that a flood of them cannot fill the disk."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from storecrew.app.access import Access
from storecrew.domain.control.access import DeniedAttempt

log = logging.getLogger(__name__)

QUIET_SECONDS = 60.0
"""Least time between two rows on a caller and kind; the later one counts what was between."""
MAX_ROWS = 100
"""Callers that get a row of their own in that time; all others share one per kind."""
MAX_PATH = 200
"""Characters of a path that are kept."""


@dataclass
class _Count:
    """What one caller tried."""

    told_at: float | None = None
    refusal: DeniedAttempt | None = None
    """What is not audited yet."""


@dataclass
class DeniedAttemptLog:
    """Counts refused attempts, and writes them down in the background."""

    access: Access
    ticks: Callable[[], float] = monotonic
    _counts: dict[tuple[str, str], _Count] = field(default_factory=dict[tuple[str, str], _Count])
    _writing: "asyncio.Task[None] | None" = None

    def note(self, kind: str, actor: str, what: str, reason: str) -> None:
        """Remember an attempt; the first of a caller is written at once."""
        if (kind, actor) not in self._counts and len(self._counts) >= MAX_ROWS:
            self._forget_old()
            if len(self._counts) >= MAX_ROWS:
                actor = "address:many"
        found = self._counts.setdefault((kind, actor), _Count())
        before = found.refusal.count if found.refusal else 0
        found.refusal = DeniedAttempt(
            kind=kind, actor=actor, what=what[:MAX_PATH], reason=reason, count=before + 1
        )
        if self._is_due(found) and (self._writing is None or self._writing.done()):
            self._writing = asyncio.create_task(self._write(), name="refusals")

    async def close(self) -> None:
        """Write down what was counted and not written yet."""
        if self._writing is not None:
            await self._writing
        await self._tell([found for found in self._counts.values() if found.refusal])

    async def _write(self) -> None:
        while due := [found for found in self._counts.values() if self._is_due(found)]:
            await self._tell(due)

    async def _tell(self, counts: list[_Count]) -> None:
        refusals = [found.refusal for found in counts if found.refusal]
        for found in counts:
            found.told_at, found.refusal = self.ticks(), None
        try:
            await self.access.note_refusals(refusals)
        except Exception as error:  # noqa: BLE001 - the requests were refused all the same
            log.warning("%d refusals could not be audited: %s", len(refusals), error)

    def _is_due(self, found: _Count) -> bool:
        if found.refusal is None:
            return False
        return found.told_at is None or self.ticks() - found.told_at >= QUIET_SECONDS

    def _forget_old(self) -> None:
        now = self.ticks()
        for key, found in list(self._counts.items()):
            if found.refusal is None and found.told_at and now - found.told_at >= QUIET_SECONDS:
                del self._counts[key]
