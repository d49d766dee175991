"""The last unit is sold once: 200 clients in 2 processes want 100 units, on SQLite and Postgres.

Exits 1 unless exactly as many orders succeed as there are units, none is left reserved beyond
them, and the books add up. Beside it, orders per second of the bare ledger, each one committed
to disk before it counts.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import psycopg

from storecrew.database import Durability
from storecrew.domain.actions import Command
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.stores.sql import SqlStore, open_store

POSTGRES = "postgresql://postgres@127.0.0.1:5432/test"
SCHEMA = "benchmark_last_unit"
ONE = PlaceOrder(lines=(Line(sku="last", quantity=1),))


class Present:
    """The real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Race:
    database: str
    clients: int
    processes: int
    units: int
    sold: int
    refused: int
    left: int
    discrepancies: int
    seconds: float

    @property
    def holds(self) -> bool:
        told = self.sold + self.refused == self.clients
        return told and self.sold == self.units and not (self.left or self.discrepancies)


@dataclass(frozen=True, kw_only=True)
class Rate:
    database: str
    what: str
    per_second: float


async def open_at(url: str) -> SqlStore:
    durability = Durability(synchronous="FULL", busy_seconds=60)
    return await open_store(
        url, clock=Present(), currency="EUR", durability=durability, schema=SCHEMA
    )


async def buy(url: str, name: str, clients: int) -> None:
    """Be one process of buyers: begin when told to, and say how many got a unit."""
    store = await open_at(url)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    outcomes = await asyncio.gather(*(store.apply(ONE, key=f"{name}/{n}") for n in range(clients)))
    await store.close()
    sys.stdout.write(json.dumps([sum(o.applied for o in outcomes), len(outcomes)]))


async def race(database: str, url: str, clients: int, processes: int, units: int) -> Race:
    store = await open_at(url)
    await store.apply(SetStock(levels=(StockCount(sku="last", on_hand=units),)), key="stock")
    each = clients // processes
    command = [sys.executable, __file__, "--buyers", str(each), "--url", url, "--name"]
    children = [
        subprocess.Popen(  # noqa: ASYNC220 - all must start before any is waited for
            [*command, f"p{n}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for n in range(processes)
    ]
    for child in children:
        await asyncio.to_thread(child.stdout.readline)
    begun = time.perf_counter()
    said = await asyncio.gather(*(asyncio.to_thread(c.communicate, "go\n") for c in children))
    seconds = time.perf_counter() - begun
    counts = [json.loads(out) for out, _ in said]
    sold, asked = (sum(column) for column in zip(*counts, strict=True))
    level = (await store.stock(["last"]))[0]
    wrong = await store.verify()
    await store.close()
    return Race(
        database=database,
        clients=asked,
        processes=processes,
        units=units,
        sold=sold,
        refused=asked - sold,
        left=level.available,
        discrepancies=len(wrong),
        seconds=round(seconds, 3),
    )


async def rates(database: str, url: str, orders: int, prices: int) -> list[Rate]:
    store = await open_at(url)
    skus = [f"sku-{n}" for n in range(500)]
    levels = tuple(StockCount(sku=sku, on_hand=10**6) for sku in skus)
    await store.apply(SetStock(levels=levels), key="stock/many")

    async def client(number: int, count: int) -> None:
        for n in range(count):
            sku, other = skus[(number * 31 + n) % 500], skus[(number + n * 17) % 500]
            lines = (Line(sku=sku, quantity=1), Line(sku=other, quantity=2))
            await store.apply(PlaceOrder(lines=lines), key=f"{number}/{count}/{n}")

    async def placed(clients: int) -> float:
        begun = time.perf_counter()
        await asyncio.gather(*(client(n, orders // clients) for n in range(clients)))
        return orders / (time.perf_counter() - begun)

    found = [
        Rate(database=database, what=f"orders, {n} clients", per_second=round(await placed(n)))
        for n in (1, 50)
    ]
    begun = time.perf_counter()
    for start in range(0, prices, 500):
        batch = [
            Command(key=f"price/{start}/{n}", action=_price(sku, start), actor="benchmark")
            for n, sku in enumerate(skus)
        ]
        await store.apply_batch(batch)
    seconds = time.perf_counter() - begun
    what = "price changes, batches of 500"
    found.append(Rate(database=database, what=what, per_second=round(prices / seconds)))
    await store.close()
    return found


def _price(sku: str, start: int) -> SetPrice:
    return SetPrice(sku=sku, price=Money.from_minor(100 + start, "EUR"))


@contextmanager
def sqlite_file() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield f"sqlite:///{folder}/orders.db"


@contextmanager
def postgres(url: str) -> Iterator[str]:
    def drop() -> None:
        with psycopg.connect(url, autocommit=True, connect_timeout=2) as connection:
            connection.execute("SET client_min_messages TO warning")
            connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")

    drop()
    try:
        yield url
    finally:
        drop()


def measure(options: argparse.Namespace) -> tuple[list[Race], list[Rate]]:
    places: dict[str, Callable[[], object]] = {
        "sqlite": sqlite_file,
        "postgres": lambda: postgres(options.postgres),
    }
    races, speeds = [], []
    for name in options.databases:
        with places[name]() as url:
            races.append(
                asyncio.run(race(name, url, options.clients, options.processes, options.units))
            )
            speeds += asyncio.run(rates(name, url, options.orders, options.prices))
    return races, speeds


def show(races: list[Race], speeds: list[Rate]) -> None:
    print(f"{'database':<10}{'clients':>8}{'units':>7}{'sold':>6}{'409':>6}{'left':>6}{'books':>8}")
    for r in races:
        books = "wrong" if r.discrepancies else "right"
        print(
            f"{r.database:<10}{r.clients:>8}{r.units:>7}{r.sold:>6}{r.refused:>6}{r.left:>6}"
            f"{books:>8}"
        )
    print()
    for speed in speeds:
        print(f"{speed.database:<10}{speed.what:<32}{speed.per_second:>9,.0f}/s")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgres"])
    parser.add_argument("--postgres", default=POSTGRES, help="URL of a server to use")
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--units", type=int, default=100)
    parser.add_argument("--orders", type=int, default=2000, help="orders to time")
    parser.add_argument("--prices", type=int, default=20_000, help="price changes to time")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--buyers", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    parser.add_argument("--name", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.buyers is not None:
        asyncio.run(buy(options.url, options.name, options.buyers))
        return 0
    races, speeds = measure(options)
    if options.json:
        found = {"races": [asdict(r) for r in races], "rates": [asdict(s) for s in speeds]}
        print(json.dumps(found, indent=2))
    else:
        show(races, speeds)
    return 0 if all(r.holds for r in races) else 1


if __name__ == "__main__":
    sys.exit(main())
