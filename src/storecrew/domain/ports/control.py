"""Control actions: changes of the control plane itself, each applied at most once per key."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from storecrew.domain.actions import Command
from storecrew.domain.control.proposals import Outcome


class Operations(Protocol):
    """The plane as the pipeline changes it: at most once per key, like the store."""

    async def apply(self, keyed: Command) -> Outcome:
        """Do the operation at most once per key, and return its outcome.

        A key already seen returns its first outcome; what cannot be done is an outcome with a
        code. After a crash between the deed and its record the deed's own traces tell.
        """
        ...

    async def outcome(self, key: str) -> Outcome | None:
        """Return the outcome recorded under this key, or None."""
        ...

    async def applied_keys(self) -> Sequence[str]:
        """Return the keys under which something was done, for the books' proof."""
        ...

    async def restarts(self, since: datetime) -> Mapping[str, int]:
        """Return how often the crew restarted each service since then; never is left out."""
        ...
