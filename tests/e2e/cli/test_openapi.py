"""The OpenAPI document says what the server does: generated requests find nothing else."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from program import PROGRAM, clean_environment, wait_until_ready

KEY = "configured-key-of-the-shop-0123456789"
SCHEMATHESIS = """
[checks.positive_data_acceptance]
# What a schema cannot say is refused with 400 (a product nobody knows), a key that was used for
# another request with 422.
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429"]
"""
KEEPS_OUT = "follow$|^/api/keys/|^/api/session$"
"""Streams have no end; the others would take away the key or the session that explores."""
PHASES = {"admin": "examples,coverage,fuzzing"}
"""Whatever the schema can say is tried once; the other roles meet each route as they may use it."""
UNLIMITED = {
    "STORECREW_API__RATE_LIMIT": "0",
    **{
        f"STORECREW_API__ROUTE_LIMITS__{name}": "0"
        for name in ("MAIL", "WAREHOUSE", "APPROVE", "FULFILLED")
    },
}


def key_of(folder: Path, role: str, environ: dict[str, str]) -> str:
    """Return a key of this role; the administrator's stands in the settings."""
    if role == "admin":
        return KEY
    made = subprocess.run(
        [*PROGRAM, "keys", "add", "explorer", "--role", role],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return made.stdout.strip()


@pytest.mark.parametrize("role", ["admin", "operator", "viewer"])
def test_r038_generated_requests_find_nothing_the_document_does_not_say(
    tmp_path: Path, port: int, role: str
) -> None:
    (tmp_path / "schemathesis.toml").write_text(SCHEMATHESIS)
    environ = {
        **clean_environment(),
        **UNLIMITED,
        "API_KEY_ROYALGPT": KEY,
        "ENABLE_ROYALGPT_ORCHESTRATION": "false",
    }
    process = subprocess.Popen([*PROGRAM, "up", "--port", str(port)], cwd=tmp_path, env=environ)
    try:
        wait_until_ready(port, process)
        key = key_of(tmp_path, role, environ)
        base = f"http://127.0.0.1:{port}"
        said = subprocess.run(
            [
                *(str(Path(sys.executable).with_name("st")), "run", f"{base}/openapi.json"),
                *("--header", f"Authorization: Bearer {key}", "--checks", "all"),
                *("--phases", PHASES.get(role, "examples,fuzzing"), "--max-examples", "2"),
                *("--exclude-path-regex", KEEPS_OUT, "--no-shrink", "--seed", "1"),
                *("--warnings", "off"),
            ],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert httpx.get(f"{base}/healthz").status_code == 200
        shown = {"authorization": f"Bearer {key}"}
        assert httpx.get(f"{base}/api/orders", headers=shown).status_code == 200, "the key is gone"
    finally:
        process.terminate()
        process.wait(timeout=30)
    assert said.returncode == 0, re.sub(r"\x1b\[[0-9;]*m", "", said.stdout)
    log = (tmp_path / "logs" / "orchestrator.log").read_text()
    assert "Traceback" not in log


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, dict[str, dict]]]:
    program = (
        "import json; from storecrew.api.application import create_app\n"
        "from storecrew.app.settings import load_settings\n"
        "from unittest.mock import MagicMock\n"
        "settings = load_settings()\n"
        "print(json.dumps(create_app(MagicMock(settings=settings), settings).openapi()))"
    )
    said = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path_factory.mktemp("document"),
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    found: dict[str, dict[str, dict[str, dict]]] = json.loads(said.stdout)
    return found


def test_every_route_is_described_completely(document: dict[str, dict]) -> None:
    lacking = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            route = f"{method.upper()} {path}"
            good = [r for code, r in operation["responses"].items() if code.startswith("2")]
            has_shape = any("content" in each for each in good) or route == "GET /favicon.ico"
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            has_example = "requestBody" not in operation or body.get("examples")
            error = operation["responses"]["4XX"]["content"]["application/json"]["schema"]
            is_error = error == {"$ref": "#/components/schemas/Error"}
            if not (operation["summary"] and operation["tags"] and has_shape and is_error):
                lacking.append(route)
            elif not has_example:
                lacking.append(f"{route}: example")
    assert lacking == []
