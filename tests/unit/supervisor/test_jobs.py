"""Work in a process of its own: what comes back, and what becomes of work that does not end."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from storecrew.supervisor.jobs import JobFailed, run_job


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "echo_job.py").write_text(
        "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()[::-1])"
    )
    (tmp_path / "sad_job.py").write_text("import sys; sys.exit('the cat ate it')")
    (tmp_path / "slow_job.py").write_text(
        "import os, pathlib, sys, time\n"
        "pathlib.Path(sys.stdin.read()).write_text(str(os.getpid()))\n"
        "time.sleep(60)".replace("\\\n", "\n")
    )
    return {"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}


async def test_a_job_gets_its_input_and_gives_its_output(environment: dict[str, str]) -> None:
    content = bytes(range(256)) * 4_000
    assert await run_job("echo_job", content, environment=environment, timeout=30) == content[::-1]


async def test_a_job_that_fails_says_why(environment: dict[str, str]) -> None:
    with pytest.raises(JobFailed, match="sad_job ended with 1: the cat ate it"):
        await run_job("sad_job", b"", environment=environment, timeout=30)


async def test_a_job_that_takes_too_long_is_ended(
    environment: dict[str, str], tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    with pytest.raises(JobFailed, match="longer than 3 s"):
        await run_job("slow_job", str(note).encode(), environment=environment, timeout=3)
    assert not _runs(int(note.read_text()))


async def test_whoever_gives_up_waiting_ends_the_job(
    environment: dict[str, str], tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    waiting = asyncio.create_task(
        run_job("slow_job", str(note).encode(), environment=environment, timeout=60)
    )
    while not note.exists() or not note.read_text():  # noqa: ASYNC110 - another process writes
        await asyncio.sleep(0.02)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not _runs(int(note.read_text()))


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return sys.platform == "linux"
