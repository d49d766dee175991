"""The way to the running plane's journal from any other process: a script, a cron job, a shell.

The orchestrator knows no settings and no database. Whoever does says so in the packaging entry
point group `storecrew.plane`; the product itself puts `storecrew.app.doorway:open_doorway` there.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from storecrew.domain.crew import Enlisted
from storecrew.domain.health import NoJournal, Pulse
from storecrew.domain.ports import Clock
from storecrew.orchestrator.alerts import Told

GROUP = "storecrew.plane"


class Doorway(Protocol):
    """The journal of the plane that the settings name. Leaving it releases its connections."""

    @property
    def clock(self) -> Clock:
        """Where the plane's time comes from."""
        ...

    def pulses(self) -> list[Pulse]:
        """Return every agent on duty with what is known of it, by name."""
        ...

    def status(self) -> Mapping[str, Any]:
        """Return how the orchestrator is: its name, status, statistics and configuration."""
        ...

    async def alert(self, threshold: int | None = None) -> Told:
        """Tell whoever should know of agents that are unwell, once each."""
        ...

    async def enlist(self, recruit: Enlisted) -> bool:
        """Register an agent; False where it is registered exactly so already."""
        ...

    async def enlisted(self) -> list[Enlisted]:
        """Return every registered agent."""
        ...

    def close(self) -> None:
        """Release every connection."""
        ...


def open_doorway() -> Doorway:
    """Open the journal that the settings of this place name; `NoJournal` where there is none."""
    found = entry_points(group=GROUP)
    if not found:
        raise NoJournal(f"the entry point group {GROUP!r}, which nobody fills")
    door: Doorway = next(iter(found)).load()()
    return door
