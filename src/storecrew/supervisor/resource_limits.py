"""Memory and processor limits of services, held over their whole process trees."""

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from storecrew.supervisor import procfs
from storecrew.supervisor.cgroups import Cgroups
from storecrew.supervisor.managed_service import ManagedService

log = logging.getLogger(__name__)

CHECK_SECONDS = 0.5
"""Between two looks at what every service uses."""
_TICK = 0.05
"""Seconds between two looks at a service that is held to its share."""
_CALM = 2.0
"""Seconds within its share after which a service is looked at less closely again."""


@dataclass
class CpuBudget:
    """Processor time that a service may still use; it earns its share of each second."""

    share: float
    left: float = 0.0
    _used: float | None = None
    _at: float = 0.0

    def book(self, used: float, now: float) -> float:
        """Take in how much was used in all until now, in seconds; return what is left."""
        if self._used is not None:
            spent = max(0.0, used - self._used)  # a member that ended takes its time with it
            self.left += self.share * (now - self._at) - spent
            self.left = min(self.left, self.share * CHECK_SECONDS)
        self._used, self._at = used, now
        return self.left


@dataclass
class ResourceLimits:
    """Looks at what limited services use, and acts where it is too much."""

    over_memory: Callable[[ManagedService, int], None]
    """Is called with a service that holds so many bytes, more than it may."""
    cgroups: Cgroups = field(default_factory=Cgroups.ours)
    _balances: dict[str, CpuBudget] = field(default_factory=dict[str, CpuBudget])
    _throttles: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)

    def begin(self, service: ManagedService) -> None:
        """Hold a service that was just started or adopted to its share."""
        service.cpu_limit = ""
        share, process = service.share, service.process
        if share is None or process is None:
            return
        if self.cgroups.hold(service.id, process.id.pid, share):
            service.cpu_limit = "cgroup"
        else:
            service.cpu_limit = "duty cycle"
            self._balances[service.id] = CpuBudget(share)

    def end(self, service: ManagedService) -> None:
        """Let go of a service that ends, so that it can."""
        if (task := self._throttles.pop(service.id, None)) is not None:
            task.cancel()
        self._balances.pop(service.id, None)
        if service.process is not None:
            service.process.signal(signal.SIGCONT)

    async def watch(self, services: Iterable[ManagedService]) -> None:
        """Look at them again and again, until cancelled."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            if limited := [s for s in services if self._is_limited(s)]:
                self._check(limited, await asyncio.to_thread(procfs.snapshot))

    def _is_limited(self, service: ManagedService) -> bool:
        if service.process is None or service.process.ended:
            return False
        return service.memory_limit is not None or service.id in self._balances

    def _check(
        self, limited: list[ManagedService], processes: dict[int, procfs.ProcessStat]
    ) -> None:
        forest = procfs.ProcessTree(processes)
        now = asyncio.get_running_loop().time()
        for service in limited:
            process = service.process
            if process is None or process.ended:
                continue
            process.members = forest.tree(process.id.pid)
            limit = service.memory_limit
            if limit is not None and (held := _held(process.members, limit)) > limit:
                self.over_memory(service, held)
            elif service.id in self._balances:
                self._weigh(service, now)

    def _weigh(self, service: ManagedService, now: float) -> None:
        process = service.process
        if process is None or service.id in self._throttles:
            return
        if self._balances[service.id].book(_used(process.members), now) < 0:
            name = f"share of {service.id}"
            self._throttles[service.id] = asyncio.create_task(self._throttle(service), name=name)

    async def _throttle(self, service: ManagedService) -> None:
        """Stop and continue the service so that it uses its share, until it is calm."""
        loop, process, balance = (
            asyncio.get_running_loop(),
            service.process,
            self._balances[service.id],
        )
        assert process is not None  # noqa: S101 - it lives, or this task was cancelled
        is_held, calm_since = False, loop.time()
        try:
            while loop.time() - calm_since < _CALM:
                now = [each for m in process.members if (each := procfs.stat(m.pid)) is not None]
                is_over = balance.book(_used(now), loop.time()) < 0
                if is_over is not is_held:
                    is_held = is_over
                    process.signal(signal.SIGSTOP if is_over else signal.SIGCONT)
                if is_over:
                    calm_since = loop.time()
                await asyncio.sleep(_TICK)
        except OSError as error:  # the next look begins anew
            log.warning("the share of service %s is not held: %s", service.id, error)
            process.signal(signal.SIGCONT)
        self._throttles.pop(service.id, None)

    async def close(self) -> None:
        """Stop enforcing limits."""
        tasks = list(self._throttles.values())
        self._throttles.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _used(members: Iterable[procfs.ProcessStat]) -> float:
    return sum(each.used for each in members) / procfs.TICKS


def _held(members: Iterable[procfs.ProcessStat], limit: int) -> int:
    """Return the tree's memory; what is shared counts once where that decides."""
    members = tuple(members)
    resident = sum(each.resident for each in members)
    if resident <= limit or len(members) == 1:
        return resident
    exact = [procfs.proportional(each.pid) for each in members]
    return sum(e if e is not None else m.resident for e, m in zip(exact, members, strict=True))
