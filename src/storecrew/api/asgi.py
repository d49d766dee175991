"""The application by import string: `uvicorn storecrew.api.asgi:app`. Nothing happens at import."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from storecrew.api.application import create_app
from storecrew.api.authentication import auth_settings_problem
from storecrew.app.bootstrap import open_access, open_plane
from storecrew.app.control_plane import ProcessRole
from storecrew.app.gc_tuning import set_start_up_aside
from storecrew.app.logging_config import configure_logs
from storecrew.app.sentry import report_errors
from storecrew.app.settings import Settings, load_settings
from storecrew.domain.errors import InvalidSettings, StorecrewError
from storecrew.domain.ports.clock import Clock

log = logging.getLogger(__name__)


@dataclass
class Application:
    """Reads the settings and starts the plane with the server, and stops them with it."""

    load: Callable[[], Settings] = load_settings
    clock: Clock | None = None
    """Where the plane's time comes from; None is the machine's clock."""
    duty: ProcessRole = ProcessRole.ALL
    """Whether the crew runs in this process too."""
    _served: FastAPI | None = None
    _begin_end: Callable[[], object] = lambda: None

    def begin_end(self) -> None:
        """Let services and readers of logs go as soon as the process is told to end.

        May be called from a signal handler.
        """
        self._begin_end()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the server's own start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif self._served is not None:
            await self._served(scope, receive, send)
        else:
            raise RuntimeError("the server must run the lifespan: do not switch it off")

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            await receive()
            try:
                self._served = await self._start(stack)
            except Exception as error:  # the server must hear of it, whatever it is
                if not isinstance(error, StorecrewError):
                    log.critical("could not start", exc_info=error)
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, stack: AsyncExitStack) -> FastAPI:
        settings = self.load()
        if reason := await refusal_to_listen(settings):
            raise InvalidSettings([reason])
        stack.enter_context(configure_logs(settings))
        stack.enter_context(report_errors(settings))
        plane = await stack.enter_async_context(
            open_plane(settings, clock=self.clock, duty=self.duty)
        )
        loop = asyncio.get_running_loop()
        self._begin_end = partial(loop.call_soon_threadsafe, plane.begin_end)
        served = create_app(plane, settings)
        stack.push_async_callback(served.state.refusals.close)
        set_start_up_aside()
        return served


async def refusal_to_listen(settings: Settings) -> str | None:
    """Return why the server must not listen as configured, or None where it may."""
    reason = auth_settings_problem(settings)
    if reason is None or settings.api_key is not None:
        return reason
    async with open_access(settings) as access:
        known = await access.admitted()
    return auth_settings_problem(settings, has_callers=bool(known.keys))


app = Application()
