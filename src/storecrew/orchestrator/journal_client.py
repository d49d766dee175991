"""The way to the running plane's journal from any other process: a script, a cron job, a shell.

The orchestrator knows no settings and no database. The packaging entry point group
`storecrew.plane` names the function that does: `storecrew.app.journal_client:open_journal_client`.
"""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any, Protocol

from storecrew.domain.control.agents import RegisteredAgent
from storecrew.domain.control.health import AgentHealth, JournalNotFound
from storecrew.domain.control.incidents import AlertReport
from storecrew.domain.ports.clock import Clock

GROUP = "storecrew.plane"


class JournalClient(Protocol):
    """The journal of the plane that the settings name. Leaving it releases its connections."""

    @property
    def clock(self) -> Clock:
        """Where the plane's time comes from."""
        ...

    def agent_health(self) -> list[AgentHealth]:
        """Return every agent on duty with what is known of it, by name."""
        ...

    def status(self) -> Mapping[str, Any]:
        """Return how the orchestrator is: its name, status, statistics and configuration."""
        ...

    async def alert(self, threshold: int | None = None) -> AlertReport:
        """Send the outstanding alerts, one per incident."""
        ...

    async def register(self, factory: RegisteredAgent) -> bool:
        """Register an agent; False where it is registered exactly so already."""
        ...

    async def registered(self) -> list[RegisteredAgent]:
        """Return every registered agent."""
        ...

    def close(self) -> None:
        """Release every connection."""
        ...


def open_journal_client() -> JournalClient:
    """Open the journal that the settings here name; raises `JournalNotFound`."""
    found = entry_points(group=GROUP)
    if not found:
        raise JournalNotFound(f"the entry point group {GROUP!r}, which nobody fills")
    client: JournalClient = next(iter(found)).load()()
    return client
