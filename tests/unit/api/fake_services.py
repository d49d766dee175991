"""Services that exist in a dictionary, and start and stop by a word."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ProcessId,
    ServiceExists,
    ServiceHealth,
    ServiceNotManaged,
    ServiceOrigin,
    ServiceRecord,
    ServiceSpec,
    ServiceStatus,
    ServiceView,
    StatusListener,
    view_of,
)
from storecrew.domain.errors import NotFound

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass
class FakeServices:
    entries: dict[str, ServiceRecord] = field(default_factory=dict[str, ServiceRecord])
    lines: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    asked: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    next_pid: int = 100

    async def list(self) -> Sequence[ServiceView]:
        return [self._view(name) for name in sorted(self.entries)]

    async def show(self, service: str) -> ServiceView:
        return self._view(service)

    def _view(self, service: str) -> ServiceView:
        if service not in self.entries:
            raise NotFound("service", service)
        entry = self.entries[service]
        return view_of(entry, entry.observed, supervised=True)

    async def register(self, spec: ServiceSpec, *, by: str) -> ServiceView:
        if spec.id in self.entries:
            raise ServiceExists(spec.id)
        self.asked.append(("register", spec.id, by))
        self._add(spec, ServiceOrigin.API)
        return self._view(spec.id)

    def _add(self, spec: ServiceSpec, origin: ServiceOrigin) -> None:
        self.entries[spec.id] = ServiceRecord(
            spec=spec,
            origin=origin,
            registered_at=NOW,
            desired=DesiredState.STOPPED,
            generation=0,
            revision=1,
        )

    async def announce(self, spec: ServiceSpec, *, by: str) -> tuple[ServiceView, bool]:
        is_new = spec.id not in self.entries
        if is_new:
            self.asked.append(("announce", spec.id, by))
            self._add(spec, ServiceOrigin.SDK)
        return self._view(spec.id), is_new

    async def report(self, service: str, health: ServiceHealth, detail: str = "") -> None:
        self._see(service, self._view(service).status, health=health, detail=detail)

    async def deregister(self, service: str) -> None:
        self._see(service, self._view(service).status, detail="it said goodbye")

    async def start(self, service: str, *, by: str) -> ServiceView:
        return self._ask("start", service, by, ServiceStatus.RUNNING)

    async def stop(self, service: str, *, by: str) -> ServiceView:
        return self._ask("stop", service, by, ServiceStatus.STOPPED)

    async def restart(self, service: str, *, by: str) -> ServiceView:
        self._ask("restart", service, by, ServiceStatus.STOPPED)
        return self._ask("start", service, by, ServiceStatus.RUNNING)

    def _ask(self, verb: str, service: str, by: str, status: ServiceStatus) -> ServiceView:
        view = self._view(service)
        if view.origin is ServiceOrigin.SDK:
            raise ServiceNotManaged(service)
        self.asked.append((verb, service, by))
        if view.status is not status:
            self._see(service, status)
        return self._view(service)

    def _see(
        self,
        service: str,
        status: ServiceStatus,
        health: ServiceHealth = ServiceHealth.UNKNOWN,
        detail: str = "",
    ) -> None:
        entry = self.entries[service]
        process = None
        if status is ServiceStatus.RUNNING:
            self.next_pid += 1
            process = ProcessId(pid=self.next_pid, start_ticks=1, boot_id="b")
        seen = ObservedState(
            service=service, status=status, since=NOW, process=process, health=health, detail=detail
        )
        wanted = DesiredState.RUNNING if process else entry.desired
        self.entries[service] = replace(entry, observed=seen, desired=wanted)

    async def logs(self, service: str, *, lines: int, search: str = "") -> Sequence[str]:
        self._view(service)
        found = [each for each in self.lines.get(service, []) if search in each]
        return found[-lines:]

    async def follow(self, service: str | None = None) -> AsyncIterator[tuple[str, str]]:
        for name, lines in self.lines.items():
            for line in lines:
                if service in (None, name):
                    yield name, line

    def on_change(self, changed: StatusListener) -> None:
        raise NotImplementedError
