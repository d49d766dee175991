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

from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ServiceHealth,
    ServiceStatus,
)
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.services import ServiceRegistry
from storecrew.supervisor import procfs
from storecrew.supervisor.health_monitor import HealthMonitor
from storecrew.supervisor.health_probe import ProbeResult
from storecrew.supervisor.launch import LaunchEnvironment, spawn
from storecrew.supervisor.managed_service import LIVE, ManagedService
from storecrew.supervisor.pipes import Pipes
from storecrew.supervisor.process import Process
from storecrew.supervisor.recorder import Recorder
from storecrew.supervisor.resource_limits import ResourceLimits
from storecrew.supervisor.restarts import (
    Abandon,
    Restart,
    RestartBudget,
    counted_attempts,
    next_restart,
)

log = logging.getLogger(__name__)

_LOOK = 0.05
"""Seconds between two looks at what is left of a process group."""
_UNWELL = 3
"""Unhealthy answers in a row after which a service is started again."""
_SILENCE = 120.0
"""Seconds after which a service that reports by itself is missed: eight heartbeats."""
_PASSING = {errno.EAGAIN, errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ENOSPC}
"""What keeps a process from being started for a while: processes, memory, files, space run out."""
_GRACE_SECONDS = 60.0
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

    def patience(self, service: ManagedService) -> RestartBudget:
        """Return how often this service is started again: what it says itself wins."""
        own = service.spec.restart_policy
        retries = self.max_retries if own.max_retries is None else own.max_retries
        backoff = self.backoff_seconds if own.backoff_seconds is None else own.backoff_seconds
        return RestartBudget(enabled=self.recovery, max_retries=retries, backoff_seconds=backoff)


@dataclass
class ServiceController:
    """Does what is wanted of each service and decides on what its process does.

    Everything runs on one event loop: a service's memory changes at once, and the journal has it
    a moment later. Nothing here waits for a disk or another process.
    """

    registry: ServiceRegistry
    pipes: Pipes
    surroundings: LaunchEnvironment
    clock: Clock
    settings: SupervisorSettings
    chance: Callable[[], float] = random.random
    services: dict[str, ManagedService] = field(default_factory=dict[str, ManagedService])
    boot: str = field(default_factory=procfs.boot_id)
    closing: bool = False
    """Nothing is started any more."""
    pulse: "set[asyncio.Future[None]]" = field(default_factory=set)
    """Who waits for a change."""
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)
    _scanning: "asyncio.Task[dict[int, procfs.ProcessStat]] | None" = None

    def __post_init__(self) -> None:
        self.recorder = Recorder(self.registry, self._recorded)
        self.limits = ResourceLimits(self._over_memory)
        self.checkups = HealthMonitor(
            self.settings.interval, self.settings.timeout, self._health_url, self._answered
        )

    def manage(self, service: ManagedService, process: Process, status: ServiceStatus) -> None:
        """Look after a process from now on."""
        loop = asyncio.get_running_loop()
        service.process, service.began = process, loop.time()
        service.well_since = None if self._is_examined(service) else loop.time()
        service.health, service.health_at = ServiceHealth.UNKNOWN, None
        service.consecutive_failures, service.was_well, service.cause = 0, False, ""
        service.reports = service.deregistered = False
        process.watch(partial(self._ended, service))
        process.signal(signal.SIGCONT)  # held to its share when its supervisor died
        self.limits.begin(service)
        self._set(service, status)
        self.examine(service)

    def _is_examined(self, service: ManagedService) -> bool:
        return self.settings.health_checks and bool(service.spec.health_endpoint)

    def examine(self, service: ManagedService) -> None:
        """Ask it for its health from now on, where it can be asked."""
        if self._is_examined(service):
            self.checkups.begin(service)

    def _health_url(self, service: ManagedService) -> str:
        return self.surroundings.expanded("health_endpoint", service.spec.health_endpoint or "")

    # --- doing what is wanted --------------------------------------------------------------

    def act(self, service: ManagedService) -> None:
        """Do what the registry says of the service."""
        entry = service.record
        is_restart = entry.generation > service.generation
        service.revision, service.generation = entry.revision, entry.generation
        if service.is_external:
            self.examine(service)
        elif entry.desired is DesiredState.STOPPED:
            self.stop(service)
        elif is_restart and service.process is not None:
            self.stop(service)
            service.restart_pending = True
        else:
            self._start(service)
        self.recorder.save(service)

    def _start(self, service: ManagedService) -> None:
        if self.closing or (service.process is not None and service.status in LIVE):
            return
        if service.process is not None:
            service.restart_pending = True
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

    def _spawn(self, service: ManagedService, *, detail: str) -> None:
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
            self.manage(service, Process.start_ticks(child, self.boot), ServiceStatus.STARTING)

    def stop(self, service: ManagedService) -> None:
        """Ask it to end, and kill it when it does not in time; harmless when it was asked."""
        service.restart_pending = False
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
        self._send_stop_signal(service, process)

    def _send_stop_signal(self, service: ManagedService, process: Process) -> None:
        loop = asyncio.get_running_loop()
        process.signal(signal.SIGTERM)
        self.limits.end(service)
        service.deadline = loop.time() + service.spec.stop_timeout
        service.timer = loop.call_later(
            service.spec.stop_timeout, self._kill_after_timeout, service
        )

    def _kill_after_timeout(self, service: ManagedService) -> None:
        if service.process is not None and not service.process.ended:
            service.detail = f"killed: it did not end within {service.spec.stop_timeout:g} s"
            service.process.kill_all()

    # --- acting on what happens ------------------------------------------------------------

    def _ended(self, service: ManagedService, process: Process) -> None:
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

    def _let_go(self, service: ManagedService, process: Process) -> None:
        service.exit_code = process.reap()
        service.process = None
        self.limits.cgroups.release(service.id)

    async def _finish_stop(self, service: ManagedService, process: Process) -> None:
        """Wait for the rest of its processes, and kill them when the time is over."""
        loop = asyncio.get_running_loop()
        while rest := procfs.group_survivors(process.id, await self._scan()):
            if loop.time() >= service.deadline:
                for each in rest:
                    procfs.signal_exactly(each, signal.SIGKILL)
            await asyncio.sleep(_LOOK)
        service.cancel_timer()
        self._let_go(service, process)
        self._set(service, ServiceStatus.STOPPED)
        if service.restart_pending:
            service.restart_pending = False
            self._start(service)

    async def _scan(self) -> dict[int, procfs.ProcessStat]:
        """Return every process; all who ask in one turn of the loop share the look."""
        if self._scanning is None:
            self._scanning = asyncio.create_task(self._scan_soon(), name="services: scan")
        return await self._scanning

    async def _scan_soon(self) -> dict[int, procfs.ProcessStat]:
        await asyncio.sleep(0)
        self._scanning = None
        return procfs.snapshot()

    def _crashed(self, service: ManagedService) -> None:
        if service.deregistered:
            self._set(service, ServiceStatus.STOPPED, "it said goodbye and ended")
            return
        loop = asyncio.get_running_loop()
        well_for = 0.0 if service.well_since is None else loop.time() - service.well_since
        service.attempts = counted_attempts(service.attempts, well_for=well_for)
        ended = service.cause or how_it_ended(service.exit_code)
        patience = self.settings.patience(service)
        match next_restart(patience, service.attempts, chance=self.chance()):
            case Abandon(reason=reason):
                self._set(service, ServiceStatus.FAILED, f"{ended}; {reason}")
            case Restart(seconds=seconds, attempt=attempt):
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

    def _over_memory(self, service: ManagedService, held: int) -> None:
        process, limit = service.process, service.spec.resources.max_memory
        if process is not None and service.status in LIVE and not service.cause:
            service.cause = f"over its memory limit: {held >> 20} MB of {limit}"
            process.kill_all()

    def report(self, service: ManagedService, answer: ProbeResult) -> None:
        """Take its own word on its health."""
        service.reports, service.deregistered = True, False
        self._answered(service, answer)

    def deregister(self, service: ManagedService) -> None:
        """Let it end on purpose: that is no crash."""
        service.deregistered, service.reports = True, False
        if service.is_external:
            self.checkups.end(service)
            service.health, service.health_at = ServiceHealth.UNKNOWN, self.clock.now()
            service.detail, service.consecutive_failures = "it said goodbye", 0
        self.recorder.mark_changed(service)

    def check_silence(self) -> None:
        """Take those who reported and fell silent for unhealthy."""
        now = self.clock.now()
        for service in self.services.values():
            heard = service.health_at
            if service.reports and heard is not None and (now - heard).total_seconds() > _SILENCE:
                service.reports = False
                detail = f"it has not reported for {_SILENCE:g} s"
                self._answered(service, ProbeResult(health=ServiceHealth.UNHEALTHY, detail=detail))

    def _answered(self, service: ManagedService, answer: ProbeResult) -> None:
        loop = asyncio.get_running_loop()
        if not answer.reached and self._may_still_start(service):
            return
        before = service.health, service.detail
        service.health, service.health_at = answer.health, self.clock.now()
        if answer.health is ServiceHealth.HEALTHY:
            if service.consecutive_failures:
                service.detail = ""
            service.consecutive_failures = 0
            service.well_since = service.well_since or loop.time()
            service.was_well = True
        else:
            service.consecutive_failures += 1
            service.well_since, service.detail = None, answer.detail
            self._heal(service, answer)
        if (service.health, service.detail) != before:
            log.info("service %s is %s %s", service.id, answer.health.value, answer.detail)
            self.recorder.mark_changed(service)
            self._consider_waiting()
        else:
            self.recorder.mark_changed_lazily(service)

    def _may_still_start(self, service: ManagedService) -> bool:
        if service.is_external or service.health is not ServiceHealth.UNKNOWN:
            return False
        return asyncio.get_running_loop().time() - service.began < _GRACE_SECONDS

    def _heal(self, service: ManagedService, answer: ProbeResult) -> None:
        process = service.process
        if process is None or service.consecutive_failures < _UNWELL or service.cause:
            return
        if (
            not service.was_well
            and asyncio.get_running_loop().time() - service.began < _GRACE_SECONDS
        ):
            return
        service.cause = f"unhealthy {service.consecutive_failures} times in a row: {answer.detail}"
        self._send_stop_signal(service, process)

    # --- telling ---------------------------------------------------------------------------

    def _recorded(self, service: ManagedService, seen: ObservedState) -> None:
        """The journal has it: a process that is on record counts as running."""
        process = service.process
        if service.status is ServiceStatus.STARTING and process and process.id == seen.process:
            service.status = ServiceStatus.RUNNING
            self.recorder.notify(service)
            self._spread(service)

    def _set(
        self, service: ManagedService, status: ServiceStatus, detail: str | None = None
    ) -> None:
        service.status, service.since = status, self.clock.now()
        if detail is not None:
            service.detail = detail
        if service.process is None:
            service.health, service.health_at = ServiceHealth.UNKNOWN, None
        how = log.error if status is ServiceStatus.FAILED else log.info
        how("service %s is %s %s", service.id, status.value, service.detail)
        self.recorder.mark_changed(service)
        self._spread(service)

    def _spread(self, service: ManagedService) -> None:
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
                self.recorder.mark_changed(other)
            elif service.status is ServiceStatus.RUNNING and other.detail.startswith(lost):
                other.detail = ""
                self.recorder.mark_changed(other)
        self._consider_waiting()

    def _consider_waiting(self) -> None:
        for service in self.services.values():
            if service.status is ServiceStatus.WAITING:
                missing = [d for d in service.spec.depends_on if not self._is_up(d)]
                if not missing:
                    self._spawn(service, detail="")


_SIGNALS = frozenset(signal.Signals)
"""Signals that have a name; real-time signals between the first and the last have none."""


def how_it_ended(code: int | None) -> str:
    """Return in words how a process ended."""
    if code is None:
        return "it ended"
    if code < 0:
        name = signal.Signals(-code).name if -code in _SIGNALS else f"signal {-code}"
        return f"ended by {name}"
    return f"ended with exit code {code}"
