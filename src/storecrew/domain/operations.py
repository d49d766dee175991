"""What the crew may do to the plane itself: services, agents, incidents, earlier effects."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from storecrew.domain.actions import Action, Keyed
from storecrew.domain.proposals import Outcome


@dataclass(frozen=True, kw_only=True)
class Operation(Action):
    """An action on the plane, not on the store."""


@dataclass(frozen=True, kw_only=True)
class RestartService(Operation):
    """End the service's process and start it again."""

    service: str

    @property
    def subject(self) -> str:
        """The service."""
        return f"service:{self.service}"


@dataclass(frozen=True, kw_only=True)
class PauseAgent(Operation):
    """Let the agent begin no more runs until it is resumed."""

    agent: str

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class ResumeAgent(Operation):
    """Let a paused agent run again."""

    agent: str

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class RevertProposal(Operation):
    """Take an applied proposal back: begin the run that does the opposite."""

    proposal_id: str

    @property
    def subject(self) -> str:
        """The proposal."""
        return f"proposal:{self.proposal_id}"


@dataclass(frozen=True, kw_only=True)
class OpenIncident(Operation):
    """Put something that a person has to look at on the list, and tell whoever is on call."""

    incident: str
    """Its name: the same trouble opens one incident."""
    title: str
    cause: str
    observed: str
    expected: str
    plan: tuple[Mapping[str, Any], ...] = ()
    """Actions that would help, as typed JSON; empty where nobody knows."""

    @property
    def subject(self) -> str:
        """The incident."""
        return f"incident:{self.incident}"


@dataclass(frozen=True, kw_only=True)
class CloseIncident(Operation):
    """Say that the trouble is over."""

    incident: str
    reason: str

    @property
    def subject(self) -> str:
        """The incident."""
        return f"incident:{self.incident}"


@dataclass(frozen=True, kw_only=True)
class DelegateWork(Operation):
    """Have another agent do a piece of work: it is woken with these parameters."""

    agent: str
    task: str
    due_at: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that went wrong, what is known of it, and what was done."""

    id: str
    title: str
    status: str
    """`open` or `closed`."""
    cause: str
    observed: str
    expected: str
    plan: Sequence[Mapping[str, Any]] = ()
    opened_at: datetime
    closed_at: datetime | None = None
    resolution: str = ""


class Operations(Protocol):
    """The plane as the pipeline changes it: at most once per key, like the store."""

    async def apply(self, keyed: Keyed) -> Outcome:
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


class IncidentBook(Protocol):
    """What went wrong, as the doors show it."""

    async def incidents(self, *, status: str | None = None, limit: int = 200) -> Sequence[Incident]:
        """Return incidents of this status (all when None), newest first."""
        ...

    async def incident(self, incident: str) -> Incident:
        """Return one incident, or raise `NotFound`."""
        ...

    async def close_incident(self, incident: str, *, reason: str, by: str, now: datetime) -> None:
        """Say that the trouble is over; raises `NotFound`. What is closed stays closed."""
        ...

    async def untold(self) -> Sequence[Incident]:
        """Return open incidents of which nobody was told yet, oldest first."""
        ...

    async def told(self, incident: str, now: datetime) -> None:
        """Note that somebody was told."""
        ...
