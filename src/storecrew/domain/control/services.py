"""Services: specification, desired state, observed state."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from storecrew.domain.actions import ControlAction
from storecrew.domain.errors import StorecrewError
from storecrew.domain.events import Event


class ServiceOrigin(Enum):
    """How a service became known."""

    YAML = "yaml"
    API = "api"
    SDK = "sdk"
    """It announced itself: it is watched, and never started or stopped."""


class DesiredState(Enum):
    """What a person, or `auto_start`, wants of a service."""

    RUNNING = "running"
    STOPPED = "stopped"


class ServiceStatus(Enum):
    """What a service was last seen to do."""

    STOPPED = "stopped"
    WAITING = "waiting"
    """It is to start once what it depends on is up."""
    STARTING = "starting"
    """Its process runs and is not yet in the journal."""
    RUNNING = "running"
    STOPPING = "stopping"
    BACKOFF = "backoff"
    """It ended, and is started again when its pause is over."""
    FAILED = "failed"
    """It ended too often, or cannot start; nothing more is tried until a person starts it."""
    EXTERNAL = "external"
    """Somebody else runs it."""


class ServiceHealth(Enum):
    """What a service last answered about itself."""

    UNKNOWN = "unknown"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """How often a service that ends is started again; None leaves it to the `recovery` settings."""

    max_retries: int | None = None
    backoff_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Resources:
    """The most that a service and its children may use, as written: `512MB`, `25%` of a core."""

    max_memory: str | None = None
    max_cpu: str | None = None


@dataclass(frozen=True, kw_only=True)
class HealthCheckConfig:
    """How often a service is asked, in seconds; None leaves it to the `monitoring` settings."""

    interval: float | None = None
    timeout: float | None = None
    status: str = "json"
    """What a good answer is: `json`, 200 with the agreed object, or `any-2xx`."""


@dataclass(frozen=True, kw_only=True)
class ServiceSpec:
    """A service as its owner describes it. `${NAME}` in its texts stands for a variable."""

    id: str
    name: str = ""
    type: str = "service"
    executable: str = ""
    """The program and its arguments, as a shell would split them; no shell ever sees it."""
    health_endpoint: str | None = None
    api_endpoint: str | None = None
    auto_start: bool = False
    restart_policy: RestartPolicy = RestartPolicy()
    resources: Resources = Resources()
    environment: Mapping[str, str] = field(default_factory=dict[str, str])
    depends_on: tuple[str, ...] = ()
    user: str | None = None
    working_directory: str | None = None
    stop_timeout: float = 10.0
    """Seconds between the request to end and the kill."""
    health: HealthCheckConfig = HealthCheckConfig()


@dataclass(frozen=True, kw_only=True)
class ProcessId:
    """One process and no other: a pid alone is used again."""

    pid: int
    start_ticks: int
    """When it started, in the kernel's ticks since boot."""
    boot_id: str
    """The boot of the machine in which that is."""


@dataclass(frozen=True, kw_only=True)
class ObservedState:
    """What was last seen of a service."""

    service: str
    status: ServiceStatus
    since: datetime
    process: ProcessId | None = None
    restarts: int = 0
    exit_code: int | None = None
    """How its last process ended; negative is the signal that ended it."""
    health: ServiceHealth = ServiceHealth.UNKNOWN
    health_at: datetime | None = None
    adopted: bool = False
    """Its process was started by an earlier storecrew."""
    detail: str = ""
    """One sentence on why it is so."""
    cpu_limit: str = ""
    """What holds its processor share: `cgroup`, `duty cycle` or nothing."""
    revision: int = 0
    """The newest wish that was acted on."""


@dataclass(frozen=True, kw_only=True)
class ServiceRecord:
    """A service in the registry."""

    spec: ServiceSpec
    origin: ServiceOrigin
    registered_at: datetime
    desired: DesiredState
    generation: int
    """Grows when somebody asks for a restart."""
    revision: int
    """Grows with each wish."""
    observed: ObservedState | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceView:
    """A service as people and programs are shown it. Values of its environment are left out."""

    id: str
    name: str
    type: str
    status: ServiceStatus
    pid: int | None
    since: datetime | None
    health: ServiceHealth
    health_at: datetime | None
    restarts: int
    exit_code: int | None
    adopted: bool
    supervised: bool
    """Whether a running storecrew looks after it now."""
    detail: str
    desired: DesiredState
    origin: ServiceOrigin
    executable: str
    health_endpoint: str | None
    api_endpoint: str | None
    auto_start: bool
    restart_policy: RestartPolicy
    resources: Resources
    cpu_limit: str
    depends_on: tuple[str, ...]
    stop_timeout: float
    environment: tuple[str, ...]
    """The names of its variables."""
    registered_at: datetime

    @property
    def is_down(self) -> bool:
        """Whether it should be up and is not, or says that it is ill.

        One that is looked after and stopped all the same said goodbye, or stops for a restart.
        """
        if self.status in (ServiceStatus.RUNNING, ServiceStatus.EXTERNAL):
            return self.health is ServiceHealth.UNHEALTHY
        ended_well = self.supervised and self.status is ServiceStatus.STOPPED
        return self.desired is DesiredState.RUNNING and not ended_well


def view_of(
    entry: ServiceRecord, observed: ObservedState | None, *, supervised: bool
) -> ServiceView:
    """Return what is shown of a service, given what was last seen of it."""
    spec = entry.spec
    external = entry.origin is ServiceOrigin.SDK
    state = observed or ObservedState(
        service=spec.id,
        status=ServiceStatus.EXTERNAL if external else ServiceStatus.STOPPED,
        since=entry.registered_at,
    )
    return ServiceView(
        id=spec.id,
        name=spec.name or spec.id,
        type=spec.type,
        status=state.status,
        pid=state.process.pid if state.process else None,
        since=state.since,
        health=state.health,
        health_at=state.health_at,
        restarts=state.restarts,
        exit_code=state.exit_code,
        adopted=state.adopted,
        supervised=supervised,
        detail=state.detail,
        desired=entry.desired,
        origin=entry.origin,
        executable=spec.executable,
        health_endpoint=spec.health_endpoint,
        api_endpoint=spec.api_endpoint,
        auto_start=spec.auto_start,
        restart_policy=spec.restart_policy,
        resources=spec.resources,
        cpu_limit=state.cpu_limit,
        depends_on=spec.depends_on,
        stop_timeout=spec.stop_timeout,
        environment=tuple(sorted(spec.environment)),
        registered_at=entry.registered_at,
    )


class ServiceExists(StorecrewError):
    """Another service has this id."""

    def __init__(self, service: str) -> None:
        super().__init__(f"service {service!r} is registered already; choose another id")
        self.service = service


class ServiceNotManaged(StorecrewError):
    """The service announced itself and is not managed: its own starter must stop it."""

    def __init__(self, service: str) -> None:
        super().__init__(
            f"service {service!r} announced itself and was not started here; "
            "register it with an executable to have it started and stopped"
        )
        self.service = service


class SupervisorNotRunning(StorecrewError):
    """What is wanted was recorded, and no process is there to do it."""

    def __init__(self, service: str, wanted: str = "") -> None:
        recorded = f"that {service!r} is to be {wanted} is recorded, and done at the next"
        super().__init__(
            f"nothing supervises on this data folder: {recorded if wanted else 'begin with'} "
            "`storecrew up`"
        )
        self.service = service
        self.wanted = wanted


StatusListener = Callable[[ServiceView], Awaitable[None]]
"""Is told a service after each change of its status or health, in order."""


@dataclass(frozen=True, kw_only=True)
class RestartService(ControlAction):
    """End the service's process and start it again."""

    service: str

    @property
    def subject(self) -> str:
        """The service."""
        return f"service:{self.service}"


@dataclass(frozen=True, kw_only=True)
class ServiceFailed(Event):
    """A service beside the plane does not work."""

    service: str
    detail: str
