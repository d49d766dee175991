"""The supervisors that are compared: how each is told of services, and how it starts and stops."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xmlrpc.client import dumps

from storecrew.app.clocks import SystemClock
from storecrew.domain.control.services import DesiredState
from storecrew.journal import open_journal
from storecrew.journal.services import SqlServiceRegistry
from storecrew.testing.live.process import resident_bytes
from storecrew.testing.live.server import ServerProcess

BIN = Path(sys.executable).parent
ROTATE_AT, KEPT = 10_000_000, 3


@dataclass(frozen=True)
class Job:
    """A service to supervise."""

    name: str
    command: Sequence[str]
    limits: str = ""


@dataclass
class Peer(ABC):
    """A supervisor over its own folder."""

    folder: Path
    jobs: Sequence[Job]
    process: "subprocess.Popen[bytes] | None" = field(default=None, init=False)
    name = ""

    @abstractmethod
    def open(self) -> None:
        """Start the supervisor, with no service running."""

    @abstractmethod
    def start_all(self) -> None:
        """Ask it to start every service."""

    @abstractmethod
    def stop_all(self) -> None:
        """Ask it to stop every service."""

    def close(self) -> None:
        """End the supervisor and whatever it left."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def pids(self) -> list[int]:
        """Return the supervisor's own processes."""
        return [self.process.pid] if self.process else []

    def megabytes(self) -> float:
        """Return the memory of the supervisor's own processes."""
        return sum(resident_bytes(pid) for pid in self.pids()) / 2**20

    def kill(self) -> None:
        """kill -9 the supervisor."""
        for pid in self.pids()[:1]:
            os.kill(pid, signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def log_files(self, job: str) -> list[Path]:
        """Return the log files of a service, oldest first."""
        newest = self.folder / "logs" / f"{job}.log"
        return [newest.with_name(f"{newest.name}.{n}") for n in (3, 2, 1)] + [newest]

    def _popen(self, command: Sequence[str], **more: str) -> None:
        (self.folder / "logs").mkdir(exist_ok=True)
        with (self.folder / "said").open("ab") as said:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=said, stderr=said, env={**os.environ, **more}
            )


class Storecrew(Peer):
    """`storecrew up`; wishes go through the journal, as from any other process."""

    name = "storecrew"

    def open(self) -> None:
        services = self.folder / "services"
        services.mkdir(exist_ok=True)
        for job in self.jobs:
            text = f"id: {job.name}\nexecutable: {' '.join(job.command)}\n{job.limits}"
            (services / f"{job.name}.yaml").write_text(
                text + "restart_policy: {max_retries: 1000, backoff_seconds: 0}\n"
            )
        self.server = ServerProcess(self.folder)
        self.server.start()
        asyncio.run(self.server.ready())
        self.process = self.server._process

    def start_all(self) -> None:
        asyncio.run(self._wish(DesiredState.RUNNING))

    def stop_all(self) -> None:
        asyncio.run(self._wish(DesiredState.STOPPED))

    async def _wish(self, wanted: DesiredState) -> None:
        journal = open_journal(f"sqlite:///{self.folder}/data/registry.db")
        registry, now = SqlServiceRegistry(journal.database), SystemClock().now()
        await asyncio.gather(
            *(registry.request(job.name, wanted, by="person:bench", now=now) for job in self.jobs)
        )
        await journal.close()

    def pids(self) -> list[int]:
        lock = self.folder / "data" / "pipes" / ".lock"
        keeper = [int(lock.read_text().split()[0])] if lock.exists() else []
        return [*super().pids(), *keeper]


class Supervisord(Peer):
    """supervisord, asked over its socket."""

    name = "supervisord"

    def open(self) -> None:
        programs = [
            f"[program:{job.name}]\ncommand={' '.join(job.command)}\nautostart=false\n"
            f"startsecs=0\nstartretries=1000000\nredirect_stderr=true\n"
            f"stdout_logfile=logs/{job.name}.log\n"
            f"stdout_logfile_maxbytes={ROTATE_AT}\nstdout_logfile_backups={KEPT}\n"
            for job in self.jobs
        ]
        names = ",".join(job.name for job in self.jobs)
        (self.folder / "s.conf").write_text(
            "[supervisord]\nnodaemon=true\nlogfile=sd.log\npidfile=sd.pid\nminfds=2000\n"
            "[unix_http_server]\nfile=sd.sock\n[rpcinterface:supervisor]\n"
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
            + "\n".join(programs)
            + f"[group:all]\nprograms={names}\n"
        )
        (self.folder / "sd.sock").unlink(missing_ok=True)
        self._popen([str(BIN / "supervisord"), "-c", "s.conf"])
        until(lambda: (self.folder / "sd.sock").exists())

    def _ask(self, method: str) -> None:
        """Call over its socket; its own client cannot be imported beside a script of its name."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(f"{self.folder}/sd.sock")
            body = dumps(("all", False), f"supervisor.{method}").encode()
            head = f"POST /RPC2 HTTP/1.0\r\nContent-Length: {len(body)}\r\n"
            connection.sendall(f"{head}Content-Type: text/xml\r\n\r\n".encode() + body)
            while connection.recv(65536):
                pass

    def start_all(self) -> None:
        self._ask("startProcessGroup")

    def stop_all(self) -> None:
        self._ask("stopProcessGroup")


class Circus(Peer):
    """circusd, asked over its socket."""

    name = "circus"

    def open(self) -> None:
        base = 20_000 + os.getpid() % 20_000
        self.endpoint = f"tcp://127.0.0.1:{base}"
        watchers = [
            f"[watcher:{job.name}]\ncmd={job.command[0]}\nargs={' '.join(job.command[1:])}\n"
            f"autostart=false\ncopy_env=true\nmax_retry=-1\nstdout_stream.class=FileStream\n"
            f"stdout_stream.filename=logs/{job.name}.log\n"
            f"stdout_stream.max_bytes={ROTATE_AT}\nstdout_stream.backup_count={KEPT}\n"
            for job in self.jobs
        ]
        (self.folder / "c.ini").write_text(
            f"[circus]\nendpoint={self.endpoint}\npubsub_endpoint=tcp://127.0.0.1:{base + 1}\n"
            f"check_delay=1\n" + "\n".join(watchers)
        )
        self._popen([str(BIN / "circusd"), "c.ini"])
        until(lambda: self._ask("numwatchers").get("numwatchers", 0) >= len(self.jobs))

    def _ask(self, command: str, names: Sequence[str] = ("",)) -> dict[str, int]:
        from circus.client import CircusClient
        from circus.exc import CallError

        client = CircusClient(endpoint=self.endpoint, timeout=60)
        answer: dict[str, int] = {}
        try:
            for name in names:
                told = {"name": name, "waiting": True} if name else {}
                answer = client.send_message(command, **told)
        except CallError:
            return {}
        finally:
            client.stop()
        return answer

    def start_all(self) -> None:
        self._ask("start", [job.name for job in self.jobs])

    def stop_all(self) -> None:
        self._ask("stop", [job.name for job in self.jobs])


class Pm2(Peer):
    """pm2 and its daemon."""

    name = "pm2"
    program = "pm2"

    def _run(self, *arguments: str) -> None:
        environment = {**os.environ, "PM2_HOME": str(self.folder / "pm2")}
        subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=False,
            timeout=120,
        )

    def open(self) -> None:
        (self.folder / "logs").mkdir(exist_ok=True)
        apps = [
            {
                "name": job.name,
                "script": job.command[0],
                "args": list(job.command[1:]),
                "interpreter": "none",
                "out_file": f"{self.folder}/logs/{job.name}.log",
                "error_file": f"{self.folder}/logs/{job.name}.log",
            }
            for job in self.jobs
        ]
        (self.folder / "apps.json").write_text(json.dumps({"apps": apps}))
        self._run("ping")

    def start_all(self) -> None:
        self._run("start", "apps.json")

    def stop_all(self) -> None:
        self._run("stop", "all")

    def pids(self) -> list[int]:
        file = self.folder / "pm2" / "pm2.pid"
        return [int(file.read_text())] if file.exists() else []

    def close(self) -> None:
        self._run("kill")


def until(holds: object, within: float = 60.0, every: float = 0.001) -> float:
    """Wait until the function says yes; return the seconds that took."""
    began = time.perf_counter()
    while not holds():  # type: ignore[operator]
        if time.perf_counter() - began > within:
            raise TimeoutError(f"not within {within:g} s")
        time.sleep(every)
    return time.perf_counter() - began
