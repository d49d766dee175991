"""One run over 100,000 products: propose, judge, apply, audit. Bar: under 60 s and 1 GB."""

import argparse
import asyncio
import json
import resource
import sys
import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from storecrew.domain.actions import Command
from storecrew.domain.control.events import RunRequested
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import FixedClock
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.journal import open_journal
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import Context, Proposal, Proposals, agent
from storecrew.stores.sql import open_store

BAR_SECONDS, BAR_MEGABYTES = 60, 1024


@agent(allowed_actions=[SetPrice])
async def repricer(event: RunRequested, ctx: Context) -> Proposals:
    """Raise every price by two percent."""
    for product in await ctx.store.products():
        price = (product.price * Decimal("1.02")).rounded()
        yield Proposal(
            action=SetPrice(sku=product.sku, price=price, expected_price=product.price),
            reason="costs rose by two percent",
            evidence={"price": str(product.price)},
        )


async def measure(products: int, folder: Path) -> dict[str, float]:
    """Fill a shop, reprice all of it in one run, and prove the books."""
    clock = FixedClock(datetime(2026, 3, 2, 12, tzinfo=UTC))
    store = await open_store(f"sqlite:///{folder}/orders.db", clock=clock, currency="EUR")
    journal = await asyncio.to_thread(open_journal, f"sqlite:///{folder}/registry.db")
    price, cost = Money.of(10, "EUR"), Money.of(5, "EUR")
    for start in range(0, products, 500):
        batch = []
        for n in range(start, min(start + 500, products)):
            product = UpsertProduct(sku=f"s{n:06}", name=f"Product {n}", price=price, cost=cost)
            batch.append(Command(key=f"put/{n}", action=product, actor="person:owner"))
        await store.apply_batch(batch)
    pipeline = Pipeline(
        store=store,
        journal=journal,
        policy=Policy(PolicySettings(autonomy={"*.*": "limits"})),
        registry=Registry([repricer]),
        models=basic_models(),
        clock=clock,
        wall=clock,
        currency="EUR",
    )
    plane = Orchestrator(pipeline, InlineEngine())
    await plane.start(alone=True)
    while (await plane.sweep()).progress:
        pass
    run = await plane.request_run("repricer", key="k", by="owner", parameters={})
    started = time.monotonic()
    while (await journal.snapshot("store", clock.now())).waiting or not plane.started_runs:
        await plane.sweep()
    seconds = time.monotonic() - started
    counts = await journal.count_results([run])
    wrong = [*await store.verify(), *await journal.verify(await store.applied_keys())]
    await journal.close()
    await store.close()
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "megabytes": megabytes, "discrepancies": len(wrong), **counts}


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--products", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(options.products, Path(folder)))
    if options.json:
        print(json.dumps(found))
    else:
        print(f"{options.products:,} products in one run, SQLite FULL")
        print(f"{found['seconds']:.1f} s (bar {BAR_SECONDS}), peak {found['megabytes']:.0f} MB")
        print(f"{found['applied']:,} applied, {found['discrepancies']} discrepancies")
    good = found["applied"] == options.products and not found["discrepancies"]
    return int(not (good and found["seconds"] < BAR_SECONDS and found["megabytes"] < BAR_MEGABYTES))


if __name__ == "__main__":
    sys.exit(main())
