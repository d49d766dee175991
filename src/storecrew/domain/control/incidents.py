"""Incidents: what went wrong in the shop or the plane, from its opening until it is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from storecrew.domain.actions import ControlAction
from storecrew.domain.events import Event


class IncidentKind(StrEnum):
    """What an incident is about."""

    ANOMALY = "anomaly"
    """An agent found something unusual in the shop."""
    SERVICE = "service"
    """A service fails, and restarts did not help."""
    AGENT_ERROR = "agent_error"
    """An agent failed as often in a row as the owner's threshold."""
    AGENT_HUNG = "agent_hung"
    """An agent did not end in time, as often as it was tried."""
    AGENT_STALE = "agent_stale"
    """An agent's heartbeat is too old."""
    INPUT = "input"
    """Input from outside, such as mail, cannot be read or handed on, again and again."""


REPORTED = (IncidentKind.ANOMALY, IncidentKind.SERVICE)
"""Kinds that agents report, with cause and plan; the others follow from agents' health."""


@dataclass(frozen=True, kw_only=True)
class OpenIncident(ControlAction):
    """Open an incident that a person has to look at, and alert whom the settings name."""

    incident: str
    """Its name: the same trouble opens one incident."""
    title: str
    cause: str
    observed: str
    expected: str
    plan: tuple[Mapping[str, Any], ...] = ()
    """Actions that would help, as typed JSON; empty where nobody knows."""
    kind: IncidentKind = IncidentKind.ANOMALY

    @property
    def subject(self) -> str:
        """The incident."""
        return f"incident:{self.incident}"


@dataclass(frozen=True, kw_only=True)
class CloseIncident(ControlAction):
    """Say that the trouble is over."""

    incident: str
    reason: str

    @property
    def subject(self) -> str:
        """The incident."""
        return f"incident:{self.incident}"


@dataclass(frozen=True, kw_only=True)
class Incident:
    """Something that went wrong, what is known of it, what was done, and who was alerted."""

    id: str
    kind: IncidentKind
    subject: str
    """What it is about, such as `agent:pricing`; one incident is open per subject."""
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
    notified_at: datetime | None = None
    """When an alert of it was last sent."""
    end_notified_at: datetime | None = None
    """When the alert that it is over was sent."""

    @property
    def is_severe(self) -> bool:
        """Whether its alert is sent in quiet hours, too."""
        return self.kind is not IncidentKind.AGENT_STALE


@dataclass(frozen=True, kw_only=True)
class AlertReport:
    """What one round of alerts did, by incident."""

    sent: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Not sent: it is quiet, another process sends it, or no channel answered."""


@dataclass(frozen=True, kw_only=True)
class BottleneckDetected(Event):
    """More waits at one place of the order flow than should."""

    what: str
    """`approvals`, `payment`, `delivery`, `stock` or `prices`."""
    count: int
    threshold: int
    advice: str


@dataclass(frozen=True, kw_only=True)
class AnomalyDetected(Event):
    """A number left its usual range."""

    metric: str
    observed: float
    expected: float
    cause: str = ""
