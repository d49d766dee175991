"""The services' output: a pipe each, and the log collector that drains them, kept alive."""

import asyncio
import contextlib
import fcntl
import logging
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from storecrew.supervisor import log_collector

log = logging.getLogger(__name__)

MAX_BYTES = 10_000_000
BACKUPS = 3
"""Files kept beside the newest; with it 40 MB a service."""
_PAUSE = 1.0
"""Seconds before a keeper that ended soon after its start is started again."""
_STOP_SECONDS = 5.0
_SOON = 0.02


@dataclass
class Pipes:
    """The pipes of one data folder, and the log collector that drains them into the log folder."""

    folder: Path
    logs: Path
    max_bytes: int = MAX_BYTES
    backups: int = BACKUPS
    _held: dict[str, int] = field(default_factory=dict[str, int])
    _control: int = -1
    _collector: int = -1
    """A handle on the keeper's process."""
    _pid: int = 0
    _child: "subprocess.Popen[bytes] | None" = None
    _began: float = 0.0
    _closing: bool = False
    _is_sending: bool = False
    _reviving: "asyncio.Task[None] | None" = None

    async def open(self) -> None:
        """Find the folder's log collector, or start one. Idempotent."""
        if self._control >= 0:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        control = self.folder / log_collector.CONTROL
        if not control.exists():
            os.mkfifo(control, 0o600)
        self._control = os.open(control, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        await self._find_or_start()

    @property
    def collector_pid(self) -> int:
        """The log collector's process."""
        return self._pid

    def end_for(self, service: str) -> int:
        """Return a new descriptor of the service's pipe, for a child to write into."""
        path = self.folder / service
        if service not in self._held:
            with contextlib.suppress(FileExistsError):
                os.mkfifo(path, 0o600)
            # Held open here too, so that nothing is lost while the keeper is started again
            held = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            log_collector.widen(held)
            self._held[service] = held
            if not self._is_sending:  # one word for all that are opened in one turn of the loop
                self._is_sending = True
                asyncio.get_running_loop().call_soon(self._send_pipes)
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)

    async def close(self, *, stop_collector: bool) -> None:
        """Close the pipes; a log collector that is to stop first writes what is left."""
        self._closing = True
        if self._reviving is not None:
            await self._reviving
        if self._collector >= 0:
            asyncio.get_running_loop().remove_reader(self._collector)
            if stop_collector:
                await self._stop_collector()
            os.close(self._collector)
            self._collector = -1
        for held in (*self._held.values(), self._control):
            if held >= 0:
                os.close(held)
        self._held.clear()
        self._control = -1
        if self._child is not None and not stop_collector:
            self._child.returncode = 0  # it lives on, and is no longer ours to wait for

    def _send_pipes(self) -> None:
        self._is_sending = False
        if self._control >= 0:
            self._send(b"look\n")

    def _send(self, word: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # full: the keeper will look anyway
            os.write(self._control, word)

    async def _stop_collector(self) -> None:
        self._send(b"stop\n")
        if not await _ended(self._collector, _STOP_SECONDS):
            log.warning("the log keeper did not stop in time and is killed")
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._pid, 9)
            await _ended(self._collector, _STOP_SECONDS)
        if self._child is not None:
            self._child.wait()

    async def _find_or_start(self) -> None:
        while (found := self._running()) is not None:
            pid, logs = found
            with contextlib.suppress(ProcessLookupError, ValueError):
                handle = os.pidfd_open(pid)
                if logs == str(self.logs.resolve()):
                    self._watch(pid, handle)
                    return
                self._send(b"stop\n")  # it writes into another folder
                await _ended(handle, _STOP_SECONDS)
                os.close(handle)
            await asyncio.sleep(_SOON)  # it is only now starting, or ending
        self._start()

    def _running(self) -> tuple[int, str] | None:
        """Return the log collector that holds the folder's lock, and where it writes."""
        lock = os.open(
            self.folder / log_collector.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid, _, logs = os.pread(lock, 8192, 0).decode().strip().partition("\n")
            return int(pid or 0), logs
        else:
            return None
        finally:
            os.close(lock)

    @property
    def own_processes(self) -> set[int]:
        """The log collector, while it is a child of this process."""
        return {self._child.pid} if self._child is not None else set()

    def _start(self) -> None:
        self._began = time.monotonic()
        with (self.folder / ".errors").open("ab") as errors:
            self._child = subprocess.Popen(  # noqa: S603 - our own script
                [
                    sys.executable,
                    "-I",
                    "-S",
                    log_collector.__file__,
                    str(self.folder.resolve()),
                    str(self.logs.resolve()),
                    str(self.max_bytes),
                    str(self.backups),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={},
                cwd="/",
                start_new_session=True,
            )
        self._watch(self._child.pid, os.pidfd_open(self._child.pid))

    def _watch(self, pid: int, handle: int) -> None:
        self._pid, self._collector = pid, handle
        asyncio.get_running_loop().add_reader(handle, self._on_end)

    def _on_end(self) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._collector)
        os.close(self._collector)
        self._collector = -1
        if self._child is not None:
            self._child.wait()
            self._child = None
        log.warning("the log keeper (process %d) ended and is started again", self._pid)
        soon = time.monotonic() - self._began < _PAUSE
        self._reviving = loop.create_task(self._revive(_PAUSE if soon else 0.0), name="log keeper")

    async def _revive(self, pause: float) -> None:
        await asyncio.sleep(pause)
        if not self._closing:
            await self._find_or_start()


async def _ended(handle: int, within: float) -> bool:
    """Wait for the end of a process by its handle."""
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        async with asyncio.timeout(within):
            await ended.wait()
    except TimeoutError:
        return False
    finally:
        loop.remove_reader(handle)
    return True
