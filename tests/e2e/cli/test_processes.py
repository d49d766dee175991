"""The program as a process: how fast it answers, how it serves, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from program import PROGRAM, clean_environment, wait_until_ready


def test_help_imports_nothing_heavy() -> None:
    probe = (
        "import sys; from storecrew.cli.main import app\n"
        "heavy = {'pydantic', 'fastapi', 'sqlalchemy', 'dbos', 'pyarrow', 'numpy', 'rich.table'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_server_serves_and_ends_in_order(
    server: subprocess.Popen[bytes], tmp_path: Path, port: int, number: signal.Signals
) -> None:
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url) as client:
        price = {"amount": "10.00", "currency": "EUR"}
        client.put("/api/products/Product A", json={"name": "Product A", "price": price})
        client.put("/api/stock/Product A", json={"on_hand": 5})
        placed = client.post("/api/orders", json={"text": "Product A:1"})
        assert placed.status_code == 201
        client.get("/health?x=1")
        client.get("/x")

    again = subprocess.run(
        [*PROGRAM, "up", "--port", "0"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert again.returncode == 1
    assert str(server.pid) in again.stderr

    server.send_signal(number)
    assert server.wait(timeout=30) == 0
    lines = (tmp_path / "logs" / "orchestrator.log").read_text()
    assert '"GET /x" 404' in lines
    assert "/health" not in lines
    verified = subprocess.run(
        [*PROGRAM, "verify", "--json"],
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        check=True,
    )
    assert json.loads(verified.stdout)["ok"]


def test_r116_requests_leave_no_connection_open(server: subprocess.Popen[bytes], port: int) -> None:
    descriptors = Path(f"/proc/{server.pid}/fd")
    paths = ("/api/orders", "/api/stock", "/api/runs", "/api/products/none", "/healthz")
    counts = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:

        def ask(number: int) -> int:
            if number % 25 == 0:
                level = {"on_hand": number}
                return client.put("/api/stock/Product A", json=level).status_code
            return client.get(paths[number % len(paths)]).status_code

        for _ in range(4):
            with ThreadPoolExecutor(8) as at_once:
                assert set(at_once.map(ask, range(500))) == {200, 404}
            counts.append(len(list(descriptors.iterdir())))

    assert max(counts) < counts[0] + 20  # the pools may still grow to their size, and no further


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        said = subprocess.run(
            [*PROGRAM, "up", "--port", port],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert said.returncode == 2
    assert port in said.stderr
    assert "--port" in said.stderr


def test_r015_noise_filter_is_installed_by_import_string(tmp_path: Path, port: int) -> None:
    program = [sys.executable, "-m", "uvicorn", "storecrew.api.asgi:app", "--port", str(port)]
    process = subprocess.Popen(
        program,
        cwd=tmp_path,
        env={**clean_environment(), "LOG_LEVEL": "bogus"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until_ready(port, process)
        httpx.get(f"http://127.0.0.1:{port}/x")
        httpx.get(f"http://127.0.0.1:{port}/health")
    finally:
        process.terminate()
        process.wait()
    lines = (tmp_path / "logs" / "orchestrator.log").read_text()
    assert '"GET /x" 404' in lines
    assert "/health" not in lines
    assert lines.count("bogus") == 1
