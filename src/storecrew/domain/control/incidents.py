"""Incidents: what went wrong in the shop, with cause and plan, until it is closed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storecrew.domain.actions import ControlAction
from storecrew.domain.events import Event


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
