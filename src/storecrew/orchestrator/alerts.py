"""Alerts: each incident is reported once, and once more when it is over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from storecrew.domain.control.health import (
    MAX_AGE,
    THRESHOLD,
    AgentHealth,
    AgentIncident,
    AgentIncidentKind,
    AgentState,
)
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import HealthRepository

HOLD = timedelta(minutes=5)
"""How long one process may try to tell of an incident before another may."""


class AlertKind(StrEnum):
    """What is told of an incident."""

    BEGAN = "began"
    REPEATED = "goes on"
    ENDED = "ended"


SendAlert = Callable[[AgentIncident, AlertKind], Awaitable[bool]]
"""Tells somebody; False where nobody could be reached, so that it is tried again."""


@dataclass(frozen=True, kw_only=True)
class AlertRules:
    """When an alert is sent."""

    threshold: int = THRESHOLD
    """Failures in a row before it is an incident."""
    max_age: timedelta = MAX_AGE
    """Age after which a heartbeat is stale."""
    repeat: timedelta | None = None
    """After how long an open incident is told again; None tells it once."""
    is_quiet: Callable[[datetime], bool] = lambda _now: False
    """Whether only severe incidents are told of at this moment."""


@dataclass(frozen=True, kw_only=True)
class AlertReport:
    """What one round of alerts did, by incident."""

    sent: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Not told: it is quiet, somebody else tells it, or nobody could be reached."""


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Opens and closes incidents by agents' health and sends each alert exactly once."""

    repository: HealthRepository
    clock: Clock
    send: SendAlert
    name: str
    """Of this process, for its claims."""
    rules: AlertRules = field(default_factory=AlertRules)

    async def poll(self, pulses: Sequence[AgentHealth] | None = None) -> AlertReport:
        """Open and close incidents by agents' health, and send outstanding alerts."""
        now = self.clock.now()
        known = await self.repository.agent_health() if pulses is None else pulses
        before = {i.agent: i for i in await self.repository.unnotified() if i.closed_at is None}
        for pulse in known:
            await self._follow(pulse, before.get(pulse.agent), now)
        sent: list[str] = []
        recovered: list[str] = []
        held: list[str] = []
        for incident in await self.repository.unnotified():
            news = self._alert_of(incident, now)
            if news is None:
                continue
            if not await self._notify(incident, news, now):
                held.append(incident.id)
            else:
                (recovered if news is AlertKind.ENDED else sent).append(incident.id)
        return AlertReport(sent=tuple(sent), recovered=tuple(recovered), held=tuple(held))

    async def _follow(self, pulse: AgentHealth, known: AgentIncident | None, now: datetime) -> None:
        """Let an agent's incident begin, worsen or end."""
        kind = self._kind(pulse, now)
        if kind is None:
            is_well = pulse.state(now, self.rules.max_age) is AgentState.HEALTHY
            if known is not None and is_well:
                await self.repository.close(pulse.agent, now)
            return
        if known is not None and kind is AgentIncidentKind.ERROR and not known.is_severe:
            await self.repository.close(pulse.agent, now, silently=True)
            known = None
        if known is None:
            await self.repository.open(pulse.agent, kind, self._detail(pulse, kind, now), now)

    def _kind(self, pulse: AgentHealth, now: datetime) -> AgentIncidentKind | None:
        if pulse.failures >= self.rules.threshold:
            return AgentIncidentKind.ERROR
        is_stale = pulse.state(now, self.rules.max_age) is AgentState.STALE
        return AgentIncidentKind.STALE if is_stale else None

    def _detail(self, pulse: AgentHealth, kind: AgentIncidentKind, now: datetime) -> str:
        if kind is AgentIncidentKind.ERROR:
            return f"{pulse.failures} failures in a row; the last: {pulse.error}"
        return f"not heard of for {pulse.age(now) or 0:.0f} s"

    def _alert_of(self, incident: AgentIncident, now: datetime) -> AlertKind | None:
        """Return what is to be told of the incident, if anything."""
        if incident.closed_at is not None:
            return AlertKind.ENDED
        if incident.notified_at is None:
            return AlertKind.BEGAN
        repeat = self.rules.repeat
        is_due = repeat is not None and now - incident.notified_at >= repeat
        return AlertKind.REPEATED if is_due else None

    async def _notify(self, incident: AgentIncident, news: AlertKind, now: datetime) -> bool:
        """Send the alert unless it is quiet or claimed elsewhere; a failure frees the claim."""
        is_urgent = incident.is_severe and news is not AlertKind.ENDED
        if self.rules.is_quiet(now) and not is_urgent:
            return False
        if not await self.repository.claim_notification(incident, self.name, now, HOLD):
            return False
        if not await self.send(incident, news):
            await self.repository.release_notification(incident.id)
            return False
        await self.repository.mark_notified(incident, now)
        return True
