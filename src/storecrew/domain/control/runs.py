"""Runs: one agent handling the events that woke it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storecrew.domain.control.events import REPORTER_SOURCES, StoredEvent
from storecrew.domain.events import Event


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    RETRYING = "retrying"
    """It failed and will be tried again."""
    DONE = "done"
    FAILED = "failed"
    """It failed for good; its events are parked in sight."""
    RETRYING_INDIVIDUALLY = "split"
    """It failed as a batch; its events are being tried one by one."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One agent handling the events that woke it."""

    id: str
    agent: str
    actor: str
    """Who its effects are done for: `agent:<name>` or `person:<name>`."""
    status: RunStatus
    attempt: int
    created_at: datetime
    finished_at: datetime | None = None
    error: str = ""
    proposals: int | None = None
    """How many it made; None until it has proposed."""
    events: tuple[StoredEvent, ...] = ()
    worker: str = ""
    """Which process carries it out; empty for the only one, or for none yet."""
    tokens: int = 0
    """Tokens of language models that it cost so far."""

    @property
    def reporters(self) -> list[str]:
        """Agents and systems outside of the shop that recorded the events, in order of name."""
        sources = {event.source for event in self.events}
        return sorted(one for one in sources if one.startswith(REPORTER_SOURCES))

    @property
    def trace(self) -> str:
        """What log lines carry to find everything that belongs together: see `domain.traces`."""
        return f"e{self.events[0].seq}" if self.events else self.id


@dataclass(frozen=True, kw_only=True)
class RunFailed(Event):
    """A run of an agent failed for good."""

    agent: str
    run: str
    reason: str
