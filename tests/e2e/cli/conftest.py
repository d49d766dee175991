"""Commands in an empty folder, and a server of the test's own there, on a free port."""

import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from program import PROGRAM, clean_environment, make_books, wait_until_ready
from typer.testing import CliRunner

from storecrew.cli.main import app

Run = Callable[..., Any]


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a folder with empty books and returns its result; JSON output is parsed."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOST", "PORT", "DATABASE_URL", "API_KEY_ROYALGPT"):
        monkeypatch.delenv(name, raising=False)
    make_books()

    def run(*arguments: str, fails: int = 0) -> Any:
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == fails, result.output
        if fails:
            return result.stderr
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


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
