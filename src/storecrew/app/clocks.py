"""Where the time comes from outside of simulations."""

from dataclasses import dataclass
from datetime import UTC, datetime


class SystemClock:
    """The machine's clock, in UTC."""

    def now(self) -> datetime:
        """Return the present moment."""
        return datetime.now(UTC)


@dataclass(frozen=True)
class FixedClock:
    """Always the same moment: for waking the crew as of a day in the past."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment
