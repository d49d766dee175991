"""The models from the shell: learnt in a process of their own, asked, listed."""

import asyncio
import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from program import PROGRAM, clean_environment

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.stores.sql import open_store

Run = Callable[..., subprocess.CompletedProcess[str]]


class Clock:
    at = datetime.now(UTC) - timedelta(days=21)

    def now(self) -> datetime:
        return self.at


async def _trade(folder: Path) -> None:
    """Leave three weeks of orders: mugs with tea each day."""
    clock = Clock()
    store = await open_store(f"sqlite:///{folder}/orders.db", clock=clock, currency="EUR")
    levels = tuple(StockCount(sku=sku, on_hand=900) for sku in ("mug", "tea", "hat"))
    await store.apply(SetStock(levels=levels), key="levels")
    for sku in ("mug", "tea", "hat"):
        await store.apply(SetPrice(sku=sku, price=Money.of(10, "EUR")), key=f"price/{sku}")
    for day in range(20):
        lines = (Line(sku="mug", quantity=4), Line(sku="tea", quantity=2))
        await store.apply(PlaceOrder(lines=lines, customer="anna"), key=f"o{day}")
        await store.apply(PlaceOrder(lines=(Line(sku="hat", quantity=1),)), key=f"h{day}")
        clock.at += timedelta(days=1)
    await store.close()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    (tmp_path / "shop").mkdir()
    asyncio.run(_trade(tmp_path / "shop"))

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *command, "--data-dir", "shop"],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


def test_models_learn_apart_and_answer(run: Run) -> None:
    learnt = run("models", "train", "similarity", "--json")
    assert learnt.returncode == 0, learnt.stderr
    (version,) = json.loads(learnt.stdout)["versions"]
    assert (version["number"], version["facts"]["baskets"]) == (1, 40)
    again = run("models", "train", "similarity")
    assert again.stdout == "similarity: version 1, serving (the newest)\n"

    beside = json.loads(run("recommend", "--cart", "mug", "--json").stdout)
    assert (beside["version"], beside["items"][0]["sku"]) == (1, "tea")
    asked = run("forecast", "mug", "--horizon", "3")
    assert asked.returncode == 0, asked.stderr
    assert "units expected in 3 days" in asked.stdout
    assert "sells 2.2 % less" in run("elasticity", "mug").stdout
    listed = json.loads(run("models", "list", "--json").stdout)["models"]
    numbers = {one["skill"]: one["version"] and one["version"]["number"] for one in listed}
    assert numbers == {"demand": None, "elasticity": None, "similarity": 1, "intents": None}
    shown = run("models", "show", "similarity")
    assert version["fingerprint"] in shown.stdout


def test_a_history_that_ended_is_asked_as_of_its_end(run: Run) -> None:
    day = f"{Clock.at + timedelta(days=7):%Y-%m-%d}"
    learnt = run("models", "train", "similarity", "--as-of", day, "--json")
    (version,) = json.loads(learnt.stdout)["versions"]
    asked = json.loads(run("forecast", "mug", "--as-of", day, "--json").stdout)

    assert version["last"] < day
    assert version["facts"]["baskets"] < 40
    assert asked["first"] == day
    assert 20 < asked["total"] < 90


def test_mistakes_are_told_in_one_sentence(run: Run) -> None:
    assert "no product with key 'nobody'" in run("forecast", "nobody").stderr
    assert "no day such as" in run("forecast", "mug", "--as-of", "soon").stderr
    assert "nothing learnt yet" in run("models", "show", "demand").stderr
    assert "not both" in run("recommend", "anna", "--cart", "mug").stderr
    assert "astrology" in run("models", "train", "astrology").stderr
