"""Two workers on Postgres share the ticks; one dies, and none is lost or done twice."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from ticking_crew import INTERVAL, SETTINGS

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct

SERVER = os.environ.get("STORECREW_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
TICKS = 1000
PROGRAM = (sys.executable, "-c", "from storecrew.cli import main; main()")
pytestmark = [pytest.mark.postgres]


@dataclass
class Workers:
    """Worker processes over one database, and what its books say."""

    folder: Path
    url: str
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)

    @property
    def environment(self):
        return {
            "PATH": os.environ["PATH"],
            "STORECREW_SECRET_KEY": "one-key-for-all-workers-of-a-database",
            "PYTHONPATH": str(Path(__file__).parent),
            "DATABASE_URL": self.url,
            "STORECREW_AGENTS": json.dumps(
                SETTINGS
                | {
                    name: {"enabled": False}
                    for name in ("oversight", "inventory_forecasting", "pricing_optimizer")
                }
            ),
            "STORECREW_POLICY__AUTONOMY": '{"*.*": "auto"}',
        }

    def start(self, name):
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [*PROGRAM, "worker", "--name", name, "--data-dir", str(self.folder / name)],
                cwd=self.folder, env=self.environment, stdout=log, stderr=log,
            )  # fmt: skip

    def run(self, *command):
        return subprocess.run(
            [*PROGRAM, *command, "--data-dir", str(self.folder / "shell")],
            cwd=self.folder, env=self.environment, capture_output=True, timeout=60, check=True,
        )  # fmt: skip

    def ask(self, query):
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def count(self, query):
        return self.ask(query)[0][0]

    def until(self, query, enough, within=180):
        """Wait until a count is large enough."""
        deadline = time.monotonic() + within
        while (found := self.count(query)) < enough:
            assert time.monotonic() < deadline, (found, self.said())
            time.sleep(0.05)

    def said(self):
        return {p.name: p.read_text()[-1500:] for p in self.folder.glob("*.log")}

    def end(self):
        for process in self.processes.values():
            process.kill()
            process.wait()


TICKS_RUN = "SELECT count(*) FROM journal.runs WHERE agent LIKE 'ticking%' AND status = 'done'"


@pytest.fixture
def workers(tmp_path):
    """Two workers over a database of their own, with a product to tell of."""
    name = f"storecrew_test_{os.getpid()}"
    try:
        with psycopg.connect(SERVER, autocommit=True, connect_timeout=2) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}"')
            server.execute(f'CREATE DATABASE "{name}"')
    except psycopg.OperationalError as error:
        pytest.skip(f"no Postgres server at {SERVER}: {error}")
    workers = Workers(tmp_path, SERVER.rpartition("/")[0] + f"/{name}")
    asyncio.run(stock(workers.url))
    yield workers
    workers.end()
    with psycopg.connect(SERVER, autocommit=True) as server:
        server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


async def stock(url):
    from storecrew.app.clocks import SystemClock
    from storecrew.journal import open_journal
    from storecrew.stores.sql import open_store

    store = await open_store(url, clock=SystemClock(), currency="EUR")
    mug = UpsertProduct(sku="mug", name="Mug", price=Money.of(10, "EUR"))
    await store.apply(mug, key="setup", actor="person:owner")
    await store.close()
    await open_journal(url).close()


def gaps(names):
    """Return where an agent's ticks do not follow each other at its interval."""
    due = defaultdict(list)
    for name in names:
        agent, _, at = name.partition("@")
        due[agent].append(datetime.fromisoformat(at))
    return [
        (agent, a, b)
        for agent, ticks in due.items()
        for a, b in zip(sorted(ticks), sorted(ticks)[1:], strict=False)
        if b - a != INTERVAL
    ]


def test_r048_two_workers_never_double_a_tick_and_lose_none_though_one_is_killed(workers):
    workers.start("one")
    workers.until("SELECT count(*) FROM journal.workers", 1)
    workers.start("two")
    workers.until(TICKS_RUN, TICKS // 2)
    workers.processes["one"].send_signal(signal.SIGKILL)  # it leads, as it came first
    workers.until(TICKS_RUN, TICKS)
    workers.processes["two"].send_signal(signal.SIGTERM)
    assert workers.processes["two"].wait(60) == 0, workers.said()

    ticks = [name for (name,) in workers.ask(
        "SELECT external_id FROM journal.events WHERE source = 'clock'"
        " AND external_id LIKE 'ticking%'")]  # fmt: skip
    runs = dict(workers.ask("SELECT id, status FROM journal.runs WHERE agent LIKE 'ticking%'"))
    done = {name for name, status in runs.items() if status == "done"}
    traces = [name for (name,) in workers.ask("SELECT competitor FROM store.competitor_prices")]
    by = workers.ask("SELECT worker, count(*) FROM journal.runs GROUP BY 1")
    assert len(by) >= 2, by  # both had their share
    assert len(done) >= TICKS
    assert gaps(ticks) == []
    assert sorted(traces) == sorted(done)
    assert set(runs.values()) <= {"done", "running"}  # the last ones were under way
    assert b"right" in workers.run("verify").stdout


def test_r051_the_emergency_stop_reaches_every_worker_within_a_second(workers):
    for name in ("one", "two"):
        workers.start(name)
    workers.until("SELECT count(DISTINCT worker) FROM journal.runs", 2)
    workers.run("pause")
    (told,) = workers.ask("SELECT at FROM journal.audit WHERE reason = 'pause'")[0]
    time.sleep(INTERVAL.total_seconds() + 1)  # in which every agent would have ticked

    latest = workers.count("SELECT max(created_at) FROM journal.runs")
    applied = workers.count("SELECT max(at) FROM journal.outcomes")
    for moment in (latest, applied):
        late = datetime.fromisoformat(moment) - datetime.fromisoformat(told)
        assert late.total_seconds() < 1.0
    before = workers.count("SELECT count(*) FROM journal.runs")
    workers.run("resume")
    workers.until("SELECT count(*) FROM journal.runs", before + 20)
