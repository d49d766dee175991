"""Whether and when a service that ended is started again: a pure decision."""

from dataclasses import dataclass

HEALTHY_SECONDS = 300.0
"""After so long in good health the restarts before it no longer count."""
SPREAD = 0.1
"""Largest share by which a pause is stretched, so that services do not come back all at once."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How often, and after which pauses, a service is started again."""

    enabled: bool
    max_retries: int
    backoff_seconds: float


@dataclass(frozen=True, kw_only=True)
class Again:
    """Start it after this pause."""

    seconds: float
    attempt: int


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Leave it until a person starts it."""

    reason: str


def after_end(patience: Patience, attempts: int, *, chance: float) -> Again | GiveUp:
    """Decide on a service that ended after so many restarts in a row.

    The first restart comes at once, the next after the pause, then after twice as long each time.
    `chance`, from 0 up to 1, stretches the pause.
    """
    if not patience.enabled:
        return GiveUp(reason="recovery is switched off")
    if attempts >= patience.max_retries:
        return GiveUp(reason=f"it ended again after {attempts} restarts")
    if attempts == 0:
        return Again(seconds=0.0, attempt=1)
    pause = patience.backoff_seconds * 2 ** (attempts - 1)
    return Again(seconds=pause * (1 + SPREAD * chance), attempt=attempts + 1)


def attempts_so_far(attempts: int, *, well_for: float) -> int:
    """Return how many restarts still count after so many seconds in good health."""
    return 0 if well_for >= HEALTHY_SECONDS else attempts
