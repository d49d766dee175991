"""The engines: every run submitted is carried out to its end, by the durable one across kill -9."""

import asyncio
import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from storecrew.database import connect_for_library
from storecrew.orchestrator.durable import DurableEngine, EngineNotStarted, JsonSerializer
from storecrew.orchestrator.inline import InlineEngine

WORKER = Path(__file__).parent / "engine_worker.py"


class Recorder:
    """Carries runs out by writing down their names."""

    def __init__(self, expected):
        self.runs = []
        self.expected = expected
        self.all_here = asyncio.Event()

    async def __call__(self, run_id):
        self.runs.append(run_id)
        if len(self.runs) == self.expected:
            self.all_here.set()

    async def wait(self):
        async with asyncio.timeout(20):
            await self.all_here.wait()


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/engine.db"


def durable(url):
    return DurableEngine(connect_for_library(url), executor_id="here")


async def ended(engine, number):
    """Wait until so many runs can be forgotten, and forget them."""
    tomorrow, found = datetime.now(UTC) + timedelta(days=1), 0
    async with asyncio.timeout(20):
        while found < number:
            found += await engine.prune(tomorrow)
    assert found == number


async def test_a_run_is_carried_out_once_however_often_it_is_submitted_and_forgotten_in_time(url):
    recorder = Recorder(2)
    engine = durable(url)
    await engine.start(recorder)
    for run in ("a#1", "a#1", "b#1", "a#1"):
        await engine.submit(run)
    await recorder.wait()

    assert await engine.prune(datetime.now(UTC) - timedelta(days=1)) == 0
    await engine.submit("a#1")
    await ended(engine, 2)
    await engine.stop()

    assert sorted(recorder.runs) == ["a#1", "b#1"]


async def test_the_inline_engine_carries_out_at_once_until_it_is_stopped():
    recorder = Recorder(1)
    engine = InlineEngine()

    await engine.submit("early#1")
    await engine.start(recorder)
    await engine.submit("a#1")
    assert await engine.prune(datetime.now(UTC)) == 0
    await engine.stop()
    await engine.submit("late#1")

    assert recorder.runs == ["a#1"]


async def test_a_run_that_was_killed_is_carried_out_by_the_next_process(url):
    with subprocess.Popen(  # noqa: ASYNC220 - its first line is waited for beside the loop
        [sys.executable, WORKER, url], stdout=subprocess.PIPE, text=True
    ) as child:
        assert await asyncio.to_thread(child.stdout.readline) == "slow#1\n"
        child.kill()

    recorder = Recorder(1)
    engine = durable(url)
    await engine.start(recorder)
    await recorder.wait()
    await engine.stop()

    assert recorder.runs == ["slow#1"]


async def test_nothing_is_submitted_to_an_engine_that_does_not_run(url):
    engine = durable(url)

    with pytest.raises(EngineNotStarted, match="has not been started"):
        await engine.submit("a#1")


def test_values_are_kept_as_json_and_nothing_else():
    serializer = JsonSerializer()

    kept = serializer.serialize({"args": ["a#1"], "n": None})
    assert json.loads(kept) == serializer.deserialize(kept) == {"args": ["a#1"], "n": None}
    assert json.loads(serializer.serialize(ValueError("wrong"))) == {
        "error": "ValueError",
        "message": "wrong",
    }
    assert serializer.name() == "storecrew_json"


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", lambda: None])
def test_what_is_no_json_is_not_kept(value):
    with pytest.raises(TypeError, match="is not JSON"):
        JsonSerializer().serialize({"result": value})


@pytest.mark.parametrize("kept", ["gASVAAAAAAAAAIwFcG9zaXg=", "cos\nsystem\n(S'true'\ntR."])
def test_what_would_run_as_code_elsewhere_is_not_read(kept):
    with pytest.raises(ValueError, match="Expecting value"):
        JsonSerializer().deserialize(kept)
