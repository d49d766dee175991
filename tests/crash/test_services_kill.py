"""kill -9 of a real `storecrew up` with services: they live on, are adopted, and lose no line."""

import asyncio
import json
import os
import re
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from storecrew.testing.live.connection import call
from storecrew.testing.live.server import ServerProcess

BEHAVIOUR = Path(__file__).parents[1] / "e2e" / "services" / "behaviour.py"
COUNT = 10
PATIENCE = 30.0


def describe(folder: Path, count: int = COUNT) -> None:
    services = folder / "services"
    services.mkdir()
    for number in range(count):
        (services / f"s{number}.yaml").write_text(
            f"id: s{number}\n"
            f"executable: {sys.executable} {BEHAVIOUR} count 0.002\n"
            "auto_start: true\n"
            "restart_policy: {max_retries: 3, backoff_seconds: 0.1}\n"
            "stop_timeout: 3\n"
        )


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ServerProcess]:
    server = ServerProcess(tmp_path)
    yield server
    server.kill()
    down = await asyncio.to_thread(server.run, "down")
    assert down.returncode == 0, down.stderr
    assert processes(tmp_path) == []


async def listed(server: ServerProcess) -> dict[str, dict[str, Any]]:
    answer = await call(server.port, "GET", "/api/services")
    assert answer.status == 200
    return {view["id"]: view for view in answer.json()}


async def until_running(server: ServerProcess) -> dict[str, dict[str, Any]]:
    for _ in range(int(PATIENCE / 0.05)):
        views = await listed(server)
        if all(view["status"] == "running" for view in views.values()):
            return views
        await asyncio.sleep(0.05)
    raise AssertionError(f"not all run: {views}")


def processes(folder: Path) -> list[int]:
    """Every process that was started for this data folder: services and their log collector."""
    found = []
    for each in Path("/proc").iterdir():
        if not each.name.isdigit() or int(each.name) == os.getpid():
            continue
        try:
            command = (each / "cmdline").read_bytes().decode("utf-8", "replace")
            environ = (each / "environ").read_bytes()
        except OSError:
            continue
        is_service = str(BEHAVIOUR) in command and _folder_mark(folder) in environ
        if is_service or ("log_collector.py" in command and str(folder) in command):
            found.append(int(each.name))
    return found


def _folder_mark(folder: Path) -> bytes:
    from hashlib import sha256

    path = str((folder / "data").resolve())
    return f"SUPERVISED_AS={sha256(path.encode()).hexdigest()[:16]}/".encode()


def numbers(folder: Path, service: str, pid: int) -> list[int]:
    """The numbers of the lines that a process wrote, in the order of its files."""
    logs = folder / "logs"
    files = [logs / f"{service}.log.{n}" for n in (3, 2, 1)] + [logs / f"{service}.log"]
    text = "".join(file.read_text("ascii") for file in files if file.exists())
    return [int(n) for n in re.findall(rf"^{pid} (\d+)$", text, re.MULTILINE)]


async def test_r080_f17_ten_services_are_adopted_without_a_second_copy_or_a_lost_line(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path)
    server.start()
    await server.ready()
    before = {name: view["pid"] for name, view in (await until_running(server)).items()}
    assert len(before) == COUNT

    server.kill()
    await asyncio.sleep(0.5)
    heights = {name: len(numbers(tmp_path, name, pid)) for name, pid in before.items()}
    await asyncio.sleep(0.5)
    for name, pid in before.items():  # nobody supervises, and the log goes on
        assert len(numbers(tmp_path, name, pid)) > heights[name]
    server.start()
    await server.ready()
    after = await until_running(server)

    assert {name: view["pid"] for name, view in after.items()} == before
    assert all(view["adopted"] for view in after.values())
    assert len(processes(tmp_path)) == COUNT + 1  # and one log collector
    shown = await asyncio.to_thread(server.run, "list", "--json")
    assert len(json.loads(shown.stdout)) == COUNT

    victim = before["s3"]
    os.kill(victim, signal.SIGKILL)  # an orphan that dies later is served again
    for _ in range(int(PATIENCE / 0.02)):
        again = (await listed(server))["s3"]
        if again["pid"] not in (None, victim) and again["status"] == "running":
            break
        await asyncio.sleep(0.02)
    assert again["status"] == "running"
    assert not again["adopted"]

    assert await server.stop() == 0
    assert processes(tmp_path) == []
    for name, pid in before.items():
        written = numbers(tmp_path, name, pid)
        assert written == list(range(len(written))), name


async def test_f17_a_service_whose_row_was_never_written_is_adopted_by_its_marker(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path, 1)
    server.start()
    await server.ready()
    first = (await until_running(server))["s0"]["pid"]
    journal = sqlite3.connect(tmp_path / "data" / "registry.db", isolation_level=None)
    journal.execute("BEGIN IMMEDIATE")  # nothing is recorded from now on
    os.kill(first, signal.SIGKILL)
    for _ in range(int(PATIENCE / 0.02)):
        alive = [pid for pid in processes(tmp_path) if pid != first and _is_service(pid)]
        if alive:
            break
        await asyncio.sleep(0.02)
    server.kill()
    journal.execute("ROLLBACK")
    journal.close()

    server.start()
    await server.ready()
    view = (await until_running(server))["s0"]
    assert [view["pid"]] == alive
    assert view["adopted"]
    assert [pid for pid in processes(tmp_path) if _is_service(pid)] == alive


def _is_service(pid: int) -> bool:
    try:
        return b"behaviour.py" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


async def test_a_foreign_process_with_the_recorded_number_is_neither_adopted_nor_signalled(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path, 1)
    server.start()
    await server.ready()
    first = (await until_running(server))["s0"]["pid"]
    server.kill()
    os.kill(first, signal.SIGKILL)
    foreign = await asyncio.create_subprocess_exec("sleep", "60")
    journal = sqlite3.connect(tmp_path / "data" / "registry.db")
    with journal:  # as if the kernel had given the number to somebody else
        journal.execute("UPDATE service_processes SET pid = ?", (foreign.pid,))
    journal.close()

    server.start()
    await server.ready()
    view = (await until_running(server))["s0"]
    assert view["pid"] != foreign.pid
    assert not view["adopted"]
    assert await server.stop() == 0
    assert foreign.returncode is None
    foreign.kill()
    await foreign.wait()


async def test_f17_a_killed_log_collector_is_replaced_and_no_line_is_lost_or_doubled(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path, 3)
    server.start()
    await server.ready()
    pids = {name: view["pid"] for name, view in (await until_running(server)).items()}
    killed: set[int] = set()
    while len(killed) < 4:
        await asyncio.sleep(0.2)
        collectors = {pid for pid in processes(tmp_path) if not _is_service(pid)}
        for collector in collectors - killed:
            os.kill(collector, signal.SIGKILL)
        killed |= collectors
    assert await server.stop() == 0
    for name, pid in pids.items():
        written = numbers(tmp_path, name, pid)
        assert len(written) > 100
        assert written == list(range(len(written))), name


async def test_r076_sigterm_ends_the_services_first_and_exits_with_0(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path, 3)
    server.start()
    await server.ready()
    await until_running(server)
    assert await server.stop() == 0
    assert processes(tmp_path) == []
    assert not (tmp_path / "data" / "orchestrator.pid").exists()


async def test_r071_down_stops_what_a_killed_storecrew_left_running(
    server: ServerProcess, tmp_path: Path
) -> None:
    describe(tmp_path, 3)
    server.start()
    await server.ready()
    await until_running(server)
    server.kill()
    assert len(processes(tmp_path)) == 4
    shown = await asyncio.to_thread(server.run, "list", "--json")
    assert {view["supervised"] for view in json.loads(shown.stdout)} == {False}
    down = await asyncio.to_thread(server.run, "down")
    assert b"3 services" in down.stdout, down.stderr
    assert processes(tmp_path) == []
