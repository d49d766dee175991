"""The guard from outside: two clients, a revoked key, forgeries, and what the audit says."""

import json
import socket
import sqlite3
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest
from program import PROGRAM, clean_environment, wait_until_ready
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

KEY = "configured-key-of-the-shop-0123456789"
Start = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Start servers in the test's folder, and end them with it."""
    begun: list[subprocess.Popen[bytes]] = []

    def started(*, wait: bool = True, **environ: str) -> subprocess.Popen[bytes]:
        with (tmp_path / "terminal.txt").open("ab") as terminal:
            process = subprocess.Popen(
                [*PROGRAM, "up", "--port", str(port)],
                cwd=tmp_path,
                env={**clean_environment(), **environ},
                stderr=terminal,
            )
        begun.append(process)
        if wait:
            wait_until_ready(port, process)
        return process

    yield started
    for process in begun:
        process.terminate()
        process.wait(timeout=30)


def command(folder: Path, *words: str, stdin: str = "", **environ: str) -> str:
    said = subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env={**clean_environment(), **environ},
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return said.stdout.strip()


def audited(folder: Path) -> list[tuple[str, str, str]]:
    with closing(sqlite3.connect(folder / "data" / "registry.db")) as connection:
        query = "select subject, actor, action from audit where kind = 'access' order by seq"
        return [(s.partition("/")[0], a, c) for s, a, c in connection.execute(query)]


def until(look: Callable[[], Any], wanted: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 20
    while not wanted(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found


def raw(port: int, head: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as wire:
        wire.sendall(head + b"\r\n\r\n")
        return wire.recv(4096)


def test_r037_r041_a_forged_sender_and_all_that_is_refused_is_audited(
    tmp_path: Path, port: int, start: Start
) -> None:
    start(API_KEY_ROYALGPT=KEY)
    base = f"http://127.0.0.1:{port}"
    viewer = command(tmp_path, "keys", "add", "viewer", "--role", "viewer")
    clerk = command(tmp_path, "keys", "add", "clerk", "--role", "operator")
    robot = command(tmp_path, "keys", "add", "robot", "--role", "operator")
    of_viewer, of_clerk, of_robot = [
        {"authorization": f"Bearer {key}"} for key in (viewer, clerk, robot)
    ]
    with httpx.Client(base_url=base) as client:
        until(lambda: client.get("/api/orders", headers=of_clerk), lambda r: r.status_code == 200)
        assert client.get("/api/orders", headers=of_viewer).status_code == 200
        assert client.post("/run_all", headers=of_viewer).status_code == 403
        command(tmp_path, "keys", "revoke", "clerk")
        until(lambda: client.get("/api/orders", headers=of_clerk), lambda r: r.status_code == 401)
        assert client.get("/api/orders", headers=of_viewer).status_code == 200
        evil = {**of_viewer, "origin": "http://evil.example"}
        assert client.post("/run_all", headers=evil).status_code == 403
        forged = client.post("/api/agents/pricing_optimizer/heartbeat", headers=of_robot)
        assert forged.status_code == 403
        for path in (
            *("//api/orders", "/./api/orders", "/healthz/../api/orders", "/api/orders/"),
            *("/healthz%2f..%2fapi/orders", "/%61pi/orders", "/API/orders", "/webhooks/%2e%2e/x"),
        ):
            line = raw(port, f"GET {path} HTTP/1.1\r\nhost: localhost".encode()).split(b"\r\n")[0]
            assert line == b"HTTP/1.1 401 Unauthorized", path
        long = b"GET /api/orders HTTP/1.1\r\nhost: localhost\r\nx: " + b"a" * 1_000_000
        assert raw(port, long).startswith(b"HTTP/1.1 431 ")
        two = b"GET /api/orders HTTP/1.1\r\nhost: localhost\r\nhost: evil.example"
        assert raw(port, two).startswith(b"HTTP/1.1 421 ")
        assert raw(port, b"GET / HTTP/9.9").startswith(b"HTTP/1.1 400 ")
        assert client.get("/healthz").status_code == 200

    def complete(rows: list[tuple[str, str, str]]) -> bool:
        return {"unauthorized", "forbidden", "misdirected", "oversized"} <= {r[0] for r in rows}

    rows = until(lambda: audited(tmp_path), complete)
    assert [row[0] for row in rows[:3]] == ["add_key"] * 3
    forbidden = {actor: action for kind, actor, action in rows if kind == "forbidden"}
    assert "POST /run_all" in forbidden["person:viewer"]
    assert "POST /api/agents/pricing_optimizer/heartbeat" in forbidden["person:robot"]
    assert all(actor for _, actor, _ in rows)
    assert json.loads(command(tmp_path, "verify", "--json"))["ok"]


def test_r041_a_websocket_is_refused_and_closed_as_its_key_says(
    tmp_path: Path, port: int, start: Start
) -> None:
    start(API_KEY_ROYALGPT=KEY)
    key = command(tmp_path, "keys", "add", "screen", "--role", "viewer")
    url, mine = f"ws://127.0.0.1:{port}/ws", {"Authorization": f"Bearer {key}"}
    for status, options in (
        (401, {}),
        (401, {"additional_headers": {"Authorization": "Bearer wrong"}}),
        (403, {"additional_headers": mine, "origin": "http://evil.example"}),
    ):
        with pytest.raises(InvalidStatus) as refused:
            connect(url, **options)  # type: ignore[arg-type]
        assert refused.value.response.status_code == status

    def joined() -> ClientConnection | None:
        with suppress(InvalidStatus):
            return connect(url, additional_headers=mine)
        return None

    admin = {"authorization": f"Bearer {KEY}"}
    with until(joined, lambda found: found is not None) as live:
        assert json.loads(live.recv(timeout=20))["type"] == "hello"
        command(tmp_path, "keys", "revoke", "screen")

        def told() -> int | None:
            word = next(words)
            httpx.post(f"http://127.0.0.1:{port}/api/orchestrator/{word}", headers=admin)
            try:
                live.recv(timeout=20)
            except ConnectionClosed as closed:
                return closed.rcvd.code if closed.rcvd else 0
            return None

        words = cycle(("pause", "resume"))
        assert until(told, lambda code: code is not None) == 1008


def test_r024_without_a_key_the_server_listens_to_this_machine_alone(
    tmp_path: Path, port: int, start: Start
) -> None:
    refused = subprocess.run(
        [*PROGRAM, "up", "--host", "0.0.0.0", "--port", str(port)],  # noqa: S104 - refused here
        cwd=tmp_path,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert refused.returncode == 2
    assert "HOST" in refused.stderr
    assert "API_KEY_ROYALGPT" in refused.stderr
    command(tmp_path, "init", "--currency", "EUR", "--zone", "UTC", "--name", "Shop")
    key = command(tmp_path, "keys", "add", "boss", "--role", "admin")
    start(HOST="0.0.0.0")  # noqa: S104 - a stored key opens it
    base = f"http://127.0.0.1:{port}"
    assert httpx.get(f"{base}/api/orders").status_code == 401
    assert httpx.get(f"{base}/api/orders", headers={"authorization": key}).status_code == 200


def test_r023_production_refuses_a_short_key(tmp_path: Path) -> None:
    said = subprocess.run(
        [*PROGRAM, "up", "--port", "0"],
        cwd=tmp_path,
        env={**clean_environment(), "ENV": "production", "API_KEY_ROYALGPT": "short"},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert said.returncode == 2
    assert "API_KEY_ROYALGPT" in said.stderr
    assert "32" in said.stderr


def test_r039_secrets_are_masked_in_every_file_after_a_run(
    tmp_path: Path, port: int, start: Start
) -> None:
    hook = "webhook-secret-of-the-shop-0123456789"
    password = "a password nobody guesses"  # noqa: S105 - a test's
    process = start(
        API_KEY_ROYALGPT=KEY,
        LOG_FORMAT="json",
        LOG_LEVEL="debug",
        SENTRY_DSN="http://sentry-secret-0123456789@127.0.0.1:9/1",
        STORECREW_WEBHOOKS__SHOP__SECRET=hook,
    )
    stored = command(tmp_path, "keys", "add", "robot", "--role", "admin")
    command(tmp_path, "users", "add", "anna", "--role", "admin", "--password-stdin", stdin=password)
    mine = {"authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.post("/run_all", headers=mine)
        client.get(f"/api/{KEY}", headers=mine)
        client.get(f"/api/orders?api_key={KEY}", headers={"authorization": f"Bearer {stored}x"})
        client.post("/api/session", json={"name": "anna", "password": f"{password}!"})
        session = client.post("/api/session", json={"name": "anna", "password": password})
        assert session.status_code == 200
        token, csrf = client.cookies["storecrew_session"], session.json()["csrf_token"]
        client.post("/webhooks/shop", json={}, headers={"X-Signature": hook})
    process.terminate()
    process.wait(timeout=30)
    secrets = [KEY, stored, hook, password, "sentry-secret-0123456789", token, csrf]
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in written)
    found = [
        (path.name, secret)
        for path in written
        for secret in secrets
        if secret.encode() in path.read_bytes()
    ]
    assert found == []
    log = (tmp_path / "logs" / "orchestrator.log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert any(line["event"].endswith("ms") and line["request_id"] for line in lines)
    assert "***" in log


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        check=True,
        capture_output=True,
    )
    return cert, key


def test_r039_the_server_speaks_tls(
    tmp_path: Path, port: int, start: Start, certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    start(
        wait=False,
        STORECREW_ORCHESTRATOR__TLS_CERT=str(cert),
        STORECREW_ORCHESTRATOR__TLS_KEY=str(key),
    )
    trust = ssl.create_default_context(cafile=str(cert))

    def answer() -> int:
        try:
            return httpx.get(f"https://localhost:{port}/readyz", verify=trust).status_code
        except httpx.TransportError:
            return 0

    until(answer, lambda status: status == 200)
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://localhost:{port}/readyz")


def test_r187_the_doctor_passes_a_shop_that_is_ready(
    tmp_path: Path, port: int, start: Start
) -> None:
    units = tmp_path / ".config" / "systemd" / "user"
    units.mkdir(parents=True)
    (units / "storecrew-health.service").write_text("ExecStart=storecrew health --alert\n")
    ready = {
        "HOME": str(tmp_path),
        "PORT": str(port),
        "API_KEY_ROYALGPT": KEY,
        "SENTRY_DSN": "http://key@127.0.0.1:9/1",
        "STORECREW_ALERTS__URLS": '["json://127.0.0.1:9"]',
    }
    start(**ready)
    findings = json.loads(command(tmp_path, "doctor", "--json", **ready))
    assert len(findings) == 12
    assert [each["name"] for each in findings if not each["ok"]] == []
    failing = subprocess.run(
        [*PROGRAM, "doctor", "--profile", "server"],
        cwd=tmp_path,
        env={**clean_environment(), "HOME": str(tmp_path), "PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert failing.returncode == 1
    assert "FAIL  sentry" in failing.stdout
    assert "set SENTRY_DSN" in failing.stdout


@pytest.mark.parametrize(("suppressed", "lines"), [("true", 0), ("false", 2)])
def test_r010_r011_health_noise_is_left_out_unless_asked_for(
    tmp_path: Path, port: int, start: Start, suppressed: str, lines: int
) -> None:
    process = start(SUPPRESS_HEALTH_LOGS=suppressed)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.get("/health?x=1")
        client.head("/favicon.ico")
        client.get("/x")
    process.terminate()
    process.wait(timeout=30)
    log = (tmp_path / "logs" / "orchestrator.log").read_text().splitlines()
    noise = [line for line in log if '"GET /health"' in line or "/favicon" in line]
    assert len(noise) == lines
    assert sum('"GET /x" 404' in line for line in log) == 1


def test_p04_service_version_overrides_what_is_shown(port: int, start: Start) -> None:
    start(SERVICE_VERSION="9.9.9-shop")
    assert httpx.get(f"http://127.0.0.1:{port}/").json()["version"] == "9.9.9-shop"
