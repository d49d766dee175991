"""Orders placed over HTTP on one server process: how many a second, and how long one takes.

`storecrew up` with its defaults (the crew approves each order in the same process; SQLite with
synchronous=FULL; only the general rate limit is off) and a load generator in a second process.
Bars: 500 a second over 32 connections; p99 under 50 ms at 250 a second, sent on time whatever
the server does; never one unit sold that is not there. Beside it, in the same run, the least that
an order can cost: a bare FastAPI app that does one INSERT and one COMMIT per order.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import uvloop

from storecrew.testing.live.connection import Connection, request
from storecrew.testing.live.crash_test import UNLIMITED
from storecrew.testing.live.process import cpu_seconds
from storecrew.testing.live.server import ServerProcess, free_port
from storecrew.testing.live.shop import SCARCE, sku, stock_shop

BAR_PER_SECOND, BAR_P99_MS = 500, 50
CONNECTIONS, PRODUCTS, UNITS = 32, 500, 1_000_000
LAST_UNITS, LAST_BUYERS = 100, 200


# --- the load, in a process of its own ------------------------------------------------------


class Orders:
    """Makes orders of two lines, each with a key of its own, and counts the answers."""

    def __init__(self, port: int) -> None:
        self.port, self.answers, self._made = port, Counter[int](), 0
        self._rng = random.Random(1)

    def next(self) -> bytes:
        chosen = self._rng.sample(range(PRODUCTS), 2)
        lines = [{"product": sku(n), "quantity": 1 + n % 3} for n in chosen]
        return self._request({"lines": lines, "customer": f"customer-{self._made % 997}"})

    def last(self) -> bytes:
        return self._request({"lines": [{"product": SCARCE, "quantity": 1}]})

    def _request(self, body: object) -> bytes:
        self._made += 1
        return request("POST", "/api/orders", body, {"idempotency-key": f"order-{self._made}"})

    async def place(self, connection: Connection, message: bytes) -> None:
        self.answers[(await connection.ask(message)).status] += 1

    async def connect(self, count: int) -> list[Connection]:
        return [await Connection.open(self.port) for _ in range(count)]


async def as_many(orders: Orders, seconds: float) -> float:
    """Order over all connections without a pause; return orders per second."""
    connections = await orders.connect(CONNECTIONS)
    done, began = 0, time.perf_counter()

    async def client(connection: Connection) -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await orders.place(connection, orders.next())
            done += 1

    await asyncio.gather(*(client(each) for each in connections))
    passed = time.perf_counter() - began
    for each in connections:
        each.close()
    return done / passed


async def at_rate(orders: Orders, rate: float, seconds: float) -> list[float]:
    """Order on time, whatever is still unanswered; return the seconds from due to answered."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for each in await orders.connect(CONNECTIONS * 2):
        free.put_nowait(each)
    taken: list[float] = []
    began = time.perf_counter()

    async def one(due: float) -> None:
        connection = await free.get()
        await orders.place(connection, orders.next())
        taken.append(time.perf_counter() - due)
        free.put_nowait(connection)

    async with asyncio.TaskGroup() as under_way:
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(due - time.perf_counter())
            under_way.create_task(one(due))
    while not free.empty():
        free.get_nowait().close()
    return taken


async def last_units(orders: Orders) -> dict[str, int]:
    """Let more buyers than there are units order at once; return what they were told."""
    before = orders.answers.copy()
    connections = await orders.connect(CONNECTIONS)

    async def client(connection: Connection, count: int) -> None:
        for _ in range(count):
            await orders.place(connection, orders.last())

    each, more = divmod(LAST_BUYERS, CONNECTIONS)
    counts = (each + (n < more) for n in range(CONNECTIONS))
    await asyncio.gather(*(client(c, n) for c, n in zip(connections, counts, strict=True)))
    for connection in connections:
        connection.close()
    return {str(status): n for status, n in (orders.answers - before).items()}


async def generate(port: int, pid: int, seconds: float) -> dict[str, object]:
    orders = Orders(port)
    await as_many(orders, 2)  # warm
    await asyncio.sleep(2)  # let the crew finish what that left
    taken = sorted(await at_rate(orders, BAR_PER_SECOND / 2, seconds))
    await asyncio.sleep(2)
    used, before = cpu_seconds(pid), orders.answers.total()
    rate = await as_many(orders, seconds)
    used, placed = cpu_seconds(pid) - used, orders.answers.total() - before
    told = await last_units(orders)
    quantiles = {f"p{q}_ms": taken[int(len(taken) * q / 100)] * 1000 for q in (50, 95, 99)}
    return {
        "per_second": rate,
        "cpu_ms_per_order": used / placed * 1000,
        **quantiles,
        "answers": {str(status): n for status, n in orders.answers.items()},
        "last_units": told,
    }


def loaded(port: int, pid: int, seconds: float) -> dict[str, object]:
    """Run the load generator to its end and return its figures."""
    command = [sys.executable, __file__, "--generate", str(port), str(pid)]
    said = subprocess.run(
        [*command, "--seconds", str(seconds)],
        stdout=subprocess.PIPE,
        check=True,
        timeout=120 + 5 * seconds,
    )
    return json.loads(said.stdout)


# --- the peer -------------------------------------------------------------------------------


def serve_peer(port: int, file: str) -> None:
    """Be the bare app: an order is one row, committed to disk before the answer."""
    import uvicorn
    from fastapi import FastAPI
    from pydantic import BaseModel

    class Line(BaseModel):
        product: str
        quantity: int

    class Order(BaseModel):
        lines: list[Line]
        customer: str | None = None

    database = sqlite3.connect(file, isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=FULL")
    database.execute("CREATE TABLE orders (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
    app = FastAPI()

    @app.post("/api/orders", status_code=201)
    async def place(order: Order) -> dict[str, object]:
        database.execute("BEGIN IMMEDIATE")
        query = "INSERT INTO orders (body) VALUES (?)"
        number = database.execute(query, (order.model_dump_json(),)).lastrowid
        database.execute("COMMIT")
        return {"id": number, "status": "received"}

    uvicorn.run(app, port=port, access_log=False, log_level="warning")


async def peer(folder: Path, seconds: float) -> dict[str, object]:
    port = free_port()
    command = [sys.executable, __file__, "--peer", str(port), str(folder / "peer.db")]
    process = subprocess.Popen(command)  # noqa: ASYNC220 - it must be there before the load
    try:
        await _listening(port)
        return await asyncio.to_thread(loaded, port, process.pid, seconds)
    finally:
        process.kill()
        process.wait()


async def _listening(port: int) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                (await Connection.open(port)).close()
            except OSError:
                await asyncio.sleep(0.05)
            else:
                return


# --- the product ----------------------------------------------------------------------------


async def product(folder: Path, seconds: float) -> dict[str, object]:
    server = ServerProcess(folder, UNLIMITED)
    server.data.mkdir()
    await stock_shop(server.data, products=PRODUCTS, units=UNITS, scarce=LAST_UNITS)
    server.start()
    try:
        await server.ready()
        found = await asyncio.to_thread(loaded, server.port, server.pid, seconds)
        await server.stop()
    finally:
        server.kill()
    verified = await asyncio.to_thread(server.run, "verify", "--json")
    return {**found, **_books(server.data, found), "verified": verified.returncode == 0}


def _books(data: Path, found: dict[str, object]) -> dict[str, int]:
    """Count what the files say: orders that are missing or too many, and units oversold."""
    with closing(sqlite3.connect(f"{data.as_uri()}/orders.db?mode=ro", uri=True)) as shop:
        [kept] = shop.execute("SELECT COUNT(*) FROM orders").fetchone()
        query = "SELECT COALESCE(SUM(quantity), 0) FROM order_items WHERE product = ?"
        [sold] = shop.execute(query, (SCARCE,)).fetchone()
        [short] = shop.execute("SELECT COUNT(*) FROM stock WHERE on_hand < reserved").fetchone()
    answered = found["answers"]["201"]
    return {"orders_missing": answered - kept, "last_sold": sold, "oversold": short}


def show(ours: dict[str, object], bare: dict[str, object]) -> None:
    print(f"{'':<22}{'storecrew':>12}{'bare app':>12}{'ratio':>8}{'bar':>10}")
    bars = {"per_second": f">= {BAR_PER_SECOND}", "p99_ms": f"< {BAR_P99_MS}"}
    for name in ("per_second", "p50_ms", "p95_ms", "p99_ms", "cpu_ms_per_order"):
        a, b = ours[name], bare[name]
        print(f"{name:<22}{a:>12.1f}{b:>12.1f}{a / b:>8.2f}{bars.get(name, ''):>10}")
    for name in ("answers", "last_units", "last_sold", "oversold", "orders_missing", "verified"):
        print(f"{name:<22}{ours[name]!s}")
    print(f"{'load of the machine':<22}{ours['load']}")


def kept(ours: dict[str, object]) -> bool:
    """Tell whether every promise was kept."""
    quick = ours["per_second"] >= BAR_PER_SECOND and ours["p99_ms"] < BAR_P99_MS
    right = ours["verified"] and not (ours["orders_missing"] or ours["oversold"])
    refused = ours["last_units"].get("409", 0)
    return quick and right and ours["last_sold"] == LAST_UNITS == LAST_BUYERS - refused


async def measure(seconds: float) -> tuple[dict[str, object], dict[str, object]]:
    with tempfile.TemporaryDirectory() as folder:
        ours = await product(Path(folder), seconds)
        ours["load"] = [round(n, 1) for n in os.getloadavg()]
        return ours, await peer(Path(folder), seconds)


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15, help="of each measurement")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--generate", nargs=2, type=int, help=argparse.SUPPRESS)
    parser.add_argument("--peer", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.peer:
        serve_peer(int(options.peer[0]), options.peer[1])
        return 0
    if options.generate:
        print(json.dumps(uvloop.run(generate(*options.generate, options.seconds))))
        return 0
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    ours, bare = asyncio.run(measure(options.seconds))
    if options.json:
        print(json.dumps({"storecrew": ours, "bare": bare}, indent=2))
    else:
        show(ours, bare)
    return int(not kept(ours))


if __name__ == "__main__":
    sys.exit(main())
