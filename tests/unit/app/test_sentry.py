"""Unhandled errors reach Sentry, and no secret goes with them."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

PROGRAM = """
import logging, os, sys
from pathlib import Path
from storecrew.app.logging_config import configure_logs
from storecrew.app.sentry import report_errors
from storecrew.app.settings import load_settings

settings = load_settings(environ=os.environ, directory=Path(sys.argv[1]))
with configure_logs(settings), report_errors(settings):
    log = logging.getLogger("storecrew.errors")
    log.error("a line without a traceback")
    key = settings.api_key
    try:
        raise RuntimeError(f"it broke beside {key}, Authorization: Bearer other-hunter2")
    except RuntimeError:
        log.exception("GET /x failed with %s", key)
print("sentry_sdk" in sys.modules)
"""


@pytest.fixture
def inbox() -> Iterator[tuple[int, list[str]]]:
    """A Sentry on loopback, and what it was sent."""
    received: list[str] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            packed = self.headers.get("content-encoding") == "gzip"
            received.append((gzip.decompress(body) if packed else body).decode())
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_line: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Taking)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port, received
    server.shutdown()
    thread.join()
    server.server_close()


def run(folder: Path, **environ: str) -> str:
    said = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(folder)],
        cwd=folder,
        env={"API_KEY_ROYALGPT": "key-hunter2-hunter2", **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return said.stdout.strip()


def test_r068_sentry_event_reaches_loopback(tmp_path: Path, inbox: tuple[int, list[str]]) -> None:
    port, received = inbox
    run(tmp_path, SENTRY_DSN=f"http://dsn-hunter2@127.0.0.1:{port}/1", ENV="production")
    (envelope,) = received
    header, *_, event = [json.loads(line) for line in envelope.splitlines() if line]
    error = event["exception"]["values"][0]
    assert error["type"] == "RuntimeError"
    assert "it broke beside ***" in error["value"]
    assert event["environment"] == "production"
    assert "other-hunter2" not in envelope
    assert "key-hunter2" not in envelope
    assert "dsn-hunter2" not in json.dumps(event)
    assert header["event_id"]


def test_without_a_dsn_it_is_not_even_imported(tmp_path: Path) -> None:
    assert run(tmp_path) == "False"
