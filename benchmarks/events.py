"""Events per second from ingestion to an audited effect, and runs per second beside bare engines.

Part 1: events are published in small groups, each wakes an agent that takes them in batches and
changes the store; the clock stops when every effect is applied and audited. One process, SQLite
with synchronous=FULL, the durable engine. Bar: 2,000 events a second.

Part 2: runs of one event and one effect each through the whole pipeline, beside bare DBOS,
huey and dramatiq doing runs of three recorded steps. Bar: 0.8 of bare DBOS.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from _peers import bare_dbos, dramatiq_runs, huey_runs
from storecrew.app.clocks import SystemClock
from storecrew.app.gc_tuning import set_start_up_aside
from storecrew.database import connect_for_library
from storecrew.domain.actions import Command
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import CompetitorPriceObserved, SetPrice, UpsertProduct
from storecrew.journal import open_journal
from storecrew.models import basic_models
from storecrew.orchestrator.durable import DurableEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import Agent, Context, Proposal, Proposals, agent
from storecrew.stores.sql import open_store

BAR_EVENTS, BAR_RATIO = 2000, 0.8
PRODUCTS = 5000


@agent(
    on=CompetitorPriceObserved,
    allowed_actions=[SetPrice],
    batch=500,
    batch_window=timedelta(milliseconds=50),
)
async def batching(events: list[CompetitorPriceObserved], ctx: Context) -> Proposals:
    """Match each rival's price."""
    for event in events:
        yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="match")


@agent(on=CompetitorPriceObserved, allowed_actions=[SetPrice], concurrency=16)
async def single(event: CompetitorPriceObserved, ctx: Context) -> Proposals:
    """Match one rival's price."""
    yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="match")


class Plane:
    """A serving plane over files in a folder, with one agent."""

    def __init__(self, folder: Path, who: Agent) -> None:
        self.folder, self.who = folder, who

    async def __aenter__(self) -> "Plane":
        clock = SystemClock()
        self.store = await open_store(
            f"sqlite:///{self.folder}/orders.db", clock=clock, currency="EUR"
        )
        url = f"sqlite:///{self.folder}/registry.db"
        self.journal = await asyncio.to_thread(open_journal, url)
        products = [
            UpsertProduct(
                sku=f"s{n}", name=f"P{n}", price=Money.of(10, "EUR"), cost=Money.of(5, "EUR")
            )
            for n in range(PRODUCTS)
        ]
        for start in range(0, PRODUCTS, 500):
            batch = [
                Command(key=p.sku, action=p, actor="me") for p in products[start : start + 500]
            ]
            await self.store.apply_batch(batch)
        engine_url = f"sqlite:///{self.folder}/engine.db"
        pipeline = Pipeline(
            store=self.store,
            journal=self.journal,
            policy=Policy(PolicySettings(autonomy={"*.*": "limits"})),
            registry=Registry([self.who]),
            models=basic_models(),
            clock=clock,
            wall=clock,
            currency="EUR",
        )
        engine = DurableEngine(connect_for_library(engine_url), executor_id="bench")
        self.orchestrator = Orchestrator(pipeline, engine, LoopSettings(max_concurrent=16))
        await self.orchestrator.start(alone=True)
        self.loop = asyncio.create_task(self.orchestrator.serve())
        set_start_up_aside()  # as a process that serves does
        return self

    async def __aexit__(self, *_error: object) -> None:
        self.orchestrator.request_stop()
        await self.loop
        await self.orchestrator.stop()
        await self.journal.close()
        await self.store.close()

    async def drive(self, events: int, group: int) -> float:
        """Publish the events and return the seconds until the last effect is audited."""
        started = time.monotonic()
        for start in range(0, events, group):
            await self.orchestrator.publish([event(n) for n in range(start, start + group)])
        quiet = 0
        while quiet < 2:  # twice in a row: between two runs there is nothing to see
            await asyncio.sleep(0.02)
            look = await self.journal.snapshot("store", datetime.now(UTC))
            unread = await self.store.outbox(look.cursor, limit=1)
            quiet = 0 if look.waiting or look.running or unread else quiet + 1
        return time.monotonic() - started

    async def wrong(self) -> int:
        keys = await self.store.applied_keys()
        return len([*await self.store.verify(), *await self.journal.verify(keys)])


def event(n: int) -> EventEnvelope:
    cents = 1000 + (n // PRODUCTS) % 40
    seen = CompetitorPriceObserved(
        sku=f"s{n % PRODUCTS}", competitor="r", price=Money.from_minor(cents, "EUR")
    )
    return EventEnvelope(source="bench", external_id=str(n), event=seen, at=datetime.now(UTC))


async def measure(who: Agent, events: int, group: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        async with Plane(Path(folder), who) as plane:
            seconds = await plane.drive(events, group)
            done = len(await plane.store.applied_keys(who.name))
            lost = events - done
            return {"per_second": events / seconds, "discrepancies": lost + await plane.wrong()}


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    batched = asyncio.run(measure(batching, options.events, 100))
    dbos = asyncio.run(bare_dbos(options.runs))
    piped = asyncio.run(measure(single, options.runs, 50))
    again = asyncio.run(bare_dbos(options.runs))
    bare = (dbos + again) / 2
    found = {
        "events_per_second": batched["per_second"],
        "runs_per_second": piped["per_second"],
        "bare_dbos": bare,
        "huey": huey_runs(options.runs),
        "dramatiq": dramatiq_runs(options.runs),
        "ratio": piped["per_second"] / bare,
        "discrepancies": batched["discrepancies"] + piped["discrepancies"],
    }
    if options.json:
        print(json.dumps(found))
    else:
        print(f"events, ingested to audited effect: {found['events_per_second']:,.0f}/s")
        print(f"runs through the pipeline: {found['runs_per_second']:,.0f}/s")
        for peer in ("bare_dbos", "huey", "dramatiq"):
            print(f"  {peer}: {found[peer]:,.0f}/s")
        print(f"ratio to bare DBOS: {found['ratio']:.2f} (bar {BAR_RATIO})")
        print(f"discrepancies: {found['discrepancies']:.0f}")
    good = found["events_per_second"] >= BAR_EVENTS and found["ratio"] >= BAR_RATIO
    return int(not good or found["discrepancies"] > 0)


if __name__ == "__main__":
    sys.exit(main())
