"""Alerts: one for each incident of whatever kind, and one more when it is over."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from storecrew.domain.control.health import MAX_AGE, THRESHOLD, AgentHealth, AgentState
from storecrew.domain.control.incidents import AlertReport, Incident, IncidentKind
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import HealthRepository, IncidentRepository

HOLD = timedelta(minutes=5)
"""How long one process may try to send an alert before another may."""


class AlertKind(StrEnum):
    """What an alert says of an incident."""

    BEGAN = "began"
    REPEATED = "goes on"
    ENDED = "ended"


SendAlert = Callable[[Incident, AlertKind], Awaitable[bool]]
"""Sends an alert; False where no channel answered, so that it is tried again."""


@dataclass(frozen=True, kw_only=True)
class AlertRules:
    """When an alert is sent."""

    threshold: int = THRESHOLD
    """Failures in a row before it is an incident."""
    max_age: timedelta = MAX_AGE
    """Age after which a heartbeat is stale."""
    repeat: timedelta | None = None
    """After how long the alert of an open incident is sent again; None sends it once."""
    is_quiet: Callable[[datetime], bool] = lambda _now: False
    """Whether only alerts of severe incidents are sent at this moment."""


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Opens and closes incidents by agents' health and sends each alert of an incident once."""

    health: HealthRepository
    incidents: IncidentRepository
    clock: Clock
    send: SendAlert
    name: str
    """Of this process, for its claims."""
    rules: AlertRules = field(default_factory=AlertRules)

    async def poll(self) -> AlertReport:
        """Open and close incidents by agents' health, and send outstanding alerts."""
        now = self.clock.now()
        opened = {i.subject: i for i in await self.incidents.unnotified() if i.closed_at is None}
        for health in await self.health.agent_health():
            await self._follow(health, opened.get(f"agent:{health.agent}"), now)
        sent: list[str] = []
        recovered: list[str] = []
        held: list[str] = []
        for incident in await self.incidents.unnotified():
            alert = self._alert_of(incident, now)
            if alert is None:
                continue
            if not await self._send(incident, alert, now):
                held.append(incident.id)
            else:
                (recovered if alert is AlertKind.ENDED else sent).append(incident.id)
        return AlertReport(sent=tuple(sent), recovered=tuple(recovered), held=tuple(held))

    async def _follow(self, health: AgentHealth, known: Incident | None, now: datetime) -> None:
        """Open, replace or close the incident of an agent."""
        kind = self._kind(health, now)
        if kind is None:
            is_well = health.state(now, self.rules.max_age) is AgentState.HEALTHY
            if known is not None and is_well:
                await self.incidents.close_agent_incident(health.agent, now)
            return
        if known is not None and kind is IncidentKind.AGENT_ERROR and not known.is_severe:
            await self.incidents.close_agent_incident(health.agent, now, silently=True)
            known = None
        if known is None:
            detail = self._detail(health, kind, now)
            await self.incidents.open_agent_incident(health.agent, kind, detail, now)

    def _kind(self, health: AgentHealth, now: datetime) -> IncidentKind | None:
        if health.failures >= self.rules.threshold:
            return IncidentKind.AGENT_ERROR
        is_stale = health.state(now, self.rules.max_age) is AgentState.STALE
        return IncidentKind.AGENT_STALE if is_stale else None

    def _detail(self, health: AgentHealth, kind: IncidentKind, now: datetime) -> str:
        if kind is IncidentKind.AGENT_ERROR:
            return f"{health.failures} failures in a row; the last: {health.error}"
        return f"not heard of for {health.age(now) or 0:.0f} s"

    def _alert_of(self, incident: Incident, now: datetime) -> AlertKind | None:
        """Return the alert that the incident calls for, if any."""
        if incident.closed_at is not None:
            return AlertKind.ENDED
        if incident.notified_at is None:
            return AlertKind.BEGAN
        repeat = self.rules.repeat
        is_due = repeat is not None and now - incident.notified_at >= repeat
        return AlertKind.REPEATED if is_due else None

    async def _send(self, incident: Incident, alert: AlertKind, now: datetime) -> bool:
        """Send the alert unless it is quiet or claimed elsewhere; a failure frees the claim."""
        is_urgent = incident.is_severe and alert is not AlertKind.ENDED
        if self.rules.is_quiet(now) and not is_urgent:
            return False
        if not await self.incidents.claim_notification(incident, self.name, now, HOLD):
            return False
        if not await self.send(incident, alert):
            await self.incidents.release_notification(incident)
            return False
        await self.incidents.mark_notified(incident, now)
        return True
