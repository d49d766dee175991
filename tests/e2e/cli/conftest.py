"""A server of the test's own, in an empty folder on a free port."""

import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import PROGRAM, clean_environment, wait_until_ready


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [*PROGRAM, "up", "--port", str(port)], cwd=tmp_path, env=clean_environment()
    )
    try:
        wait_until_ready(port, process)
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
