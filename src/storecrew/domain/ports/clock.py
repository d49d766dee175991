"""Where the time comes from."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from: real, or virtual in tests, simulation and backtests."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...


@dataclass(frozen=True)
class FixedClock:
    """Always the same moment: for waking the crew as of a day in the past."""

    moment: datetime

    def now(self) -> datetime:
        """Return the moment."""
        return self.moment
