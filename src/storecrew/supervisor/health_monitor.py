"""Regular questions to every service about its health."""

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from storecrew.domain.control.services import ServiceHealth
from storecrew.supervisor.health_probe import HealthProbe, ProbeResult
from storecrew.supervisor.managed_service import ManagedService

log = logging.getLogger(__name__)

_EAGER = 1.0
"""Seconds between two questions to a service that never answered well yet."""
_FIRST = 0.2


@dataclass
class HealthMonitor:
    """Asks each service that has a health endpoint, at its own pace."""

    interval: float
    timeout: float
    url: Callable[[ManagedService], str]
    answered: Callable[[ManagedService, ProbeResult], None]
    _probe: HealthProbe = field(default_factory=HealthProbe)
    _tasks: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)

    def begin(self, service: ManagedService) -> None:
        """Ask this service from now on."""
        self.end(service)
        if service.spec.health_endpoint:
            name = f"health of {service.id}"
            self._tasks[service.id] = asyncio.create_task(self._monitor(service), name=name)

    def end(self, service: ManagedService) -> None:
        """Ask it no longer."""
        if (task := self._tasks.pop(service.id, None)) is not None:
            task.cancel()

    async def _monitor(self, service: ManagedService) -> None:
        pace = service.spec.health
        interval, timeout = pace.interval or self.interval, pace.timeout or self.timeout
        url = self.url(service)
        eager = min(_EAGER, interval)
        await asyncio.sleep(min(_FIRST, interval))
        while True:
            try:
                self.answered(service, await self._probe.probe(url, timeout, pace.status))
            except Exception:  # whatever it is, the service is asked again
                log.exception("the health of service %s could not be asked", service.id)
            is_new = service.health is ServiceHealth.UNKNOWN
            # spread, so that a hundred services are not asked in the same moment
            await asyncio.sleep(eager if is_new else interval * random.uniform(0.9, 1.0))  # noqa: S311

    async def close(self) -> None:
        """Stop asking."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._probe.close()
