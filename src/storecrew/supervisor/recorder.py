"""Writes observed states of services to the journal and notifies listeners, in order."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from storecrew.domain.control.services import ObservedState, ServiceView, StatusListener
from storecrew.domain.ports.services import ServiceRegistry
from storecrew.supervisor.managed_service import ManagedService

log = logging.getLogger(__name__)

_TRY_AGAIN = 0.5
_LAZY = 5.0
"""Seconds that the time of a repeated healthy answer may wait for company."""


@dataclass
class Recorder:
    """Keeps what changed, all that waits in one transaction, and tells of it.

    A journal that cannot be written holds up nobody: services are looked after all the same, and
    what was seen is kept when it can be.
    """

    registry: ServiceRegistry
    recorded: Callable[[ManagedService, ObservedState], None]
    """Is called after the commit, with what was kept."""
    listeners: list[StatusListener] = field(default_factory=list[StatusListener])
    _waiting: dict[str, ManagedService] = field(default_factory=dict[str, ManagedService])
    _lazy: dict[str, ManagedService] = field(default_factory=dict[str, ManagedService])
    _wakeup: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: "asyncio.Queue[ServiceView]" = field(default_factory=asyncio.Queue)

    def mark_changed(self, service: ManagedService) -> None:
        """Keep how the service is now, and tell of it."""
        self.save(service)
        self.notify(service)

    def save(self, service: ManagedService) -> None:
        """Keep how the service is now."""
        self._waiting[service.id] = service
        self._wakeup.set()

    def mark_changed_lazily(self, service: ManagedService) -> None:
        """Save it with the next write, or in a few seconds; notify no listener."""
        self._lazy[service.id] = service

    def notify(self, service: ManagedService) -> None:
        """Tell of the service as it is now."""
        if self.listeners:
            self._changed.put_nowait(service.view())

    async def record(self) -> None:
        """Keep what comes, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(_LAZY):
                    await self._wakeup.wait()
            except TimeoutError:
                if not self._lazy:
                    continue
            self._wakeup.clear()
            await self.flush()

    async def flush(self) -> None:
        """Keep what waits."""
        waiting = {**self._lazy, **self._waiting}
        self._lazy, self._waiting = {}, {}
        rows = {name: service.observed() for name, service in waiting.items()}
        try:
            await self.registry.record(list(rows.values()))
        except Exception as error:  # noqa: BLE001 - whatever it is, nothing may be lost
            log.warning("what was seen of services could not be kept: %s", error)
            self._waiting = {**waiting, **self._waiting}
            await asyncio.sleep(_TRY_AGAIN)
            self._wakeup.set()
            return
        for name, service in waiting.items():
            self.recorded(service, rows[name])

    async def announce(self) -> None:
        """Tell the listeners what comes, in order, until cancelled."""
        while True:
            views = [await self._changed.get()]
            while not self._changed.empty():
                views.append(self._changed.get_nowait())
            for each in _rounds(views):
                await asyncio.gather(*(_tell(self.listeners, view) for view in each))
            for _ in views:
                self._changed.task_done()

    async def record_observed(self) -> None:
        """Wait until every change so far was told."""
        await self._changed.join()


def _rounds(views: Sequence[ServiceView]) -> list[list[ServiceView]]:
    """Return the views in rounds with each service once, so that a round may be told at once."""
    rounds: list[list[ServiceView]] = []
    told: dict[str, int] = {}
    for view in views:
        number = told[view.id] = told.get(view.id, -1) + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(view)
    return rounds


async def _tell(listeners: Sequence[StatusListener], view: ServiceView) -> None:
    for listener in listeners:
        try:
            await listener(view)
        except Exception:  # a listener's mistake must not stop the supervisor
            log.exception("a listener failed on service %s", view.id)
