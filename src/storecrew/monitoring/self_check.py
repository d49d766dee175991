"""What the plane finds about itself: databases that do not add up, services that fail."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.integrity import Discrepancy, IntegrityCheckFailed
from storecrew.domain.control.services import ServiceFailed, ServiceView
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.repositories import KeyValues
from storecrew.domain.zones import zone_of

PROOF_HOUR = 3
"""Hour of the shop's day from which its books are proved: the quietest of most shops."""
_SOURCE = "plane"
_PROVED = "books/proved"
"""Name of the note that says of which day the books were proved last."""

Publish = Callable[[Sequence[EventEnvelope]], Awaitable[object]]
Prove = Callable[[], Awaitable[Sequence[Discrepancy]]]


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
    """Verifies the databases once a day, and publishes what does not add up."""

    clock: Clock
    zone: str
    publish: Publish
    prove: Prove
    notes: KeyValues

    async def check(self) -> None:
        """Verify the databases unless that was done today."""
        now = self.clock.now()
        day = BusinessDay.of(now, self.zone).name
        if now.astimezone(zone_of(self.zone)).hour < PROOF_HOUR:
            return
        if await self.notes.find(_PROVED) != day:  # a restart does not prove them again
            await self._report(await self.prove(), day, now)
            await self.notes.keep(_PROVED, day)

    async def _report(self, found: Sequence[Discrepancy], day: str, now: datetime) -> None:
        if not found:
            return
        first = f"{found[0].check} {found[0].subject}: {found[0].problem}"
        event = IntegrityCheckFailed(count=len(found), first=first)
        fact = EventEnvelope(source=_SOURCE, external_id=f"books/{day}", event=event, at=now)
        await self.publish([fact])
