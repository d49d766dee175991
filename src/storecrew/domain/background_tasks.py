"""Work in the background that never ends by itself: restarted when it does, and reported."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

log = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds before a restart; the pause doubles while the work keeps failing."""
_RECOVERED = 5.0
"""Seconds that restarted work must last to count as running."""
_CALM = 60.0
"""Seconds that work must last for the next pause to be short again."""

Work = Callable[[], Awaitable[object]]


@dataclass
class BackgroundTasks:
    """Runs work until closed. What ends or fails is logged, reported and restarted."""

    first_pause: float = _FIRST_PAUSE
    recovered_after: float = _RECOVERED
    _failing: dict[str, str] = field(default_factory=dict[str, str])
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    @property
    def failing(self) -> Mapping[str, str]:
        """Why each piece of work that should run does not, by name."""
        return MappingProxyType(self._failing)

    def start(self, name: str, work: Work) -> "asyncio.Task[None]":
        """Run the work from now on; cancelling the task ends it."""
        task = asyncio.create_task(self._keep_running(name, work), name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End all work."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_running(self, name: str, work: Work) -> None:
        loop, pause = asyncio.get_running_loop(), self.first_pause
        while True:
            began = loop.time()
            try:
                await self._run(name, work)
                self._failing[name] = "it ended"
            except Exception as error:
                self._failing[name] = repr(error)
                log.exception("%s failed and is started again", name)
            if loop.time() - began >= _CALM:
                pause = self.first_pause
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _run(self, name: str, work: Work) -> None:
        """Run the work once; once it lasted a while it does not count as failing."""
        recovered = asyncio.get_running_loop().call_later(
            self.recovered_after, self._failing.pop, name, None
        )
        try:
            await work()
        finally:
            recovered.cancel()
