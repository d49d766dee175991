"""The supervisor: adopts processes of an earlier storecrew, and reconciles desired state."""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from storecrew.domain.background_tasks import BackgroundTasks, Work
from storecrew.domain.control.services import (
    ProcessId,
    ServiceHealth,
    ServiceOrigin,
    ServiceRecord,
    ServiceStatus,
    ServiceView,
    StatusListener,
)
from storecrew.domain.errors import NotFound, StorecrewError
from storecrew.supervisor import procfs
from storecrew.supervisor.health_probe import ProbeResult
from storecrew.supervisor.managed_service import ManagedService
from storecrew.supervisor.orphans import OrphanReaper
from storecrew.supervisor.process import Process
from storecrew.supervisor.service_controller import ServiceController

log = logging.getLogger(__name__)

_POLL = 0.25
"""Seconds between two looks at the registry for what other processes want."""

_SILENCE_LOOK = 5.0
_ORPHANS_LOOK = 2.0
_BREATH = 0.02
"""Seconds of starting and stopping after which others on the loop have their turn."""


@dataclass
class Supervisor:
    """Looks after every service of one data folder, alone."""

    controller: ServiceController
    background: BackgroundTasks = field(default_factory=BackgroundTasks)
    """Where its loops run."""
    _revision: int = -1
    _loops: "list[asyncio.Task[None]]" = field(default_factory=list)
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def _services(self) -> dict[str, ManagedService]:
        return self.controller.services

    # --- its own life ----------------------------------------------------------------------

    async def open(self, gone: Sequence[ServiceRecord] = ()) -> None:
        """Adopt what an earlier storecrew left running, then start what is wanted.

        What was left of services that are gone is ended.
        """
        entries = await self.controller.registry.entries()
        self._revision = max((entry.revision for entry in entries), default=0)
        await self._have_pipes([*entries, *gone])
        processes = await asyncio.to_thread(procfs.snapshot)
        strays = (
            procfs.marked(self.controller.surroundings.folder, processes.values())
            if entries
            else {}
        )
        for entry in entries:
            self._register_new(entry, strays.get(entry.spec.id), processes)
        for service in list(self._services.values()):
            self.controller.act(service)
        loops: dict[str, Work] = {
            "services: journal": self.controller.recorder.record,
            "services: news": self.controller.recorder.announce,
            "services: wishes": self._poll_registry,
            "services: silence": self._check_silence,
            "services: orphans": self._reap_orphans,
            "services: limits": partial(self.controller.limits.watch, self._services.values()),
        }
        for name, loop in loops.items():
            self._loops.append(self.background.start(name, loop))
        for entry in gone:
            self._do(self._end_forgotten(entry), f"services: end of {entry.spec.id}")

    async def _have_pipes(self, entries: Sequence[ServiceRecord]) -> None:
        """Start the log collector once there is a service that may be started."""
        if any(entry.origin is not ServiceOrigin.SDK for entry in entries):
            await self.controller.pipes.open()

    async def _end_forgotten(self, entry: ServiceRecord) -> None:
        observed = entry.observed
        process = Process.adopted(observed.process) if observed and observed.process else None
        if process is None:
            return
        ended = asyncio.Event()
        process.watch(lambda _process: ended.set())
        process.signal(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(entry.spec.stop_timeout):
                await ended.wait()
        process.signal(signal.SIGKILL)
        process.kill_rest()
        process.release()

    def begin_end(self) -> None:
        """Ask every service to end; nothing is started any more. `close` waits for it."""
        self.controller.closing = True
        for service in self._services.values():
            if not service.is_external:
                self.controller.stop(service)

    async def close(self) -> None:
        """Stop every service, all at once, then write down what they said last."""
        self.begin_end()
        await self._until(lambda: all(s.process is None for s in self._services.values()))
        await self.controller.checkups.close()
        await self.controller.limits.close()
        await self.controller.recorder.flush()
        await self.controller.recorder.record_observed()
        tasks = [*self._loops, *self._tasks]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.controller.pipes.close(stop_collector=True)

    def _do(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what the doors ask ----------------------------------------------------------------

    def on_change(self, changed: StatusListener) -> None:
        """Call this after each change of a service."""
        self.controller.recorder.listeners.append(changed)

    def views(self) -> Sequence[ServiceView]:
        """Return every service as it is now, by id."""
        return [self._services[name].view() for name in sorted(self._services)]

    def view(self, service: str) -> ServiceView:
        """Return one service as it is now, or raise `NotFound`."""
        return self._known(service).view()

    def report(self, service: str, health: ServiceHealth, detail: str) -> None:
        """Take a service's own word on its health; raises `NotFound`."""
        self.controller.report(self._known(service), ProbeResult(health=health, detail=detail))

    def deregister(self, service: str) -> None:
        """Note that a service ends on purpose; raises `NotFound`."""
        self.controller.deregister(self._known(service))

    def _known(self, service: str) -> ManagedService:
        if service not in self._services:
            raise NotFound("service", service)
        return self._services[service]

    async def reconcile(self) -> None:
        """Do what is newly wanted, without waiting for the next regular look."""
        entries = await self.controller.registry.entries()
        self._revision = max((entry.revision for entry in entries), default=0)
        await self._have_pipes(entries)
        loop = asyncio.get_running_loop()
        began = loop.time()
        for entry in entries:
            known = self._services.get(entry.spec.id)
            if known is None:
                self.controller.act(self._register_new(entry, None, {}))
            elif entry.revision > known.revision:
                known.record = entry
                self.controller.act(known)
            if loop.time() - began > _BREATH:  # a hundred starts must not hold up a request
                await asyncio.sleep(0)
                began = loop.time()

    async def settled(self, service: str, within: float) -> ServiceView:
        """Return the service once it reached its desired state, or after so long."""
        watched = self._services[service]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                await self._until(lambda: watched.is_settled)
        return watched.view()

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            pulse = asyncio.get_running_loop().create_future()
            self.controller.pulse.add(pulse)
            try:
                await pulse
            finally:
                self.controller.pulse.discard(pulse)

    async def _poll_registry(self) -> None:
        while True:
            await asyncio.sleep(_POLL)
            try:
                if await self.controller.registry.revision() != self._revision:
                    await self.reconcile()
            except StorecrewError as error:
                log.warning("the registry of services could not be read: %s", error)

    async def _reap_orphans(self) -> None:
        reaper = OrphanReaper()
        while True:
            await asyncio.sleep(_ORPHANS_LOOK)
            running = {s.process.id.pid for s in self._services.values() if s.process is not None}
            reaper.reap(running | self.controller.pipes.own_processes)

    async def _check_silence(self) -> None:
        while True:
            await asyncio.sleep(_SILENCE_LOOK)
            self.controller.check_silence()

    # --- taking in -------------------------------------------------------------------------

    def _register_new(
        self,
        entry: ServiceRecord,
        stray: procfs.ProcessStat | None,
        processes: dict[int, procfs.ProcessStat],
    ) -> ManagedService:
        observed = entry.observed
        service = ManagedService(entry, ServiceStatus.STOPPED, self.controller.clock.now())
        self._services[entry.spec.id] = service
        service.generation = entry.generation
        if observed is not None:
            service.restarts, service.exit_code = observed.restarts, observed.exit_code
        if service.is_external:
            service.status = ServiceStatus.EXTERNAL
            self.controller.examine(service)
            return service
        process = self._left_running(observed.process if observed else None, stray, processes)
        if process is not None:
            self._adopt(service, process)
        return service

    def _left_running(
        self,
        recorded: ProcessId | None,
        stray: procfs.ProcessStat | None,
        processes: dict[int, procfs.ProcessStat],
    ) -> Process | None:
        if recorded is not None and recorded.boot_id == self.controller.boot:
            if (process := Process.adopted(recorded)) is not None:
                return process
            for rest in procfs.group_survivors(recorded, processes):
                procfs.signal_exactly(rest, signal.SIGKILL)
        if stray is None:
            return None
        return Process.adopted(
            ProcessId(pid=stray.pid, start_ticks=stray.start_ticks, boot_id=self.controller.boot)
        )

    def _adopt(self, service: ManagedService, process: Process) -> None:
        service.adopted = True
        service.detail = "adopted: an earlier storecrew started it"
        os.close(self.controller.pipes.end_for(service.id))  # the keeper must have its pipe open
        self.controller.manage(service, process, ServiceStatus.RUNNING)
