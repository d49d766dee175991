"""Services as entry points use them: registry, log files and, where it runs, the supervisor."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from pydantic import SecretStr

from storecrew.app import settings_sources
from storecrew.app.clocks import SystemClock
from storecrew.app.database_urls import database_url
from storecrew.app.service_files import read_services
from storecrew.app.settings import Settings
from storecrew.app.shop_folder import make_folder
from storecrew.domain.background_tasks import BackgroundTasks
from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ProcessId,
    ServiceHealth,
    ServiceOrigin,
    ServiceRecord,
    ServiceSpec,
    ServiceStatus,
    ServiceView,
    StatusListener,
    SupervisorNotRunning,
    view_of,
)
from storecrew.domain.errors import InvalidInput
from storecrew.domain.ports.clock import Clock
from storecrew.journal import open_journal
from storecrew.journal.services import SqlServiceRegistry, SupervisorLease
from storecrew.supervisor import (
    LaunchEnvironment,
    Pipes,
    ServiceController,
    Supervisor,
    SupervisorSettings,
    dependency_order,
    log_reader,
    procfs,
)

OWN_LOG = "orchestrator"
"""The name under which storecrew's own log is read."""
_LOOK_AGAIN = 0.02
"""Seconds between two looks at a row that another process writes."""
_PATIENCE = 5.0
"""Seconds beyond a service's own stop timeout that a door waits for what was asked."""
_LIVE = (ServiceStatus.RUNNING, ServiceStatus.STARTING, ServiceStatus.STOPPING)
_PASSING = (ServiceStatus.STARTING, ServiceStatus.STOPPING)


@dataclass(kw_only=True)
class ServiceManager:
    """Answers for the services of one data folder, in the process that supervises or beside it."""

    registry: SqlServiceRegistry
    surroundings: LaunchEnvironment
    log_dir: Path
    clock: Clock
    supervisor: Supervisor | None = None
    is_ending: bool = False

    async def list(self) -> Sequence[ServiceView]:
        """Return every service, by id."""
        if self.supervisor is not None:
            return self.supervisor.views()
        supervised = await self.is_supervised()
        return [_seen(entry, supervised) for entry in await self.registry.entries()]

    async def show(self, service: str) -> ServiceView:
        """Return one service, or raise `NotFound`."""
        if self.supervisor is not None:
            return self.supervisor.view(service)
        return _seen(await self.registry.entry(service), await self.is_supervised())

    async def register(self, spec: ServiceSpec, *, by: str) -> ServiceView:
        """Take a service in, and start it where `auto_start` says so."""
        self.surroundings.check(spec)
        await self._check_order(spec)
        entry = await self.registry.register(spec, ServiceOrigin.API, by=by, now=self.clock.now())
        if self.supervisor is None:
            return _seen(entry, await self.is_supervised())
        await self.supervisor.reconcile()
        return await self.supervisor.settled(spec.id, _PATIENCE)

    async def _check_order(self, spec: ServiceSpec) -> None:
        known = {e.spec.id: e.spec.depends_on for e in await self.registry.entries()}
        dependency_order({**known, spec.id: spec.depends_on})

    async def announce(self, spec: ServiceSpec, *, by: str) -> tuple[ServiceView, bool]:
        """Take in a service that runs already, and tell whether it was new."""
        is_new = await self.registry.announce(spec, by=by, now=self.clock.now())
        if self.supervisor is not None:
            await self.supervisor.reconcile()
        return await self.show(spec.id), is_new

    async def report(self, service: str, health: ServiceHealth, detail: str = "") -> None:
        """Take a service's own word on its health."""
        (await self._supervisor(service)).report(service, health, detail)

    async def deregister(self, service: str) -> None:
        """Note that the service ends on purpose."""
        (await self._supervisor(service)).deregister(service)

    async def _supervisor(self, service: str) -> Supervisor:
        if self.supervisor is None:
            await self.registry.entry(service)
            raise SupervisorNotRunning(service)
        return self.supervisor

    async def start(self, service: str, *, by: str) -> ServiceView:
        """Have it running, and return how it is once that was tried."""
        return await self._want(service, DesiredState.RUNNING, by=by)

    async def stop(self, service: str, *, by: str) -> ServiceView:
        """Have it stopped, with all of its processes."""
        return await self._want(service, DesiredState.STOPPED, by=by)

    async def restart(self, service: str, *, by: str) -> ServiceView:
        """Have it stopped and started once."""
        return await self._want(service, DesiredState.RUNNING, restart=True, by=by)

    async def _want(
        self, service: str, wanted: DesiredState, *, restart: bool = False, by: str
    ) -> ServiceView:
        now = self.clock.now()
        entry = await self.registry.request(service, wanted, restart=restart, by=by, now=now)
        within = entry.spec.stop_timeout + _PATIENCE
        if self.supervisor is not None:
            await self.supervisor.reconcile()
            return await self.supervisor.settled(service, within)
        if not await self.is_supervised():
            raise SupervisorNotRunning(service, wanted.value)
        return await self._until_done(entry, within)

    async def _until_done(self, requested: ServiceRecord, within: float) -> ServiceView:
        """Wait until the supervisor has reached the desired state, or for so long."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            entry = await self.registry.entry(requested.spec.id)
            if _is_done(entry, requested.revision) or loop.time() > deadline:
                return _seen(entry, supervised=True)
            await asyncio.sleep(_LOOK_AGAIN)

    async def is_supervised(self) -> bool:
        """Tell whether some process looks after the services now."""
        return self.supervisor is not None or await self.charge() is not None

    async def charge(self) -> SupervisorLease | None:
        """Return the process that looks after the services now."""
        charge = await self.registry.lease()
        if charge is None:
            return None
        # another machine's, on a shared database, cannot be looked at: its word counts
        is_here = charge.host == socket.gethostname()
        return None if is_here and not lives(charge.process) else charge

    async def logs(self, service: str, *, lines: int, search: str = "") -> Sequence[str]:
        """Return its newest lines, oldest first, or those of them that contain the words."""
        if service != OWN_LOG:
            await self.show(service)
        return await asyncio.to_thread(log_reader.tail, self.log_dir, service, lines, search)

    async def follow(self, service: str | None = None) -> AsyncIterator[tuple[str, str]]:
        """Yield each new line of one service, or of all, with the service's id."""
        names = [service] if service else [view.id for view in await self.list()]
        if service and service != OWN_LOG:
            await self.show(service)
        async for found in log_reader.follow(self.log_dir, names, lambda: self.is_ending):
            yield found

    def on_change(self, changed: StatusListener) -> None:
        """Call this after each change of a service that this process supervises."""
        if self.supervisor is not None:
            self.supervisor.on_change(changed)

    def begin_end(self) -> None:
        """Ask all services to end and let go of those who follow logs, before anything else."""
        self.is_ending = True
        if self.supervisor is not None:
            self.supervisor.begin_end()


def _is_done(entry: ServiceRecord, revision: int) -> bool:
    observed = entry.observed
    if observed is None or observed.revision < revision or observed.status in _PASSING:
        return False
    is_stopped = observed.status is ServiceStatus.STOPPED
    return is_stopped is (entry.desired is DesiredState.STOPPED)


def _seen(entry: ServiceRecord, supervised: bool) -> ServiceView:
    """Return a service as last recorded; without a supervisor, after a look at its process."""
    observed = entry.observed
    if supervised or observed is None or observed.status is ServiceStatus.EXTERNAL:
        return view_of(entry, observed, supervised=supervised)
    return view_of(entry, _alone(observed), supervised=False)


def _alone(seen: ObservedState) -> ObservedState:
    if seen.process is not None and seen.status in _LIVE:
        if lives(seen.process):
            return replace(seen, detail="it runs, and nothing supervises it")
        gone = "its process is gone, and nothing supervises it"
        return replace(seen, status=ServiceStatus.STOPPED, process=None, detail=gone)
    if seen.status in (ServiceStatus.BACKOFF, ServiceStatus.WAITING):
        return replace(seen, status=ServiceStatus.STOPPED, detail="nothing supervises it")
    return seen


def lives(process: ProcessId) -> bool:
    """Tell whether this very process lives on this machine."""
    now = procfs.stat(process.pid)
    return (
        now is not None
        and now.start_ticks == process.start_ticks
        and process.boot_id == procfs.boot_id()
    )


def described(settings: Settings) -> list[ServiceSpec]:
    """Return the services of the folder's files; raises `InvalidInput` where one cannot be."""
    surroundings = _surroundings(settings)
    specs = read_services(settings.orchestrator.services_dir)
    for spec in specs:
        _check(surroundings, spec)
    return specs


@asynccontextmanager
async def open_services(
    settings: Settings,
    registry: SqlServiceRegistry,
    clock: Clock,
    *,
    supervise: bool,
    changed: StatusListener | None = None,
    background: BackgroundTasks | None = None,
) -> AsyncIterator[ServiceManager]:
    """Open the service manager; with `supervise`, also supervise until the block is left.

    `changed` is told of each change, the first start included.
    """
    surroundings = _surroundings(settings)
    log_dir = settings.orchestrator.log_dir
    manager = ServiceManager(
        registry=registry, surroundings=surroundings, log_dir=log_dir, clock=clock
    )
    if not supervise:
        yield manager
        return
    specs = described(settings)
    gone = await registry.keep_files(specs, now=clock.now())
    await registry.acquire_lease(_charge(settings))
    supervisor = manager.supervisor = _supervisor(settings, manager)
    supervisor.background = background or supervisor.background
    if changed is not None:
        supervisor.on_change(changed)
    await supervisor.open(gone)
    try:
        yield manager
    finally:
        manager.begin_end()
        await supervisor.close()
        await registry.release_lease()


async def end_services(settings: Settings, registry: SqlServiceRegistry, clock: Clock) -> int:
    """Stop what a storecrew that was killed left running; return how many services that were.

    The caller holds the folder's lock, so nobody else looks after them.
    """
    async with open_services(settings, registry, clock, supervise=False) as manager:
        supervisor = _supervisor(settings, manager)
        supervisor.controller.closing = True
        await supervisor.open()
        left = sum(view.pid is not None for view in supervisor.views())
        await supervisor.close()
    await registry.release_lease()
    return left


def _supervisor(settings: Settings, manager: ServiceManager) -> Supervisor:
    pipes = Pipes(settings.data_dir.resolve() / "pipes", manager.log_dir)
    supervisor_settings = _supervisor_settings(settings)
    return Supervisor(
        ServiceController(
            manager.registry, pipes, manager.surroundings, manager.clock, supervisor_settings
        )
    )


def _surroundings(settings: Settings) -> LaunchEnvironment:
    folder = str(settings.data_dir.resolve())
    return LaunchEnvironment.of(
        sha256(folder.encode()).hexdigest()[:16],
        os.environ,
        _Variables(settings_sources.variables(os.environ, Path.cwd())),
    )


def _check(surroundings: LaunchEnvironment, spec: ServiceSpec) -> None:
    try:
        surroundings.check(spec)
    except InvalidInput as error:
        raise InvalidInput(f"service {spec.id}: {error.field}", error.problem) from None


def _charge(settings: Settings) -> SupervisorLease:
    now = procfs.stat(os.getpid())
    born = now.start_ticks if now else 0
    process = ProcessId(pid=os.getpid(), start_ticks=born, boot_id=procfs.boot_id())
    listening = settings.orchestrator
    scheme = "https" if listening.tls_cert else "http"
    address = f"{scheme}://{listening.host}:{listening.port}"
    return SupervisorLease(process=process, host=socket.gethostname(), address=address)


def _supervisor_settings(settings: Settings) -> SupervisorSettings:
    monitoring, recovery = settings.monitoring, settings.recovery
    return SupervisorSettings(
        health_checks=monitoring.enabled,
        interval=monitoring.interval,
        timeout=monitoring.timeout,
        recovery=recovery.enabled,
        max_retries=recovery.max_retries,
        backoff_seconds=recovery.backoff_seconds,
    )


@dataclass(frozen=True)
class _Variables:
    """What `${NAME}` may stand for: the environment and `.env`, without storecrew's own secrets."""

    known: dict[str, str]

    def __call__(self, name: str) -> str | None:
        if name.upper().startswith(settings_sources.PREFIX) or name.upper() in _secret_names():
            raise InvalidInput(name, "is storecrew's own, and given to no service")
        return self.known.get(name)


def _secret_names() -> set[str]:
    """Return the plain variables that hold secrets of storecrew's own."""
    found = set()
    for name, (section, key) in settings_sources.PLAIN_NAMES.items():
        fields = getattr(Settings.model_fields[section].annotation, "model_fields", {})
        if key in fields and SecretStr.__name__ in str(fields[key].annotation):
            found.add(name)
    return found


@asynccontextmanager
async def open_supervised_services(settings: Settings) -> AsyncIterator[ServiceManager]:
    """Open only the service manager, beside the process that supervises."""
    make_folder(settings.data_dir)
    journal = await asyncio.to_thread(open_journal, database_url(settings, "registry.db"))
    try:
        services = SqlServiceRegistry(journal.database)
        async with open_services(settings, services, SystemClock(), supervise=False) as service:
            yield service
    finally:
        await journal.close()
