"""A service's own side of being looked after: it announces itself, beats, and says when it goes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any

from storecrew.domain.errors import StorecrewError
from storecrew.sdk.client import DEFAULT_URL, Client

BEAT_SECONDS = 15.0
"""Between two heartbeats: an eighth of the two minutes after which silence is noticed."""


class ServiceAgent:
    """Tells the plane about the service that this process is.

        with ServiceAgent("reviews", health_endpoint="http://127.0.0.1:8001/health"):
            serve()

    As a context manager it registers, beats from a thread of its own, and says goodbye. Every
    method may be called on its own, again and again, and raises `Unreachable` or
    `RequestRejected`; the thread keeps quiet about a plane that is away, and goes on.
    """

    def __init__(
        self,
        service_id: str,
        url: str = DEFAULT_URL,
        *,
        health_endpoint: str | None = None,
        api_endpoint: str | None = None,
        api_key: str | None = None,
    ) -> None:
        self.service_id = service_id
        self._endpoints = {"health_endpoint": health_endpoint, "api_endpoint": api_endpoint}
        self._client = Client(url, api_key=api_key)
        self._path = f"/api/services/{service_id}"
        self._ended = threading.Event()
        self._beating: threading.Thread | None = None

    def register(self) -> dict[str, Any]:
        """Announce the service and return what the plane knows of it. Repeating changes nothing.

        A service that no file describes is listed as external: watched, never started or stopped.
        """
        body = {"service_id": self.service_id, **self._endpoints}
        announced: dict[str, Any] = self._client.post("/api/services/announce", body)
        return announced

    def heartbeat(self) -> None:
        """Say that the service works."""
        self.report_health("healthy")

    def report_health(self, status: str, detail: str = "") -> None:
        """Say how the service is, `healthy` or `unhealthy`, and why."""
        self._client.post(f"{self._path}/health", {"status": status, "detail": detail})

    def graceful_shutdown(self) -> None:
        """Deregister the service, which ends on purpose, so that no alert is sent."""
        self._ended.set()
        self._client.post(f"{self._path}/deregister")

    def start_beating(
        self, is_healthy: Callable[[], bool] = lambda: True, *, every: float = BEAT_SECONDS
    ) -> None:
        """Beat from a thread until `graceful_shutdown`, saying what `is_healthy` tells."""
        if self._beating is None:
            self._beating = threading.Thread(
                target=self._beat, args=(is_healthy, every), name="storecrew-heartbeat", daemon=True
            )
            self._beating.start()

    def _beat(self, is_healthy: Callable[[], bool], every: float) -> None:
        while not self._ended.wait(every):
            with suppress(StorecrewError):  # away for a moment; the next beat tells it all
                self.report_health("healthy" if is_healthy() else "unhealthy")

    def __enter__(self) -> ServiceAgent:
        self.register()
        self.start_beating()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(StorecrewError):  # the service ends all the same
            self.graceful_shutdown()
