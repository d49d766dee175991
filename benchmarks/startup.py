"""How soon the program answers and what it costs when idle, on a fresh and on a used data folder.

Bars: `storecrew --help` under 0.3 s, `storecrew up` to 200 from /readyz under 2 s, then under 3 %
of a core and 200 MB. Beside it a bare interpreter, as a measure of the machine.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from storecrew.app.clocks import SystemClock
from storecrew.domain.actions import Command
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.stores.sql import open_store
from storecrew.testing.live.process import cpu_seconds, resident_bytes
from storecrew.testing.live.server import PROGRAM, ServerProcess, environment
from storecrew.testing.live.shop import sku, stock_shop

BAR_HELP, BAR_READY, BAR_IDLE, BAR_MEGABYTES = 0.3, 2.0, 3.0, 200
PRODUCTS, UNITS = 500, 1_000_000
_AT_ONCE = 500


@dataclass(frozen=True, kw_only=True)
class Startup:
    folder: str
    ready_seconds: list[float]
    """From the command to the first 200 from /readyz, once per start."""
    ready_cpu_seconds: float
    """What that cost in processor time: a busy machine stretches the one, less the other."""
    idle_percent: float
    """Of one core, once what there was to do has been done."""
    megabytes: float

    @property
    def holds(self) -> bool:
        quick = statistics.median(self.ready_seconds) < BAR_READY
        return quick and self.idle_percent < BAR_IDLE and self.megabytes < BAR_MEGABYTES


def walls(command: Iterable[str], times: int) -> list[float]:
    """Return the seconds of a command from start to end, once per time."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run([*command], env=environment({}), stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - began)
    return taken


async def fill(data: Path, orders: int) -> None:
    """Put orders into the ledger."""
    await stock_shop(data, products=PRODUCTS, units=UNITS)
    store = await open_store(f"sqlite:///{data}/orders.db", clock=SystemClock(), currency="EUR")
    for start in range(0, orders, _AT_ONCE):
        numbers = range(start, min(start + _AT_ONCE, orders))
        await store.apply_batch(
            [Command(key=f"old/{n}", action=_order(n), actor="me") for n in numbers]
        )
    await store.close()


def _order(number: int) -> PlaceOrder:
    lines = (Line(sku=sku(number % PRODUCTS), quantity=1), Line(sku=sku(0), quantity=2))
    return PlaceOrder(lines=lines, customer=f"customer-{number % 997}")


async def approved(server: ServerProcess) -> None:
    """Let the crew see to the orders once, so that a later start finds nothing to do."""
    server.start()
    try:
        await server.ready()
        await _at_rest(server.pid)
        await server.stop()
    finally:
        server.kill()


async def started(server: ServerProcess, name: str, options: argparse.Namespace) -> Startup:
    """Start the server a few times; let the last one idle, and weigh it."""
    ready, costs = [], []
    try:
        for left in reversed(range(options.times)):
            server.start()
            ready.append(await server.ready())
            costs.append(cpu_seconds(server.pid))
            if left:
                await server.stop()
        await _at_rest(server.pid)
        used = cpu_seconds(server.pid)
        await asyncio.sleep(options.idle)
        used = cpu_seconds(server.pid) - used
        megabytes = resident_bytes(server.pid) / 2**20
        await server.stop()
    finally:
        server.kill()
    return Startup(
        folder=name,
        ready_seconds=[round(seconds, 2) for seconds in ready],
        ready_cpu_seconds=round(statistics.median(costs), 2),
        idle_percent=round(used / options.idle * 100, 2),
        megabytes=round(megabytes, 1),
    )


async def _at_rest(pid: int, within: float = 120) -> None:
    """Wait until a process has used little of two seconds, or the time is over."""
    deadline = time.perf_counter() + within
    while time.perf_counter() < deadline:
        before = cpu_seconds(pid)
        await asyncio.sleep(2)
        if cpu_seconds(pid) - before < 0.2:
            return


async def measure(options: argparse.Namespace) -> list[Startup]:
    with tempfile.TemporaryDirectory() as fresh, tempfile.TemporaryDirectory() as used:
        first = await started(ServerProcess(Path(fresh)), "fresh", options)
        server = ServerProcess(Path(used))
        server.data.mkdir()
        await fill(server.data, options.orders)
        await approved(server)
        return [first, await started(server, f"{options.orders:,} orders", options)]


def show(helped: float, bare: float, found: list[Startup]) -> None:
    print(f"--help {helped:.3f} s (bar {BAR_HELP}); bare interpreter {bare:.3f} s")
    print(f"{'folder':<16}{'ready, s':>10}{'slowest':>10}{'CPU, s':>10}{'idle, %':>10}{'MB':>8}")
    for each in found:
        median, most = statistics.median(each.ready_seconds), max(each.ready_seconds)
        print(
            f"{each.folder:<16}{median:>10.2f}{most:>10.2f}{each.ready_cpu_seconds:>10.2f}"
            f"{each.idle_percent:>10.2f}{each.megabytes:>8.0f}"
        )
    print(f"{'bar':<16}{BAR_READY:>10.2f}{'':>20}{BAR_IDLE:>10.2f}{BAR_MEGABYTES:>8}")
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=10_000, help="in the used folder")
    parser.add_argument("--times", type=int, default=5, help="starts of each command")
    parser.add_argument("--idle", type=float, default=30, help="seconds to watch")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    helped = statistics.median(walls([*PROGRAM, "--help"], options.times))
    bare = statistics.median(walls([sys.executable, "-c", "pass"], options.times))
    found = asyncio.run(measure(options))
    if options.json:
        shown = {"help": helped, "bare": bare, "starts": [asdict(each) for each in found]}
        print(json.dumps(shown, indent=2))
    else:
        show(helped, bare, found)
    return int(not (helped < BAR_HELP and all(each.holds for each in found)))


if __name__ == "__main__":
    sys.exit(main())
