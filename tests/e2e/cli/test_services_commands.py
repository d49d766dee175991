"""Services from the shell and the scripts: in the background, listed, controlled, read, ended."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from program import PROGRAM, clean_environment

ROOT = Path(__file__).parents[3]
BEHAVIOUR = ROOT / "tests" / "e2e" / "services" / "behaviour.py"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Runs a command in a folder with one service."""
    services = tmp_path / "services"
    services.mkdir()
    (services / "my-service.yaml").write_text(
        f"id: my-service\nexecutable: {sys.executable} {BEHAVIOUR} count 0.05\nauto_start: true\n"
        "stop_timeout: 3\n"
    )

    def run(*command: str, program: list[str] = PROGRAM) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*program, *command],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    yield run
    if (tmp_path / "data" / "orders.db").exists():
        assert run("down").returncode == 0


def address(started: subprocess.CompletedProcess[str]) -> str:
    assert started.returncode == 0, started.stderr
    return started.stdout.split()[0]


def until_logged(run: Run) -> None:
    for _ in range(100):
        if run("logs", "my-service", "--lines", "5").stdout.count("\n") == 5:
            return
        time.sleep(0.1)
    raise AssertionError("the service logs nothing")


def test_r072_r073_r075_r087_r088_r089_r090_r095_the_commands_over_a_server_in_the_background(
    run: Run, tmp_path: Path
) -> None:
    url = address(run("up", "-d", "--port", "0"))
    assert httpx.get(f"{url}/healthz").status_code == 200
    pid = int((tmp_path / "data" / "orchestrator.pid").read_text())
    os.kill(pid, 0)
    until_logged(run)

    said = run("status", "--logs", "20")
    assert said.returncode == 0
    assert "RUNNING" in said.stdout
    assert str(pid) in said.stdout
    assert url in said.stdout
    assert "== my-service ==" in said.stdout
    listed = json.loads(run("list", "--json").stdout)
    assert [view["id"] for view in listed] == ["my-service"]
    assert run("show", "none").returncode == 1
    shown = json.loads(run("show", "my-service", "--json").stdout)
    assert run("restart", "my-service").returncode == 0
    again = json.loads(run("show", "my-service", "--json").stdout)
    assert again["pid"] != shown["pid"]
    assert run("stop", "my-service").stdout == "my-service is stopped\n"
    assert "RUNNING" in run("status").stdout
    assert "STOPPED" in run("show", "my-service").stdout.upper()
    assert run("start", "my-service").returncode == 0
    lines = httpx.get(f"{url}/api/services/my-service/logs", params={"lines": 5}).json()["lines"]
    assert len(lines) == 5
    assert len(run("logs", "orchestrator", "--lines", "2").stdout.splitlines()) == 2

    again_up = run("up", "-d", "--port", "0")
    assert again_up.returncode != 0
    assert str(pid) in again_up.stderr
    down = run("down")
    assert f"process {pid}" in down.stdout
    assert "has ended" in down.stdout
    assert list((tmp_path / "data").glob("*.pid")) == []
    assert (tmp_path / "logs" / "orchestrator.log").stat().st_size > 0


def test_without_a_server_the_wish_is_recorded_and_the_command_says_that_nobody_acts(
    run: Run,
) -> None:
    address(run("up", "-d", "--port", "0"))
    run("down")
    asked = run("start", "my-service")
    assert asked.returncode == 1
    assert "nothing supervises" in asked.stderr
    assert "STOPPED" in run("status").stdout


def test_a_background_server_that_cannot_start_says_why(run: Run, tmp_path: Path) -> None:
    (tmp_path / "services" / "bad.yaml").write_text("id: bad\nexecutabel: x\n")
    said = run("up", "-d", "--port", "0")
    assert said.returncode != 0
    assert "executabel: is no key of a service" in said.stderr + said.stdout
    checked = run("config", "check")
    assert checked.returncode == 1
    assert "bad.yaml: executabel: is no key of a service" in checked.stderr


def test_r071_down_leaves_a_foreign_process_with_the_recorded_number_alone(
    run: Run, tmp_path: Path
) -> None:
    url = address(run("up", "-d", "--port", "0"))
    assert url
    run("down")
    foreign = subprocess.Popen(["sleep", "60"])
    (tmp_path / "data" / "orchestrator.pid").write_text(str(foreign.pid))
    assert "nothing runs" in run("down").stdout
    assert foreign.poll() is None
    foreign.kill()
    foreign.wait()


def test_r070_r071_r072_the_scripts_start_show_and_stop_it(run: Run, tmp_path: Path) -> None:
    environment = {
        **clean_environment(),
        "STORECREW_ORCHESTRATOR__LOG_DIR": str(tmp_path / "logs"),
        "STORECREW_ORCHESTRATOR__SERVICES_DIR": str(tmp_path / "services"),
    }

    def script(name: str, *options: str) -> str:
        command = [ROOT / "scripts" / name, *options, "--data-dir", tmp_path / "data"]
        return subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=True
        ).stdout

    url = script("start-orchestrator.sh", "--port", "0").split()[0]
    assert httpx.get(f"{url}/healthz").status_code == 200
    until_logged(run)
    shown = script("status.sh")
    assert "RUNNING" in shown
    assert "== my-service ==" in shown
    assert "has ended" in script("stop-services.sh")
    assert list((tmp_path / "data").glob("*.pid")) == []


def test_r074_the_scripts_build_the_environment_where_it_is_missing(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    copy = tmp_path / "scripts" / "status.sh"
    copy.write_bytes((ROOT / "scripts" / "status.sh").read_bytes())
    (tmp_path / "Makefile").write_text(
        ".venv/.runtime:\n\tmkdir -p .venv/bin\n"
        "\tprintf '#!/bin/sh\\necho built \"$$@\"\\n' > .venv/bin/storecrew\n"
        "\tchmod +x .venv/bin/storecrew\n\ttouch $@\n"
    )
    said = subprocess.run(["sh", copy], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "built status --logs 20"


def test_d14_the_scripts_are_two_lines_and_kill_nobody_by_name() -> None:
    for script in sorted((ROOT / "scripts").glob("*.sh")):
        text = script.read_text()
        assert text.count("\n") == 2, script
        assert "kill" not in text
        assert os.access(script, os.X_OK)
    missing = subprocess.run(
        [ROOT / "scripts" / "start-dashboard.sh"], capture_output=True, text=True, check=False
    )
    assert missing.returncode == 1
    assert "no dashboard" in missing.stderr
