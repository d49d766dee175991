"""The HTTP server as the command line runs it: services hear of the end first."""

import os
import socket
from types import FrameType

import uvicorn

from storecrew.api.asgi import Application


class GracefulServer(uvicorn.Server):
    """Serves the application until told to stop."""

    def __init__(
        self, config: uvicorn.Config, application: Application, *, is_detached: bool
    ) -> None:
        super().__init__(config)
        self._application = application
        self._is_detached = is_detached

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start; output until then goes to the waiting process, the rest to the log."""
        await super().startup(sockets)
        if self._is_detached and self.started:
            with open(os.devnull, "wb") as nothing:  # noqa: ASYNC230 - a device
                for output in (1, 2):
                    os.dup2(nothing.fileno(), output)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop on a signal: the services are told before requests under way are waited for."""
        self._application.begin_end()
        super().handle_exit(sig, frame)
