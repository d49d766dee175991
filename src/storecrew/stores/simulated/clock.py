"""Time as a simulation tells it."""

from datetime import UTC, datetime

from storecrew.domain.errors import InvalidInput


class VirtualClock:
    """Implements `domain.ports.Clock`; stands still until it is moved, and never goes back."""

    def __init__(self, start: datetime) -> None:
        if start.tzinfo is None:
            raise InvalidInput("start", "a moment needs a time zone")
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the present moment."""
        return self._now

    def advance_to(self, moment: datetime) -> None:
        """Move to a later moment; an earlier one changes nothing."""
        self._now = max(self._now, moment.astimezone(UTC))
