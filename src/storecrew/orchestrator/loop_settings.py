"""How the loop paces itself, and what one turn of it did."""

from dataclasses import dataclass
from datetime import datetime, timedelta

LEASE = timedelta(seconds=5)
"""A worker that did not beat for so long is taken for dead: ten missed beats."""
LEASE_RENEWAL = timedelta(milliseconds=500)
"""How often a worker beats, and looks whether it should lead."""


@dataclass(frozen=True, kw_only=True)
class LoopSettings:
    """How the loop paces itself."""

    interval: timedelta = timedelta(seconds=10)
    """Longest pause between sweeps for overdue, hung and retried work."""
    poll: timedelta = timedelta(milliseconds=250)
    """How often the store's outbox is looked at, as another process may have written to it."""
    gather: timedelta = timedelta(milliseconds=100)
    """Longest pause after a sweep that did something, so that what comes meanwhile is taken
    together; the end of a run cuts it short, as its agent may have more to do."""
    max_concurrent: int = 10
    """Runs at once; more would only wait for the database."""
    attempts: int = 3
    """Tries of a run that fails by itself before its events are parked in sight."""
    enabled: bool = True
    """Whether schedules and events start runs; those asked for by a person always do."""
    wait_for_batches: bool = True
    """Whether agents may wait for their batch to fill; not where nothing more will come."""
    retention: timedelta = timedelta(days=90)
    """How long events and finished engine records are kept."""
    heartbeat_interval: timedelta = timedelta(seconds=15)
    """How often it is recorded that the agents of this process are ready to run."""


@dataclass(frozen=True, kw_only=True)
class SweepResult:
    """What one sweep did, and when there is something to do again."""

    progress: bool
    next_due: datetime | None
