"""One service as the supervisor holds it in memory."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime

from storecrew.domain.control.services import (
    ObservedState,
    ServiceHealth,
    ServiceOrigin,
    ServiceRecord,
    ServiceSpec,
    ServiceStatus,
    ServiceView,
    view_of,
)
from storecrew.supervisor.process import Process
from storecrew.supervisor.units import bytes_of, share_of

LIVE = (ServiceStatus.STARTING, ServiceStatus.RUNNING)


@dataclass(eq=False)
class ManagedService:
    """What is wanted of a service, its process, and what was last seen of it."""

    record: ServiceRecord
    status: ServiceStatus
    since: datetime
    process: Process | None = None
    attempts: int = 0
    """Restarts in a row that the next decision counts."""
    restarts: int = 0
    exit_code: int | None = None
    health: ServiceHealth = ServiceHealth.UNKNOWN
    health_at: datetime | None = None
    consecutive_failures: int = 0
    """Unhealthy answers in a row."""
    was_well: bool = False
    """Its present process answered well at least once."""
    well_since: float | None = None
    """When it began to be in good health, on the loop's clock."""
    began: float = 0.0
    """When its process was started or adopted, on the loop's clock."""
    reports: bool = False
    """It tells of its health by itself, and its silence means something."""
    deregistered: bool = False
    """It said that it ends on purpose."""
    adopted: bool = False
    detail: str = ""
    cause: str = ""
    """Why we ended it ourselves."""
    cpu_limit: str = ""
    revision: int = 0
    generation: int = 0
    restart_pending: bool = False
    """It is to start again once it has stopped."""
    deadline: float = 0.0
    """When the patience with its stop ends, on the loop's clock."""
    timer: asyncio.TimerHandle | None = None

    @property
    def id(self) -> str:
        """The service's id."""
        return self.record.spec.id

    @property
    def spec(self) -> ServiceSpec:
        """What its owner wrote."""
        return self.record.spec

    @property
    def is_external(self) -> bool:
        """Whether it runs outside of the supervisor."""
        return self.record.origin is ServiceOrigin.SDK

    @property
    def is_settled(self) -> bool:
        """Whether it has reached its desired state."""
        passing = (ServiceStatus.STARTING, ServiceStatus.STOPPING)
        return self.status not in passing and not self.restart_pending

    @property
    def memory_limit(self) -> int | None:
        """Most bytes for it and its children."""
        limit = self.spec.resources.max_memory
        return None if limit is None else bytes_of(limit)

    @property
    def share(self) -> float | None:
        """Most processor time for it and its children, as a share of a core."""
        limit = self.spec.resources.max_cpu
        return None if limit is None else share_of(limit)

    def cancel_timer(self) -> None:
        """Forget the pause or the patience under way."""
        if self.timer is not None:
            self.timer.cancel()
            self.timer = None

    def observed(self) -> ObservedState:
        """Return it as it is kept: a process that is recorded counts as running."""
        is_starting = self.status is ServiceStatus.STARTING
        return ObservedState(
            service=self.id,
            status=ServiceStatus.RUNNING if is_starting else self.status,
            since=self.since,
            process=self.process.id if self.process else None,
            restarts=self.restarts,
            exit_code=self.exit_code,
            health=self.health,
            health_at=self.health_at,
            adopted=self.adopted,
            detail=self.detail,
            cpu_limit=self.cpu_limit,
            revision=self.revision,
        )

    def view(self) -> ServiceView:
        """Return it as it is shown, now."""
        return view_of(self.record, replace(self.observed(), status=self.status), supervised=True)
