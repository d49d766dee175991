"""The plane looks at itself: books that differ, services that fail, untold incidents."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.incidents import Incident
from storecrew.domain.control.integrity import Discrepancy, IntegrityCheckFailed
from storecrew.domain.control.services import ServiceFailed, ServiceView
from storecrew.domain.errors import StorecrewError
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import IncidentRepository, KeyValues

WATCH_SECONDS = 10.0
"""How often it is looked whether somebody has to be told of an incident."""
PROOF_HOUR = 3
"""Hour of the shop's day from which its books are proved: the quietest of most shops."""
_SOURCE = "plane"
_PROVED = "books/proved"
"""Name of the note that says of which day the books were proved last."""
_log = logging.getLogger(__name__)

Publish = Callable[[Sequence[EventEnvelope]], Awaitable[object]]
Prove = Callable[[], Awaitable[Sequence[Discrepancy]]]
Tell = Callable[[str, str], Awaitable[bool]]


def service_failed(view: ServiceView, now: datetime) -> EventEnvelope:
    """Return the fact that a service works no more; once per time that it went so."""
    since = (view.since or now).isoformat()
    detail = view.detail or f"it ended {view.restarts} times"
    return EventEnvelope(
        source=_SOURCE,
        external_id=f"service/{view.id}/{since}",
        event=ServiceFailed(service=view.id, detail=detail),
        at=now,
    )


@dataclass(kw_only=True)
class SelfCheck:
    """Looks after what no event tells: each trouble is told once."""

    repository: IncidentRepository
    clock: Clock
    zone: str
    tell: Tell
    publish: Publish
    prove: Prove
    notes: KeyValues

    async def check(self) -> None:
        """Report unreported incidents, and verify the databases once a day."""
        for incident in await self.repository.unnotified():
            if await self.tell(f"storecrew: {incident.title}", _body(incident)):
                await self.repository.mark_notified(incident.id, self.clock.now())
        now = self.clock.now()
        day = BusinessDay.of(now, self.zone).name
        if now.astimezone(ZoneInfo(self.zone)).hour < PROOF_HOUR:
            return
        if await self.notes.find(_PROVED) != day:  # a restart does not prove them again
            await self._tell_of(await self.prove(), day, now)
            await self.notes.keep(_PROVED, day)

    async def _tell_of(self, found: Sequence[Discrepancy], day: str, now: datetime) -> None:
        if not found:
            return
        first = f"{found[0].check} {found[0].subject}: {found[0].problem}"
        event = IntegrityCheckFailed(count=len(found), first=first)
        fact = EventEnvelope(source=_SOURCE, external_id=f"books/{day}", event=event, at=now)
        await self.publish([fact])


async def watch(self_check: SelfCheck, leads: Callable[[], bool]) -> None:
    """Look every few seconds, where this process leads, until cancelled."""
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        try:
            if leads():
                await self_check.check()
        except StorecrewError as error:  # the next look finds what this one missed
            _log.warning("could not look at the plane: %s", error)


def _body(incident: Incident) -> str:
    plan = "; ".join(str(step.get("type", "")) for step in incident.plan)
    said = f"seen {incident.observed}, expected {incident.expected}; cause: {incident.cause}"
    return f"{said}; plan: {plan}" if plan else said
