"""Looking after services one by one: starting, stopping, and acting on what their processes do."""

import asyncio
import errno
import logging
import os
import random
import secrets
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports import Clock
from storecrew.domain.services import (
    Observed,
    ServiceHealth,
    ServiceRegistry,
    ServiceStatus,
    Wanted,
)
from storecrew.supervisor import procfs
from storecrew.supervisor.checkups import Checkups
from storecrew.supervisor.health import Answer
from storecrew.supervisor.launch import Surroundings, spawn
from storecrew.supervisor.limits import Limits
from storecrew.supervisor.pipes import Pipes
from storecrew.supervisor.process import Process
from storecrew.supervisor.recorder import Recorder
from storecrew.supervisor.restarts import Again, GiveUp, Patience, after_end, attempts_so_far
from storecrew.supervisor.watched import LIVE, Watched

log = logging.getLogger(__name__)

_LOOK = 0.05
"""Seconds between two looks at what is left of a process group."""
_UNWELL = 3
"""Unhealthy answers in a row after which a service is started again."""
_SILENCE = 120.0
"""Seconds after which a service that reports by itself is missed: eight heartbeats."""
_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC}
"""What keeps a process from being started for a while: processes, memory, files, space run out."""
_GRACE = 60.0
"""Seconds in which a service that was never healthy may still be starting."""


@dataclass(frozen=True, kw_only=True)
class SupervisorSettings:
    """How services are looked after, unless they say otherwise."""

    health_checks: bool = True
    interval: float = 30.0
    timeout: float = 10.0
    recovery: bool = True
    max_retries: int = 3
    backoff_seconds: float = 30.0

    def patience(self, service: Watched) -> Patience:
        """Return how often this service is started again: what it says itself wins."""
        own = service.spec.restart_policy
        retries = self.max_retries if own.max_retries is None else own.max_retries
        backoff = self.backoff_seconds if own.backoff_seconds is None else own.backoff_seconds
        return Patience(enabled=self.recovery, max_retries=retries, backoff_seconds=backoff)


@dataclass
class Attendant:
    """Does what is wanted of each service and decides on what its process does.

    Everything runs on one event loop: a service's memory changes at once, and the journal has it
    a moment later. Nothing here waits for a disk or another process.
    """

    registry: ServiceRegistry
    pipes: Pipes
    surroundings: Surroundings
    clock: Clock
    settings: SupervisorSettings
    chance: Callable[[], float] = random.random
    services: dict[str, Watched] = field(default_factory=dict[str, Watched])
    boot: str = field(default_factory=procfs.boot_id)
    closing: bool = False
    """Nothing is started any more."""
    pulse: "set[asyncio.Future[None]]" = field(default_factory=set)
    """Who waits for a change."""
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _scanning: "asyncio.Task[dict[int, procfs.Stat]] | None" = None

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.registry, self._recorded)
        self.limits = Limits(self._over_memory)
        self.checkups = Checkups(
            self.settings.interval, self.settings.timeout, self._health_url, self._answered
        )

    def attend(self, service: Watched, process: Process, status: ServiceStatus) -> None:
        """Look after a process from now on."""
        loop = asyncio.get_running_loop()
        service.process, service.began = process, loop.time()
        service.well_since = None if self._is_examined(service) else loop.time()
        service.health, service.health_at = ServiceHealth.UNKNOWN, None
        service.unwell, service.was_well, service.cause = 0, False, ""
        service.reports = service.farewell = False
        process.watch(partial(self._ended, service))
        process.signal(signal.SIGCONT)  # held to its share when its supervisor died
        self.limits.begin(service)
        self._set(service, status)
        self.examine(service)

    def _is_examined(self, service: Watched) -> bool:
        return self.settings.health_checks and bool(service.spec.health_endpoint)

    def examine(self, service: Watched) -> None:
        """Ask it for its health from now on, where it can be asked."""
        if self._is_examined(service):
            self.checkups.begin(service)

    def _health_url(self, service: Watched) -> str:
        return self.surroundings.expanded("health_endpoint", service.spec.health_endpoint or "")

    # --- doing what is wanted --------------------------------------------------------------

    def act(self, service: Watched) -> None:
        """Do what the registry says of the service."""
        entry = service.entry
        is_restart = entry.generation > service.generation
        service.revision, service.generation = entry.revision, entry.generation
        if service.is_external:
            self.examine(service)
        elif entry.wanted is Wanted.STOPPED:
            self.stop(service)
        elif is_restart and service.process is not None:
            self.stop(service)
            service.again = True
        else:
            self._start(service)
        self.recorder.keep(service)

    def _start(self, service: Watched) -> None:
        if self.closing or (service.process is not None and service.status in LIVE):
            return
        if service.process is not None:
            service.again = True
            return
        service.cancel_timer()
        service.attempts = 0
        if missing := [d for d in service.spec.depends_on if not self._is_up(d)]:
            self._set(service, ServiceStatus.WAITING, f"waits for {', '.join(missing)}")
            return
        self._spawn(service, detail="")

    def _is_up(self, name: str) -> bool:
        other = self.services.get(name)
        if other is None or other.status not in (ServiceStatus.RUNNING, ServiceStatus.EXTERNAL):
            return False
        return not self._is_examined(other) or other.health is ServiceHealth.HEALTHY

    def _spawn(self, service: Watched, *, detail: str) -> None:
        service.timer = None
        try:
            launch = self.surroundings.launch(service.spec, secrets.token_hex(8))
            output = self.pipes.end_for(service.id)
            try:
                child = spawn(launch, output)
            finally:
                os.close(output)
        except OSError as error:
            what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
            if error.errno in _PASSING:
                service.cause = f"could not be started: {what}"
                self._crashed(service)
            else:
                self._set(service, ServiceStatus.FAILED, f"cannot be started: {what}")
        except InvalidInput as error:
            self._set(service, ServiceStatus.FAILED, f"cannot be started: {error}")
        else:
            service.adopted, service.detail = False, detail
            self.attend(service, Process.born(child, self.boot), ServiceStatus.STARTING)

    def stop(self, service: Watched) -> None:
        """Ask it to end, and kill it when it does not in time; harmless when it was asked."""
        service.again = False
        if service.status is ServiceStatus.STOPPING:
            return
        service.cancel_timer()
        process = service.process
        if process is None:
            if service.status is not ServiceStatus.STOPPED:
                self._set(service, ServiceStatus.STOPPED, "")
            return
        self.checkups.end(service)
        self._set(service, ServiceStatus.STOPPING, "")
        self._ask_to_end(service, process)

    def _ask_to_end(self, service: Watched, process: Process) -> None:
        loop = asyncio.get_running_loop()
        process.signal(signal.SIGTERM)
        self.limits.end(service)
        service.deadline = loop.time() + service.spec.stop_timeout
        service.timer = loop.call_later(service.spec.stop_timeout, self._lose_patience, service)

    def _lose_patience(self, service: Watched) -> None:
        if service.process is not None and not service.process.ended:
            service.detail = f"killed: it did not end within {service.spec.stop_timeout:g} s"
            service.process.kill_all()

    # --- acting on what happens ------------------------------------------------------------

    def _ended(self, service: Watched, process: Process) -> None:
        """Its main process has ended."""
        self.checkups.end(service)
        self.limits.end(service)
        if service.status is ServiceStatus.STOPPING:
            task = asyncio.create_task(
                self._finish_stop(service, process), name=f"stop of {service.id}"
            )
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            return
        service.cancel_timer()
        process.kill_rest()
        self._let_go(service, process)
        self._crashed(service)

    def _let_go(self, service: Watched, process: Process) -> None:
        service.exit_code = process.reap()
        service.process = None
        self.limits.cgroups.release(service.id)

    async def _finish_stop(self, service: Watched, process: Process) -> None:
        """Wait for the rest of its processes, and kill them when the time is over."""
        loop = asyncio.get_running_loop()
        while rest := procfs.leftovers(process.id, await self._scan()):
            if loop.time() >= service.deadline:
                for each in rest:
                    procfs.signal_exactly(each, signal.SIGKILL)
            await asyncio.sleep(_LOOK)
        service.cancel_timer()
        self._let_go(service, process)
        self._set(service, ServiceStatus.STOPPED)
        if service.again:
            service.again = False
            self._start(service)

    async def _scan(self) -> dict[int, procfs.Stat]:
        """Return every process; all who ask in one turn of the loop share the look."""
        if self._scanning is None:
            self._scanning = asyncio.create_task(self._scan_soon(), name="services: scan")
        return await self._scanning

    async def _scan_soon(self) -> dict[int, procfs.Stat]:
        await asyncio.sleep(0)
        self._scanning = None
        return procfs.snapshot()

    def _crashed(self, service: Watched) -> None:
        if service.farewell:
            self._set(service, ServiceStatus.STOPPED, "it said goodbye and ended")
            return
        loop = asyncio.get_running_loop()
        well_for = 0.0 if service.well_since is None else loop.time() - service.well_since
        service.attempts = attempts_so_far(service.attempts, well_for=well_for)
        ended = service.cause or how_it_ended(service.exit_code)
        patience = self.settings.patience(service)
        match after_end(patience, service.attempts, chance=self.chance()):
            case GiveUp(reason=reason):
                self._set(service, ServiceStatus.FAILED, f"{ended}; {reason}")
            case Again(seconds=seconds, attempt=attempt):
                service.attempts = attempt
                service.restarts += 1
                tries = f"restart {attempt} of {patience.max_retries}"
                when = f"in {seconds:.3g} s" if seconds else "at once"
                self._set(service, ServiceStatus.BACKOFF, f"{ended}; {tries} {when}")
                again = partial(self._spawn, service, detail=f"{ended}; {tries}")
                if seconds:
                    service.timer = loop.call_later(seconds, again)
                else:
                    again()

    def _over_memory(self, service: Watched, held: int) -> None:
        process, limit = service.process, service.spec.resources.max_memory
        if process is not None and service.status in LIVE and not service.cause:
            service.cause = f"over its memory limit: {held >> 20} MB of {limit}"
            process.kill_all()

    def report(self, service: Watched, answer: Answer) -> None:
        """Take its own word on its health."""
        service.reports, service.farewell = True, False
        self._answered(service, answer)

    def goodbye(self, service: Watched) -> None:
        """Let it end on purpose: that is no crash."""
        service.farewell, service.reports = True, False
        if service.is_external:
            self.checkups.end(service)
            service.health, service.health_at = ServiceHealth.UNKNOWN, self.clock.now()
            service.detail, service.unwell = "it said goodbye", 0
        self.recorder.note(service)

    def notice_silence(self) -> None:
        """Take those who reported and fell silent for unhealthy."""
        now = self.clock.now()
        for service in self.services.values():
            heard = service.health_at
            if service.reports and heard is not None and (now - heard).total_seconds() > _SILENCE:
                service.reports = False
                detail = f"it has not reported for {_SILENCE:g} s"
                self._answered(service, Answer(health=ServiceHealth.UNHEALTHY, detail=detail))

    def _answered(self, service: Watched, answer: Answer) -> None:
        loop = asyncio.get_running_loop()
        if not answer.reached and self._may_still_start(service):
            return
        before = service.health, service.detail
        service.health, service.health_at = answer.health, self.clock.now()
        if answer.health is ServiceHealth.HEALTHY:
            if service.unwell:
                service.detail = ""
            service.unwell = 0
            service.well_since = service.well_since or loop.time()
            service.was_well = True
        else:
            service.unwell += 1
            service.well_since, service.detail = None, answer.detail
            self._heal(service, answer)
        if (service.health, service.detail) != before:
            log.info("service %s is %s %s", service.id, answer.health.value, answer.detail)
            self.recorder.note(service)
            self._consider_waiting()
        else:
            self.recorder.note_lazily(service)

    def _may_still_start(self, service: Watched) -> bool:
        if service.is_external or service.health is not ServiceHealth.UNKNOWN:
            return False
        return asyncio.get_running_loop().time() - service.began < _GRACE

    def _heal(self, service: Watched, answer: Answer) -> None:
        process = service.process
        if process is None or service.unwell < _UNWELL or service.cause:
            return
        if not service.was_well and asyncio.get_running_loop().time() - service.began < _GRACE:
            return
        service.cause = f"unhealthy {service.unwell} times in a row: {answer.detail}"
        self._ask_to_end(service, process)

    # --- telling ---------------------------------------------------------------------------

    def _recorded(self, service: Watched, seen: Observed) -> None:
        """The journal has it: a process that is on record counts as running."""
        process = service.process
        if service.status is ServiceStatus.STARTING and process and process.id == seen.process:
            service.status = ServiceStatus.RUNNING
            self.recorder.tell(service)
            self._spread(service)

    def _set(self, service: Watched, status: ServiceStatus, detail: str | None = None) -> None:
        service.status, service.since = status, self.clock.now()
        if detail is not None:
            service.detail = detail
        if service.process is None:
            service.health, service.health_at = ServiceHealth.UNKNOWN, None
        how = log.error if status is ServiceStatus.FAILED else log.info
        how("service %s is %s %s", service.id, status.value, service.detail)
        self.recorder.note(service)
        self._spread(service)

    def _spread(self, service: Watched) -> None:
        """Let those know whom the change concerns."""
        for pulse in self.pulse:
            if not pulse.done():
                pulse.set_result(None)
        lost = f"{service.id}, which it depends on, is "
        for other in self.services.values():
            if service.id not in other.spec.depends_on or other.process is None:
                continue
            if service.status in (ServiceStatus.STOPPED, ServiceStatus.FAILED):
                other.detail = lost + service.status.value
                self.recorder.note(other)
            elif service.status is ServiceStatus.RUNNING and other.detail.startswith(lost):
                other.detail = ""
                self.recorder.note(other)
        self._consider_waiting()

    def _consider_waiting(self) -> None:
        for service in self.services.values():
            if service.status is ServiceStatus.WAITING:
                missing = [d for d in service.spec.depends_on if not self._is_up(d)]
                if not missing:
                    self._spawn(service, detail="")


def how_it_ended(code: int | None) -> str:
    """Return in words how a process ended."""
    if code is None:
        return "it ended"
    if code < 0:
        return f"ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
