"""Whether and when a service that ended is started again: a pure decision."""

from dataclasses import dataclass

HEALTHY_SECONDS = 300.0
"""After so long in good health the restarts before it no longer count."""
SPREAD = 0.1
"""Largest share by which a pause is stretched, so that services do not come back all at once."""


@dataclass(frozen=True, kw_only=True)
class RestartBudget:
    """How often, and after which pauses, a service is started again."""

    enabled: bool
    max_retries: int
    backoff_seconds: float


@dataclass(frozen=True, kw_only=True)
class Restart:
    """Start it after this pause."""

    seconds: float
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Abandon:
    """Leave it until a person starts it."""

    reason: str


def next_restart(budget: RestartBudget, attempts: int, *, chance: float) -> Restart | Abandon:
    """Decide on a service that ended after so many restarts in a row.

    The first restart comes at once, the next after the pause, then after twice as long each time.
    `chance`, from 0 up to 1, stretches the pause.
    """
    if not budget.enabled:
        return Abandon(reason="recovery is switched off")
    if attempts >= budget.max_retries:
        return Abandon(reason=f"it ended again after {attempts} restarts")
    if attempts == 0:
        return Restart(seconds=0.0, attempt=1)
    pause = budget.backoff_seconds * 2 ** (attempts - 1)
    return Restart(seconds=pause * (1 + SPREAD * chance), attempt=attempts + 1)


def counted_attempts(attempts: int, *, well_for: float) -> int:
    """Return how many restarts still count after so many seconds in good health."""
    return 0 if well_for >= HEALTHY_SECONDS else attempts
