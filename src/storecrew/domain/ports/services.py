"""The registry of services, and the port that starts and stops them."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol

from storecrew.domain.control.services import (
    ObservedState,
    ServiceHealth,
    ServiceRecord,
    ServiceSpec,
    ServiceView,
    StatusListener,
)


class ServiceRegistry(Protocol):
    """The registry as the supervisor sees it."""

    async def entries(self) -> Sequence[ServiceRecord]:
        """Return every service with what was last recorded of it, by id."""
        ...

    async def revision(self) -> int:
        """Return the registry's revision, which grows with each change of desired state."""
        ...

    async def record(self, rows: Sequence[ObservedState]) -> None:
        """Keep what was seen; returns after the commit. Unknown services are left out."""
        ...


class Services(Protocol):
    """Services, as entry points list and control them."""

    async def list(self) -> Sequence[ServiceView]:
        """Return every service, by id."""
        ...

    async def show(self, service: str) -> ServiceView:
        """Return one service, or raise `NotFound`."""
        ...

    async def register(self, spec: ServiceSpec, *, by: str) -> ServiceView:
        """Take a service in, and start it where `auto_start` says so.

        Raises `ServiceExists`, or `InvalidInput` naming a field that cannot be.
        """
        ...

    async def announce(self, spec: ServiceSpec, *, by: str) -> tuple[ServiceView, bool]:
        """Take in a service that runs already, and tell whether it was new.

        One that announced itself before may have moved; one that is started here stays as it is.
        """
        ...

    async def report(self, service: str, health: ServiceHealth, detail: str = "") -> None:
        """Take a service's own word on its health; raises `NotFound` or `SupervisorNotRunning`.

        One that reported and then falls silent counts as unhealthy.
        """
        ...

    async def deregister(self, service: str) -> None:
        """Note that the service ends on purpose; raises as `report` does."""
        ...

    async def start(self, service: str, *, by: str) -> ServiceView:
        """Have it running, and return how it is once that was tried; harmless when it runs.

        Raises `NotFound`, `ServiceNotManaged`, or `SupervisorNotRunning` where only the desired
        state was recorded.
        """
        ...

    async def stop(self, service: str, *, by: str) -> ServiceView:
        """Have it stopped, with all of its processes; raises as `start` does."""
        ...

    async def restart(self, service: str, *, by: str) -> ServiceView:
        """Have it stopped and started once; raises as `start` does."""
        ...

    async def logs(self, service: str, *, lines: int, search: str = "") -> Sequence[str]:
        """Return its newest lines, oldest first, or those of them that contain the words."""
        ...

    def follow(self, service: str | None = None) -> AsyncIterator[tuple[str, str]]:
        """Yield each new line of one service, or of all, with the service's id."""
        ...

    def on_change(self, changed: StatusListener) -> None:
        """Call this after each change of a service that this process supervises."""
        ...
