"""Where the time comes from."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Where the time comes from: real, or virtual in tests, simulation and backtests."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...
