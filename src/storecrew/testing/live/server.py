"""`storecrew up` as a child process over a folder of its own: started, killed, started again."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from storecrew.testing.live.connection import call

PROGRAM = (sys.executable, "-c", "from storecrew.cli import main; main()")
_PASSED_ON = ("PATH", "HOME", "LANG", "PYTHONPATH")
_LOOK_AGAIN = 0.01


class NotReady(RuntimeError):
    """The server ended, or did not become ready in time."""


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which only these settings are set."""
    kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {**kept, **settings}


@dataclass
class ServerProcess:
    """One server at a time over the same data folder and port."""

    folder: Path
    """Holds `data`, `logs` and what the server says on its terminal."""
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """Environment variables."""
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0

    @property
    def data(self) -> Path:
        """Where its databases are."""
        return self.folder / "data"

    @property
    def pid(self) -> int:
        """The process under way."""
        return self._running.pid

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise NotReady("the server was not started")
        return self._process

    def start(self) -> None:
        """Start the process; it is not ready yet."""
        self._started = time.perf_counter()
        with (self.folder / "terminal.log").open("ab") as terminal:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [*PROGRAM, "up", "--port", str(self.port), "--data-dir", str(self.data)],
                cwd=self.folder,
                env=environment(self.settings),
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
            )

    async def ready(self, within: float = 30) -> float:
        """Wait for 200 from `/readyz`; return the seconds since the start."""
        while (passed := time.perf_counter() - self._started) < within:
            if self._running.poll() is not None:
                raise NotReady(f"the server ended with {self._running.returncode}: {self.said()}")
            try:
                if (await call(self.port, "GET", "/readyz")).status == 200:
                    return time.perf_counter() - self._started
            except OSError:
                pass
            await asyncio.sleep(_LOOK_AGAIN)
        raise NotReady(f"the server was not ready after {passed:.0f} s: {self.said()}")

    def said(self) -> str:
        """Return the end of what it wrote on its terminal."""
        return (self.folder / "terminal.log").read_text("utf-8", "replace")[-2000:]

    def kill(self) -> None:
        """End it at once with SIGKILL, wherever it is; harmless when it has ended."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    async def stop(self, within: float = 30) -> int:
        """Ask it to end and return its exit code."""
        self._running.terminate()
        return await asyncio.to_thread(self._running.wait, within)

    def run(self, *command: str, within: float = 120) -> subprocess.CompletedProcess[bytes]:
        """Run another command over the same data folder to its end."""
        return subprocess.run(  # noqa: S603 - our own program
            [*PROGRAM, *command, "--data-dir", str(self.data)],
            cwd=self.folder,
            env=environment(self.settings),
            capture_output=True,
            timeout=within,
            check=False,
        )
