"""The engines that the pipeline is compared with, each doing runs of three recorded steps."""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dbos import DBOS

from storecrew.database import connect_for_library
from storecrew.orchestrator.durable import DurableEngine

STEPS = 3
CONCURRENCY = 16


async def bare_dbos(runs: int) -> float:
    """Return runs per second of DBOS alone, on SQLite with synchronous=FULL."""
    with tempfile.TemporaryDirectory() as folder:
        engine = DurableEngine(
            connect_for_library(f"sqlite:///{folder}/engine.db"), executor_id="bare"
        )
        done = asyncio.Semaphore(0)
        room = asyncio.Semaphore(CONCURRENCY)

        async def nothing() -> int:
            return 1

        async def execute(_run: str) -> None:
            for n in range(STEPS):
                await DBOS.run_step_async({"name": f"step {n}"}, nothing)
            room.release()
            done.release()

        await engine.start(execute)
        started = time.monotonic()
        for n in range(runs):
            await room.acquire()
            await engine.submit(f"run {n}")
        for _ in range(runs):
            await done.acquire()
        seconds = time.monotonic() - started
        await engine.stop()
        return runs / seconds


_HUEY = """
import sys, time
from huey import SqliteHuey
huey = SqliteHuey(filename=sys.argv[1], fsync=True)
runs = int(sys.argv[2]); left = [runs]

@huey.task()
def step(run, n):
    if n < {steps}: step(run, n + 1)
    else: left[0] -= 1

for run in range(runs): step(run, 1)
consumer = huey.create_consumer(workers=4, worker_type="thread", periodic=False,
                                initial_delay=0.001, max_delay=0.01)
started = time.monotonic(); consumer.start()
while left[0]: time.sleep(0.005)
print(runs / (time.monotonic() - started)); sys.stdout.flush()
import os; os._exit(0)
"""

_DRAMATIQ = """
import sys, time, threading
import dramatiq
from dramatiq.brokers.redis import RedisBroker
broker = RedisBroker(url="redis://127.0.0.1:6379/9", namespace="storecrew-bench")
dramatiq.set_broker(broker)
runs = int(sys.argv[2]); left = [runs]; lock = threading.Lock()

@dramatiq.actor(max_retries=0)
def step(run, n):
    if n < {steps}: step.send(run, n + 1)
    else:
        with lock: left[0] -= 1

broker.flush_all()
for run in range(runs): step.send(run, 1)
worker = dramatiq.Worker(broker, worker_threads=8, worker_timeout=10)
started = time.monotonic(); worker.start()
while left[0]: time.sleep(0.005)
print(runs / (time.monotonic() - started)); sys.stdout.flush()
broker.flush_all()
import os; os._exit(0)
"""


def huey_runs(runs: int) -> float:
    """Return runs per second of huey on SQLite with fsync: a chain of three tasks each."""
    return _in_process(_HUEY, runs)


def dramatiq_runs(runs: int) -> float:
    """Return runs per second of dramatiq on Redis: a chain of three messages each."""
    return _in_process(_DRAMATIQ, runs)


def _in_process(script: str, runs: int) -> float:
    with tempfile.TemporaryDirectory() as folder:
        code = script.replace("{steps}", str(STEPS))
        arguments = [sys.executable, "-c", code, str(Path(folder) / "peer.db"), str(runs)]
        finished = subprocess.run(
            arguments, capture_output=True, text=True, timeout=300, env=dict(os.environ)
        )
    lines = finished.stdout.split()
    return float(lines[-1]) if lines else float("nan")
