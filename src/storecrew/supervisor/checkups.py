"""Regular questions to every service about its health."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from storecrew.domain.services import ServiceHealth
from storecrew.supervisor.health import Answer, Physician
from storecrew.supervisor.watched import Watched

_EAGER = 1.0
"""Seconds between two questions to a service that never answered well yet."""
_FIRST = 0.2


@dataclass
class Checkups:
    """Asks each service that has a health endpoint, at its own pace."""

    interval: float
    timeout: float
    url: Callable[[Watched], str]
    answered: Callable[[Watched, Answer], None]
    _physician: Physician = field(default_factory=Physician)
    _tasks: "dict[str, asyncio.Task[None]]" = field(default_factory=dict)

    def begin(self, service: Watched) -> None:
        """Ask this service from now on."""
        self.end(service)
        if service.spec.health_endpoint:
            name = f"health of {service.id}"
            self._tasks[service.id] = asyncio.create_task(self._ask(service), name=name)

    def end(self, service: Watched) -> None:
        """Ask it no longer."""
        if (task := self._tasks.pop(service.id, None)) is not None:
            task.cancel()

    async def _ask(self, service: Watched) -> None:
        pace = service.spec.health
        interval, timeout = pace.interval or self.interval, pace.timeout or self.timeout
        url = self.url(service)
        eager = min(_EAGER, interval)
        await asyncio.sleep(min(_FIRST, interval))
        while True:
            self.answered(service, await self._physician.ask(url, timeout))
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
        await self._physician.close()
