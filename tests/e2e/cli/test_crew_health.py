"""Health from the shell: exit codes a cron job can act on, and the unit that runs it."""

import asyncio
import json
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from program import PROGRAM, clean_environment

from storecrew.domain.control.services import (
    DesiredState,
    ObservedState,
    ServiceOrigin,
    ServiceSpec,
    ServiceStatus,
)
from storecrew.journal import open_journal
from storecrew.journal.services import SqlServiceRegistry

ROOT = Path(__file__).parents[3]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("storecrew-health.*"))


def run(folder, *command):
    return subprocess.run(
        [*PROGRAM, *command], cwd=folder, env=clean_environment(), capture_output=True, text=True
    )


def begin(folder):
    answers = ("--currency", "EUR", "--zone", "UTC", "--name", "Shop")
    assert run(folder, "init", *answers).returncode == 0


def books(folder):
    return sqlite3.connect(folder / "data" / "registry.db")


def beat(folder, at, failures=0):
    """Have one agent been heard of at a moment, with so many failures."""
    with books(folder) as connection:
        connection.execute("DELETE FROM heartbeats")
        connection.execute(
            "INSERT INTO heartbeats VALUES ('clerk', ?, '', ?, ?)",
            (at, failures, "no luck" if failures else ""),
        )
    connection.close()


def fail_service(folder):
    """Register a service that should run, and have it be seen failed."""

    async def note():
        journal = open_journal(f"sqlite:///{folder}/data/registry.db")
        registry, at = SqlServiceRegistry(journal.database), datetime.now(UTC)
        spec = ServiceSpec(id="helper", executable="sleep 1", auto_start=True)
        await registry.register(spec, ServiceOrigin.API, by="person:t", now=at)
        await registry.request("helper", DesiredState.RUNNING, by="person:t", now=at)
        seen = ObservedState(service="helper", status=ServiceStatus.FAILED, since=at)
        await registry.record([seen])
        await journal.close()

    asyncio.run(note())


def now(folder):
    code = "from datetime import UTC, datetime; print(datetime.now(UTC).isoformat())"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_r067_storecrew_health_says_by_its_exit_code_how_the_crew_is(tmp_path):
    nothing = run(tmp_path, "health", "--json")
    assert nothing.returncode == 3
    assert json.loads(nothing.stdout)["overall_status"] == "unknown"
    assert "there is no journal" in nothing.stderr
    assert not (tmp_path / "data").exists()

    begin(tmp_path)
    nobody = run(tmp_path, "health")
    assert nobody.returncode == 1
    beat(tmp_path, now(tmp_path))
    well = run(tmp_path, "health", "--json")
    assert (well.returncode, json.loads(well.stdout)["healthy"]["count"]) == (0, 1)
    fail_service(tmp_path)
    ill = run(tmp_path, "health", "--json")
    assert (ill.returncode, json.loads(ill.stdout)["services_down"]) == (1, ["helper"])
    assert "Services that are down: helper" in run(tmp_path, "health").stdout
    beat(tmp_path, "2026-01-01T00:00:00.000000+00:00")
    assert run(tmp_path, "health").returncode == 1
    beat(tmp_path, now(tmp_path), failures=5)
    ill = run(tmp_path, "health", "--alert", "--json")
    assert ill.returncode == 2
    assert json.loads(ill.stdout)["alerts"]["sent"] == ["clerk/3"]
    again = run(tmp_path, "health", "--alert", "--json")
    assert json.loads(again.stdout)["alerts"]["sent"] == []


def test_r067_a_wrong_setting_is_no_health(tmp_path):
    (tmp_path / "storecrew.yaml").write_text("alerts: {threshold: often}")
    found = run(tmp_path, "health")
    assert found.returncode == 3
    assert "alerts.threshold" in found.stderr


def test_one_agent_is_paused_and_resumed_from_the_shell(tmp_path):
    begin(tmp_path)
    paused = run(tmp_path, "pause", "oversight", "--json")
    assert json.loads(paused.stdout) == {"paused": True, "agent": "oversight"}
    with books(tmp_path) as connection:
        assert connection.execute("SELECT agent, why FROM agent_suspensions").fetchall() == [
            ("oversight", "paused")
        ]
    connection.close()
    assert "at work" in run(tmp_path, "resume", "oversight").stdout
    unknown = run(tmp_path, "pause", "nobody")
    assert (unknown.returncode, "nobody" in unknown.stderr) == (1, True)


def test_r069_the_timer_and_its_service_are_what_systemd_takes():
    assert [path.name for path in UNITS] == ["storecrew-health.service", "storecrew-health.timer"]
    text = UNITS[0].read_text()
    assert "ExecStart=/usr/bin/env storecrew health --alert" in text
    if (analyze := shutil.which("systemd-analyze")) is None:
        pytest.skip("no systemd-analyze here")
    found = subprocess.run([analyze, "verify", *UNITS], capture_output=True, text=True)
    assert (found.returncode, found.stderr) == (0, "")


def test_r060_a_hundred_agents_miss_no_tick(tmp_path):
    command = [sys.executable, str(ROOT / "benchmarks" / "agents.py"), "--count", "100"]
    given = ["--seconds", "15", "--settle", "15", "--only", "one"]
    found = subprocess.run([*command, *given], cwd=tmp_path, capture_output=True, text=True)
    assert "0 lost, 0 doubled" in found.stdout, found.stderr
    assert "p95" in found.stdout
