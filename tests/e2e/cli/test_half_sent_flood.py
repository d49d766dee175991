"""A flood of half-sent requests under a low limit of open files: the plane goes on as before."""

import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from program import PROGRAM, clean_environment, wait_until_ready

DESCRIPTORS = 300
DEADLINE = 30  # seconds: a guard against hanging
SERVICE = """id: helper
executable: sleep 600
auto_start: true
resources: {max_memory: 500MB}
restart_policy: {max_retries: 3, backoff_seconds: 0.1}
"""


def few_descriptors() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS))


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[str]:
    folder = tmp_path / "services"
    folder.mkdir()
    (folder / "helper.yaml").write_text(SERVICE)
    process = subprocess.Popen(
        [*PROGRAM, "up", "--port", str(port)],
        cwd=tmp_path,
        env={
            **clean_environment(),
            "STORECREW_ORCHESTRATOR__SERVICES_DIR": str(folder),
            "STORECREW_API__HEADER_TIMEOUT": "600",
        },
        stderr=subprocess.DEVNULL,
        preexec_fn=few_descriptors,
    )
    wait_until_ready(port, process)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(timeout=DEADLINE)


def helper(server: str) -> dict[str, Any]:
    found: dict[str, Any] = httpx.get(f"{server}/api/services/helper", timeout=DEADLINE).json()
    return found


def test_400_half_sent_requests_make_nothing_deaf(server: str, port: int) -> None:
    before = helper(server)
    flood = []
    for n in range(400):
        half = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        with suppress(ConnectionError):
            half.sendall(b"POST /api/orders HTTP/1.1\r\nhost: localhost\r\n"[: 20 + n % 30])
        flood.append(half)

    os.kill(before["pid"], signal.SIGKILL)
    after = before
    while after["pid"] in (before["pid"], None):
        after = helper(server)
    ready = httpx.get(f"{server}/readyz", timeout=DEADLINE)
    for half in flood:
        half.close()

    assert after["status"] in ("starting", "running")
    assert ready.status_code == 200, ready.text
    checks = {check["name"]: check for check in ready.json()["checks"]}
    assert checks["background"]["ok"]
