"""Defects that earlier systems of this kind had, each as a test that would find it here.

`docs/reliability.md` lists all of them, also those that tests elsewhere find.
"""

import ast
import asyncio
import importlib.metadata
import importlib.util
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from pydantic import SecretStr

from storecrew.app.settings import Settings
from storecrew.database import Durability
from storecrew.domain.codec import decode_event
from storecrew.domain.control.agents import Worker
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import (
    RecordCompetitorPrice,
    SetPrice,
    UpsertProduct,
    floor_price,
)
from storecrew.domain.shop.inventory import SetStock, StockCount, StockRanLow
from storecrew.domain.shop.orders import (
    FulfilOrder,
    Line,
    OrderQuery,
    OrderStatus,
    PlaceOrder,
    parse_order,
    parse_stock,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Proposal, agent, every
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import open_store
from storecrew.testing.simulation.faults import Faults
from storecrew.testing.simulation.host import POLICY, SimulatedHost

ROOT = Path(__file__).parents[2]
START = datetime(2026, 3, 2, 6, tzinfo=UTC)
MUG = UpsertProduct(
    sku="mug", name="Mug", price=Money.of(10, "EUR"), cost=Money.of(5, "EUR"), supplier=None
)


@pytest.fixture
async def machine():
    """A shop with ten mugs, and no faults but those of the test."""
    machine = await SimulatedHost.build(VirtualClock(START), Faults(Random(1), active=False))
    await machine.store.apply(MUG, key="put")
    await machine.store.apply(SetStock(levels=(StockCount(sku="mug", on_hand=10),)), key="count")
    yield machine
    wrong = await machine.verify()
    await machine.close()
    assert list(wrong) == []


async def crewed(machine, *agents, worker=None):
    """Boot a plane with these agents alone."""
    pipeline = replace(machine.pipeline(), registry=Registry(agents))
    plane = Orchestrator(pipeline, InlineEngine(), LoopSettings(attempts=1), worker=worker)
    await plane.start(alone=worker is None)
    if worker is not None:
        await plane.elect()
    return plane


async def settle(machine, plane):
    """Let the plane do what is due, and what agents let wait for a moment."""
    for seconds in (1, 60, 1):  # no agent of the crew gathers for longer
        while (await plane.sweep()).progress:
            pass
        machine.clock.advance_to(machine.clock.now() + timedelta(seconds=seconds))


def low(n, sku="mug"):
    event = StockRanLow(sku=sku, warehouse="main", position=1, reorder_point=5, daily_demand=1.0)
    return EventEnvelope(source="test", external_id=str(n), event=event, at=START)


def ordered(*quantities, sku="mug"):
    return PlaceOrder(lines=tuple(Line(sku=sku, quantity=n) for n in quantities))


# Every fulfilment raised a NameError, and capturing the payment was a comment.
async def test_a_paid_order_is_fulfilled_and_its_payment_is_in_the_books(machine):
    plane = await machine.boot()
    placed = await machine.store.apply(ordered(2), key="order", actor="person:customer")
    order_id = placed.detail["order_id"]
    await settle(machine, plane)
    paid = CapturePayment(order_id=order_id, reference="r")
    await machine.store.apply(paid, key="paid", actor="person:customer")
    await settle(machine, plane)

    order = await machine.store.order(order_id)
    assert (order.status, order.paid) == (OrderStatus.AWAITING_DELIVERY, Money.of(20, "EUR"))
    assert [level.on_hand for level in await machine.store.stock(["mug"])] == [8]


# An agent that failed on each of ten runs was reported to be fine.
async def test_an_agent_that_always_fails_has_only_failed_runs(machine):
    @agent(on=StockRanLow)
    async def broken(event, ctx):
        """Fail."""
        raise ValueError(event.sku)
        yield event

    plane = await crewed(machine, broken)
    await plane.publish([low(n, f"s{n}") for n in range(10)])
    for _ in range(10):
        await settle(machine, plane)

    runs = (await machine.journal.runs(page=1, per_page=50)).items
    assert [run.status for run in runs] == [RunStatus.FAILED] * 10
    assert all("ValueError" in run.error for run in runs)


# A rival's price of 0.00 took a price from 100 to 10.74 in ten rounds.
async def test_a_rival_that_gives_everything_away_is_not_followed(machine):
    plane = await machine.boot()
    for n in range(10):
        gift = RecordCompetitorPrice(sku="mug", competitor="them", price=Money.of(0, "EUR"))
        await machine.store.apply(gift, key=f"gift/{n}", actor="shop")
        await settle(machine, plane)

    price = (await machine.store.product("mug")).price
    assert price == Money.of(10, "EUR") >= floor_price(Money.of(5, "EUR"), POLICY.margin_floor)


# A dashboard started a second orchestrator, and every agent ran twice.
async def test_two_orchestrators_run_each_agent_once(machine):
    ticks = []

    @agent(schedule=every(hours=1, offset=timedelta(0)))
    async def hourly(event, ctx):
        """Note the hour."""
        ticks.append(event.due)
        for nothing in ():
            yield nothing

    workers = [Worker(id=name, host="here", pid=1, started_at=START) for name in ("one", "two")]
    planes = [await crewed(machine, hourly, worker=worker) for worker in workers]
    for _ in range(3):
        await asyncio.gather(*(plane.sweep() for plane in planes))

    assert ticks == [START]


# `make run` named a program that did not exist, another target expanded to nothing.
def test_every_recipe_names_a_program_that_exists():
    recipes = [
        line for line in (ROOT / "Makefile").read_text("utf-8").splitlines() if line[:1] == "\t"
    ]
    tools = {m for line in recipes for m in re.findall(r"\$\(BIN\)/([\w-]+)", line)}
    scripts = {
        entry.name: entry for entry in importlib.metadata.entry_points(group="console_scripts")
    }
    lock = (ROOT / "requirements-docs.lock").read_text("utf-8")  # installed for `make docs` alone
    of_docs = set(re.findall(r"^([\w-]+)==", lock, re.MULTILINE))
    assert tools <= scripts.keys() | of_docs | {"python", "pip", "ruff"}
    assert callable(scripts["storecrew"].load())
    modules = {m for line in recipes for m in re.findall(r"-m ([\w.]+)", line)}
    assert all(importlib.util.find_spec(module) for module in modules)
    assert all(line.strip() for line in recipes)


# Background work was a short sleep and the word success.
async def test_a_run_is_done_only_after_its_work_is(machine):
    go_on, begun = asyncio.Event(), asyncio.Event()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def slow(event, ctx):
        """Take its time."""
        begun.set()
        await go_on.wait()
        price = SetPrice(sku="mug", price=Money.of("10.50", "EUR"))
        yield Proposal(action=price, reason="it runs low")

    plane = await crewed(machine, slow)
    await plane.publish([low(1)])
    sweep = asyncio.create_task(plane.sweep())
    await begun.wait()
    [run] = (await machine.journal.runs(page=1, per_page=9)).items
    assert run.status is RunStatus.RUNNING
    go_on.set()
    await sweep

    assert (await machine.journal.run(run.id)).status is RunStatus.DONE
    assert (await machine.store.product("mug")).price == Money.of("10.50", "EUR")


# Times with and without a zone met in the heartbeat check, which then called nobody ready.
async def test_every_time_has_a_zone_or_is_refused(machine):
    with pytest.raises(InvalidInput, match="has no time zone"):
        decode_event({"type": "ClockTicked", "agent": "a", "due": "2026-03-02T06:00:00"})
    plane = await machine.boot()
    await machine.store.apply(ordered(1), key="order", actor="person:customer")
    await settle(machine, plane)

    runs = (await machine.journal.runs(page=1, per_page=50)).items
    events = (await machine.journal.events(page=1, per_page=50)).items
    times = [run.created_at for run in runs] + [event.at for event in events]
    assert times
    assert {at.tzinfo for at in times} == {UTC}


# The check of the schedules looked at its own empty memory; executions died with the process.
async def test_a_new_process_knows_what_the_old_one_did(machine):
    plane = await machine.boot()
    await machine.store.apply(ordered(1), key="order", actor="person:customer")
    await settle(machine, plane)
    before = (await machine.journal.runs(page=1, per_page=50)).items
    assert before

    await settle(machine, await machine.boot())

    assert (await machine.journal.runs(page=1, per_page=50)).items == before


# What an agent was allowed to do was written down and never looked at.
async def test_an_agent_does_nothing_that_it_did_not_declare(machine):
    @agent(on=StockRanLow, allowed_actions=[])
    async def rogue(event, ctx):
        """Give it away."""
        yield Proposal(action=SetPrice(sku="mug", price=Money.of("9.50", "EUR")), reason="gift")

    plane = await crewed(machine, rogue)
    await plane.publish([low(1)])
    await settle(machine, plane)

    assert (await machine.store.product("mug")).price == Money.of(10, "EUR")
    [run] = (await machine.journal.runs(page=1, per_page=9)).items
    assert (run.status, run.error) == (
        RunStatus.FAILED,
        "agent 'rogue' may not propose SetPrice",
    )


# A secret written in the source served in production.
def test_no_secret_has_a_default():
    def secrets(value):
        for name, field in type(value).model_fields.items():
            inner = getattr(value, name)
            if "SecretStr" in str(field.annotation):
                yield name, inner
            elif hasattr(type(inner), "model_fields"):
                yield from secrets(inner)

    found = dict(secrets(Settings()))
    assert found
    assert [name for name, value in found.items() if isinstance(value, SecretStr)] == []


# Random transactions, revenue and fraud alerts were shown on the live dashboard.
def test_nothing_that_serves_draws_random_numbers():
    apart = ("stores/simulated", "testing", "supervisor")  # the last spreads its pauses by chance
    for path in (ROOT / "src" / "storecrew").rglob("*.py"):
        if any(part in path.as_posix() for part in apart):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"random", "numpy.random"} & set(names), path


# A private key, a database and logs were kept with the source; scripts killed strangers' processes.
def test_the_source_holds_no_key_no_data_and_no_script_that_kills_by_name():
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("this is no checkout")
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert files
    unwanted = {".pem", ".key", ".db", ".sqlite", ".log", ".pid", ".env"}
    assert [f for f in files if f.suffix in unwanted or f.name == ".env"] == []
    key, by_name = "PRIVATE" + " KEY-----", re.compile(r"\b(p" + r"kill|kill" + r"all)\b")
    for path in files:
        text = path.read_text("utf-8", errors="replace") if path.is_file() else ""
        assert key not in text, path
        assert not by_name.search(text), path


# A short second line left the first one deducted.
async def test_an_order_short_of_one_line_takes_nothing(machine):
    await machine.store.apply(replace(MUG, sku="cup", name="Cup"), key="cup")
    await machine.store.apply(
        SetStock(levels=(StockCount(sku="cup", on_hand=1),)), key="count cups"
    )
    lines = (Line(sku="mug", quantity=1), Line(sku="cup", quantity=2))

    refused = await machine.store.apply(PlaceOrder(lines=lines), key="order")

    assert refused.code == "short_stock"
    assert {s.sku: s.available for s in await machine.store.stock()} == {"mug": 10, "cup": 1}
    assert (await machine.store.orders(OrderQuery())).total == 0


# An order that nobody had approved was fulfilled, a second call deducted again, and one order
# left three rows.
async def test_fulfilment_needs_approval_and_payment_and_happens_once(machine):
    placed = await machine.store.apply(ordered(3), key="order")
    order_id = placed.detail["order_id"]
    early = await machine.store.apply(FulfilOrder(order_id=order_id), key="early")
    assert (early.applied, early.code) == (False, "illegal_move")

    plane = await machine.boot()
    await settle(machine, plane)
    paid = CapturePayment(order_id=order_id, reference="r")
    await machine.store.apply(paid, key="paid", actor="person:customer")
    await settle(machine, plane)
    again = await machine.store.apply(FulfilOrder(order_id=order_id), key="again")

    assert not again.applied
    assert [level.on_hand for level in await machine.store.stock(["mug"])] == [7]
    assert sum((await machine.store.order_counts()).values()) == 1


# Two service objects sold the same last unit.
async def test_two_stores_over_one_database_sell_the_last_unit_once(tmp_path):
    brisk = Durability(synchronous="OFF", busy_seconds=10)
    shops = [
        await open_store(
            f"sqlite:///{tmp_path}/orders.db",
            clock=VirtualClock(START),
            currency="EUR",
            durability=brisk,
        )
        for _ in range(2)
    ]
    await shops[0].apply(MUG, key="put")
    await shops[0].apply(SetStock(levels=(StockCount(sku="mug", on_hand=1),)), key="count")

    sold = await asyncio.gather(
        *(shop.apply(ordered(1), key=f"{n}") for n, shop in enumerate(shops * 3))
    )

    assert [outcome.applied for outcome in sold].count(True) == 1
    assert list(await shops[1].verify()) == []
    for shop in shops:
        await shop.close()


# -5 was read as 5, and 1.5kg as 15.
@pytest.mark.parametrize("quantity", ["-5", "1.5kg", "1.5", "0", "1e3", "", "five"])
def test_a_quantity_that_is_none_is_refused(quantity):
    for read in (parse_order, parse_stock):
        with pytest.raises(InvalidInput):
            read(f"mug:{quantity}")


# An order that nobody knew was called delivered.
async def test_an_unknown_order_has_no_state(machine):
    with pytest.raises(NotFound, match="order"):
        await machine.store.order(404)
