"""What came from outside and was not acted on, counted by reason."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class SkippedInput:
    """How often input from one source was skipped for one reason."""

    source: str
    """What it came by, such as `mail`."""
    reason: str
    """Why; one of a few sentences, so that equal cases are counted together."""
    count: int
    last_at: datetime
    sample: str
    """The newest of them, shortened, as one line."""
