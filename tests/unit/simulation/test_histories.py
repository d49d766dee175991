"""The simulation repeats itself exactly, holds on many seeds, and finds planted defects."""

import subprocess
import sys

import pytest

from storecrew.testing.simulation.history import live
from storecrew.testing.simulation.seeded_defects import PLANTS

SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
async def test_no_history_breaks_a_promise(seed):
    history = await live(seed)
    assert history.broken == ()


async def test_one_seed_replays_one_history():
    first, second = await live(7), await live(7)
    assert first == second
    assert first.crashes > 0
    assert first.troubles > 0


def test_a_history_does_not_depend_on_the_process():
    script = (
        "import asyncio; from storecrew.testing.simulation.history import live;"
        "print(asyncio.run(live(7, acts=30)).digest)"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()[-1]
        for seed in ("1", "2")
    }
    assert len(digests) == 1


@pytest.mark.parametrize("name", sorted(PLANTS))
async def test_a_planted_defect_is_found(name):
    found: tuple[str, ...] = ()
    for seed in SEEDS:
        if found := (await live(seed, PLANTS[name])).broken:
            break
    assert found
