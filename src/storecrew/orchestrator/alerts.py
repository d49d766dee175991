"""Alerts: somebody is told once of each incident, and once when it is over."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from storecrew.domain.health import (
    MAX_AGE,
    THRESHOLD,
    HealthBook,
    Incident,
    IncidentKind,
    Pulse,
    State,
)
from storecrew.domain.ports import Clock

HOLD = timedelta(minutes=5)
"""How long one process may try to tell of an incident before another may."""


class News(StrEnum):
    """What is told of an incident."""

    BEGAN = "began"
    GOES_ON = "goes on"
    ENDED = "ended"


Tell = Callable[[Incident, News], Awaitable[bool]]
"""Tells somebody; False where nobody could be reached, so that it is tried again."""


@dataclass(frozen=True, kw_only=True)
class AlertRules:
    """When somebody is told."""

    threshold: int = THRESHOLD
    """Failures in a row before it is an incident."""
    max_age: timedelta = MAX_AGE
    """Age after which a heartbeat is stale."""
    repeat: timedelta | None = None
    """After how long an open incident is told again; None tells it once."""
    is_quiet: Callable[[datetime], bool] = lambda _now: False
    """Whether only severe incidents are told of at this moment."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What one round of alerts did, by incident."""

    sent: tuple[str, ...] = ()
    recovered: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    """Not told: it is quiet, somebody else tells it, or nobody could be reached."""


@dataclass(frozen=True, kw_only=True)
class Alerts:
    """Finds incidents in the pulses and sees to it that somebody is told, exactly once each."""

    book: HealthBook
    clock: Clock
    tell: Tell
    name: str
    """Of this process, for its claims."""
    rules: AlertRules = field(default_factory=AlertRules)

    async def look(self, pulses: Sequence[Pulse] | None = None) -> Told:
        """Open and close incidents as the pulses say, and tell what nobody was told."""
        now = self.clock.now()
        known = await self.book.pulses() if pulses is None else pulses
        before = {i.agent: i for i in await self.book.untold() if i.closed_at is None}
        for pulse in known:
            await self._follow(pulse, before.get(pulse.agent), now)
        sent: list[str] = []
        recovered: list[str] = []
        held: list[str] = []
        for incident in await self.book.untold():
            news = self._news(incident, now)
            if news is None:
                continue
            if not await self._told(incident, news, now):
                held.append(incident.id)
            else:
                (recovered if news is News.ENDED else sent).append(incident.id)
        return Told(sent=tuple(sent), recovered=tuple(recovered), held=tuple(held))

    async def _follow(self, pulse: Pulse, known: Incident | None, now: datetime) -> None:
        """Let an agent's incident begin, worsen or end."""
        kind = self._kind(pulse, now)
        if kind is None:
            is_well = pulse.state(now, self.rules.max_age) is State.HEALTHY
            if known is not None and is_well:
                await self.book.close(pulse.agent, now)
            return
        if known is not None and kind is IncidentKind.ERROR and not known.is_severe:
            await self.book.close(pulse.agent, now, silently=True)
            known = None
        if known is None:
            await self.book.open(pulse.agent, kind, self._detail(pulse, kind, now), now)

    def _kind(self, pulse: Pulse, now: datetime) -> IncidentKind | None:
        if pulse.failures >= self.rules.threshold:
            return IncidentKind.ERROR
        is_stale = pulse.state(now, self.rules.max_age) is State.STALE
        return IncidentKind.STALE if is_stale else None

    def _detail(self, pulse: Pulse, kind: IncidentKind, now: datetime) -> str:
        if kind is IncidentKind.ERROR:
            return f"{pulse.failures} failures in a row; the last: {pulse.error}"
        return f"not heard of for {pulse.age(now) or 0:.0f} s"

    def _news(self, incident: Incident, now: datetime) -> News | None:
        """Return what is to be told of the incident, if anything."""
        if incident.closed_at is not None:
            return News.ENDED
        if incident.told_at is None:
            return News.BEGAN
        repeat = self.rules.repeat
        is_due = repeat is not None and now - incident.told_at >= repeat
        return News.GOES_ON if is_due else None

    async def _told(self, incident: Incident, news: News, now: datetime) -> bool:
        """Tell, unless it is quiet or another process does; whoever fails leaves it to others."""
        is_urgent = incident.is_severe and news is not News.ENDED
        if self.rules.is_quiet(now) and not is_urgent:
            return False
        if not await self.book.claim(incident, self.name, now, HOLD):
            return False
        if not await self.tell(incident, news):
            await self.book.unclaim(incident.id)
            return False
        await self.book.told(incident, now)
        return True
