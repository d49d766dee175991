"""Access to the running plane's journal from any other process: a script, a cron job, a shell.

The orchestrator knows no settings and no database. The packaging entry point group
`storecrew.plane` names the function that does, `open_journal_client` in `app`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Any

from storecrew.domain.control.health import AgentHealth, JournalNotFound
from storecrew.domain.control.incidents import AlertReport
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import AgentRepository

GROUP = "storecrew.plane"


@dataclass(frozen=True, kw_only=True)
class JournalClient:
    """The journal of the plane that the settings name."""

    clock: Clock
    """Where the plane's time comes from."""
    agents: AgentRepository
    agent_health: Callable[[], list[AgentHealth]]
    """Returns every agent on duty with what is known of it, by name."""
    services_down: Callable[[], Sequence[str]]
    """Returns the services that should run and do not, as last recorded, by id."""
    status: Callable[[], Mapping[str, Any]]
    """Returns how the orchestrator is: its name, status, statistics and configuration."""
    alert: Callable[[int | None], Awaitable[AlertReport]]
    """Sends the outstanding alerts; failures in a row count from this threshold, else the owner's.
    """
    close: Callable[[], None]
    """Releases every connection."""


def open_journal_client() -> JournalClient:
    """Open the journal that the settings here name; raises `JournalNotFound`."""
    found = entry_points(group=GROUP)
    if not found:
        raise JournalNotFound(f"the entry point group {GROUP!r}, which nobody fills")
    client: JournalClient = next(iter(found)).load()()
    return client
