"""A thousand agents on schedules: how late they are, and what they cost while nothing is due.

Part 1: one process, SQLite with synchronous=FULL, the durable engine. Part 2: two workers on
Postgres, the first of them killed -9 half-way (`--postgres URL`; the database is made and
dropped). Part 3: the same agents with nothing due, processor time of the process over a while.

A tick is late by the time from its due moment to the beginning of its run; the time to the run's
end, which bounds when the agent was awake, is shown beside it. The first minute, in which every
agent makes up for the tick it missed before the start, does not count. Lost is a tick whose
neighbours on its agent's grid ran and it did not; doubled is one that ran twice.
"""

import argparse
import json
import os
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from _schedules import interval_of
from storecrew.testing.live.process import cpu_seconds

BAR_LATENESS, BAR_IDLE = 0.250, 5.0
PROGRAM = (sys.executable, "-c", "from storecrew.cli import main; main()")
_ROWS = """
SELECT events.external_id, events.body, runs.created_at, runs.finished_at
FROM {0}events AS events JOIN {0}runs AS runs ON runs.id = events.external_id
WHERE events.source = 'clock' AND runs.agent LIKE 'bench%'
"""


def environment(count: int, **more: str) -> dict[str, str]:
    """Return the environment of a worker with so many agents."""
    given = {"BENCH_AGENTS": str(count), **more}
    os.environ.update(given)
    code = "import _schedules; print(_schedules.settings())"
    here = str(Path(__file__).parent)
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, text=True, check=True
    )
    agents = {"STORECREW_AGENTS": said.stdout.strip(), "PYTHONPATH": here}
    return {"PATH": os.environ["PATH"], **given, **agents}


def worker(folder: Path, env: dict[str, str], name: str) -> "subprocess.Popen[bytes]":
    """Start a worker."""
    with (folder / f"{name}.log").open("ab") as log:
        command = [*PROGRAM, "worker", "--name", name, "--data-dir", str(folder / "data")]
        return subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)


def judged(rows: list[tuple[str, str, str, str | None]], began: datetime) -> dict[str, float]:
    """Return lateness and what was lost or doubled, of the ticks that were due after a moment."""
    due: dict[str, list[datetime]] = defaultdict(list)
    begun, ended = [], []
    doubled = unfinished = 0
    for name, body, created_at, finished_at in rows:
        agent = name.partition("@")[0]
        tick = datetime.fromisoformat(json.loads(body)["due"])
        doubled += tick in due[agent]
        due[agent].append(tick)
        unfinished += finished_at is None
        if tick > began and finished_at is not None:
            begun.append((datetime.fromisoformat(created_at) - tick).total_seconds())
            ended.append((datetime.fromisoformat(finished_at) - tick).total_seconds())
    lost = sum(
        round((b - a) / interval_of(agent)) - 1
        for agent, ticks in due.items()
        for a, b in zip(sorted(ticks), sorted(ticks)[1:], strict=False)
        if a > began
    )
    return {
        "ticks": len(begun),
        "begun_p50": _percentile(begun, 50),
        "begun_p95": _percentile(begun, 95),
        "ended_p50": _percentile(ended, 50),
        "ended_p95": _percentile(ended, 95),
        "lost": lost,
        "doubled": doubled,
        "unfinished": unfinished,
    }


def _percentile(values: list[float], n: int) -> float:
    return statistics.quantiles(values, n=100)[n - 1]


def one_process(count: int, seconds: float, settle: float) -> dict[str, float]:
    """Run the agents in one process over SQLite."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        process = worker(folder, environment(count), "one")
        time.sleep(settle)
        began, cpu = datetime.now(UTC), cpu_seconds(process.pid)
        time.sleep(seconds)
        cpu = cpu_seconds(process.pid) - cpu
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        with sqlite3.connect(folder / "data" / "registry.db") as books:
            rows = books.execute(_ROWS.format("")).fetchall()
        return {**judged(rows, began), "cpu_percent": 100 * cpu / seconds}


def two_workers(count: int, seconds: float, settle: float, server: str) -> dict[str, float]:
    """Run the agents on two workers over Postgres, and kill the one that leads half-way."""
    name = f"storecrew_bench_{os.getpid()}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    url = f"{server.rpartition('/')[0]}/{name}"
    workers = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            env = environment(count, DATABASE_URL=url)
            for each in ("one", "two"):
                workers.append(worker(Path(folder), env, each))
                time.sleep(5)
            time.sleep(settle)
            began = datetime.now(UTC)
            time.sleep(seconds / 2)
            workers[0].kill()
            time.sleep(seconds / 2)
            workers[1].send_signal(signal.SIGTERM)
            workers[1].wait(60)
        with psycopg.connect(url) as books:
            rows = books.execute(_ROWS.format("journal.")).fetchall()
        return judged(rows, began)
    finally:
        for process in workers:
            process.kill()
            process.wait()
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def idle(count: int, seconds: float, settle: float) -> float:
    """Return the share of a core, in percent, that the agents cost while nothing is due."""
    with tempfile.TemporaryDirectory() as name:
        process = worker(Path(name), environment(count, BENCH_IDLE="1"), "one")
        time.sleep(settle)
        cpu = cpu_seconds(process.pid)
        time.sleep(seconds)
        cpu = cpu_seconds(process.pid) - cpu
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        return 100 * cpu / seconds


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--settle", type=float, default=60, help="seconds that do not count")
    parser.add_argument("--postgres", help="a server URL with a database that exists")
    parser.add_argument("--only", choices=("one", "two", "idle"))
    options = parser.parse_args()
    good, length = True, (options.count, options.seconds, options.settle)
    if options.only in (None, "one"):
        good &= _shown("one process, SQLite", one_process(*length))
    if options.only in (None, "two") and options.postgres:
        good &= _shown("two workers, Postgres, one killed", two_workers(*length, options.postgres))
    if options.only in (None, "idle"):
        percent = idle(options.count, 60, options.settle)
        print(f"idle with {options.count} agents: {percent:.1f} % of a core (bar {BAR_IDLE:g} %)")
        good &= percent < BAR_IDLE
    return int(not good)


def _shown(what: str, found: dict[str, float]) -> bool:
    print(f"{what}: {found['ticks']:.0f} ticks, {found['lost']:.0f} lost, "
          f"{found['doubled']:.0f} doubled, {found['unfinished']:.0f} unfinished")  # fmt: skip
    for word in ("begun", "ended"):
        p50, p95 = (1000 * found[f"{word}_{p}"] for p in ("p50", "p95"))
        print(f"  due to {word}: p50 {p50:.0f} ms, p95 {p95:.0f} ms")
    if "cpu_percent" in found:
        print(f"  {found['cpu_percent']:.0f} % of a core")
    is_exact = not (found["lost"] or found["doubled"])
    return is_exact and found["begun_p95"] < BAR_LATENESS


if __name__ == "__main__":
    sys.exit(main())
