"""What an order, an event, a page and a start cost as the books grow.

The books are filled in bulk with a history of so many orders and as many events, then the same
work is done over each: orders are placed one by one, events handled one by one by an agent that
changes the shop, every list is read over HTTP (its first page, and a deep one that the smallest
books have too), and `storecrew up` is started. Figures are processor milliseconds.

Bar: over the largest books at most 1.3 of what it costs over the smallest. Pages in the middle of
each book are shown beside it without a bar: they cost index entries up to the nearer end.
"""

import argparse
import asyncio
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from storecrew.api.application import create_app
from storecrew.app import load_settings
from storecrew.app.bootstrap import open_plane
from storecrew.app.clocks import SystemClock
from storecrew.app.gc_tuning import set_start_up_aside
from storecrew.domain.control.agents import BusinessDay
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import CompetitorPriceObserved, SetPrice
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.journal import open_journal
from storecrew.journal.key_values import SqlKeyValues
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import Context, Proposal, Proposals, agent
from storecrew.stores.sql import SqlStore, open_store
from storecrew.testing.live.history import History, write_history, written
from storecrew.testing.live.process import cpu_seconds
from storecrew.testing.live.server import ServerProcess

BAR = 1.3
SIZES = (10_000, 100_000, 1_000_000)
PER_PAGE = 50
LISTS = {
    "/api/orders": 1,
    "/api/orders?status=delivered": 1,
    "/api/logs": 1,
    "/api/events": 1,
    "/api/audit": 1,
    "/api/runs": 10,
    "/api/runs?status=done": 10,
    "/api/proposals": 10,
    "/api/customers": 10,
    "/api/messages": 10,
    "/api/messages?state=sent": 11,
    "/api/purchase-orders?status=received": 50,
    "/api/products": 100,
    "/api/stock": 100,
    "/api/approvals?status=expired&per_page=50": 100,
}
"""Lists that have pages; one in so many orders stands in it."""
VIEWS = (
    "/api/orders?customer=customer-7",
    "/api/orders/9000",
    "/api/traces/e9000",
    "/api/tickets",
    "/api/stock-history",
    "/api/inventory/status",
    "/api/payment-methods",
    "/api/mail/report",
    "/api/orchestrator/health",
    "/api/plan",
    "/agents/status",
    "/agent/5/oversight",
    "/metrics",
)
"""What else is read."""
_WARM = 5
Work = Callable[[int], Awaitable[None]]
Found = dict[str, dict[int, float]]
"""Processor milliseconds by what is done and the size of the books."""
_LASTING = {"STORECREW_API__RATE_LIMIT": "0", "STORECREW_RETENTION__DAYS": "36500"}


@agent(on=CompetitorPriceObserved, allowed_actions=[SetPrice])
async def matching(event: CompetitorPriceObserved, ctx: Context) -> Proposals:
    """Match one rival's price."""
    yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="match")


async def fill(data: Path, orders: int) -> None:
    """Write the history, and that the books were proved today, which happens at night."""
    now = datetime.now(UTC)
    await (await open_store(_url(data, "orders"), clock=SystemClock(), currency="EUR")).close()
    await (await asyncio.to_thread(open_journal, _url(data, "registry"))).close()
    await asyncio.to_thread(write_history, data, History(orders=orders, until=now))
    journal = await asyncio.to_thread(open_journal, _url(data, "registry"))
    await SqlKeyValues(journal.database).keep("books/proved", BusinessDay.of(now, "UTC").name)
    await journal.close()


def _url(data: Path, name: str) -> str:
    return f"sqlite:///{data}/{name}.db"


@dataclass
class Books:
    """A plane over the books of one size, and an agent that works on the same."""

    data: Path
    client: httpx.AsyncClient
    store: SqlStore
    orchestrator: Orchestrator

    async def get(self, url: str) -> None:
        answer = await self.client.get(url)
        assert answer.status_code == 200, (url, answer.text)

    async def place(self, n: int) -> None:
        lines = (Line(sku=f"sku-{n % 100:07d}", quantity=1),)
        action = PlaceOrder(lines=lines, customer=f"customer-{n}")
        assert (await self.store.apply(action, key=f"new/{n}")).applied

    async def handle(self, n: int) -> None:
        price = Money.from_minor(1000 + n % 40 + 1, "EUR")
        seen = CompetitorPriceObserved(sku=f"sku-{n % 100:07d}", competitor="r", price=price)
        now = self.orchestrator.clock.now()
        fact = EventEnvelope(source="bench", external_id=str(n), event=seen, at=now)
        await self.orchestrator.publish([fact])
        await self.swept()

    async def swept(self) -> None:
        while (await self.orchestrator.sweep()).progress:
            pass


@asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Books]:
    flags = {"orchestrator": {"data_dir": data}}
    settings = load_settings(environ=_LASTING, flags=flags, directory=data)
    async with open_plane(settings) as plane:
        pipeline = Pipeline(
            store=plane.store,
            journal=plane.journal,
            policy=Policy(PolicySettings(autonomy={"*.*": "limits"})),
            registry=Registry([matching]),
            models=basic_models(),
            clock=plane.clock,
            wall=plane.clock,
            currency="EUR",
        )
        loop = Orchestrator(pipeline, InlineEngine(), LoopSettings())
        await loop.start(alone=True)
        here = httpx.ASGITransport(create_app(plane, settings), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=here, base_url="http://127.0.0.1:8000") as client:
            yield Books(data, client, plane.store, loop)
        await loop.stop()


async def costs(works: Mapping[int, Work], times: int) -> dict[int, float]:
    """Return the processor milliseconds of each work, the lower quartile of so many goes.

    They take turns, so that a machine that is slower for a while is so for all of them.
    """
    taken: dict[int, list[float]] = {size: [] for size in works}
    for n in range(times + _WARM):
        for size, work in works.items():
            began = time.process_time()
            await work(n)
            taken[size].append((time.process_time() - began) * 1000)
    return {size: statistics.quantiles(each[_WARM:])[0] for size, each in taken.items()}


def urls(smallest: int, size: int) -> dict[str, str]:
    """Return what is read of books of this size, by the name under which it is shown."""
    found = {}
    for url, share in LISTS.items():
        mark = "&" if "?" in url else "?"
        deep, middle = (max(2, n // share // PER_PAGE // 2) for n in (smallest, size))
        found[url] = url
        found[f"{url} page {deep}"] = f"{url}{mark}page={deep}"
        found[f"{url} middle"] = f"{url}{mark}page={middle}"
    return found | {url: url for url in VIEWS}


async def over_all(books: Mapping[int, Books], times: int) -> Found:
    """Measure what is read, then what is written."""
    of_size = {size: urls(min(books), size) for size in books}
    found = {}
    for name in of_size[min(books)]:
        works = {
            size: lambda _n, b=each, u=of_size[size][name]: b.get(u) for size, each in books.items()
        }
        found[name] = await costs(works, times)
    found["order placed"] = await costs({n: b.place for n, b in books.items()}, times * 5)
    for each in books.values():
        await each.swept()  # the facts of those orders
    found["event handled"] = await costs({n: b.handle for n, b in books.items()}, times * 5)
    for each in books.values():
        done = await each.store.applied_keys(f"{matching.name}@")
        assert len(done) == times * 5 + _WARM, len(done)
    return found


async def started(servers: Mapping[int, ServerProcess], times: int) -> dict[int, float]:
    """Return the processor milliseconds from the command to the first 200 of /readyz."""
    taken: dict[int, list[float]] = {size: [] for size in servers}
    for _ in range(times):
        for size, server in servers.items():
            server.start()
            try:
                await server.ready()
                taken[size].append(cpu_seconds(server.pid) * 1000)
                await server.stop()
            finally:
                server.kill()
    return {size: statistics.median(each) for size, each in taken.items()}


async def measure(folder: Path, options: argparse.Namespace) -> Found:
    servers = {}
    for size in sorted(options.sizes):
        servers[size] = ServerProcess(folder / str(size), settings=_LASTING)
        servers[size].data.mkdir(parents=True)
        began = time.process_time()
        await fill(servers[size].data, size)
        passed, megabytes = time.process_time() - began, written(servers[size].data) / 2**20
        print(f"{size:,} orders: {megabytes:,.0f} MB in {passed:.0f} s", file=sys.stderr)
    found = {"storecrew up": await started(servers, options.starts)}
    async with AsyncExitStack() as stack:
        books = {n: await stack.enter_async_context(opened(s.data)) for n, s in servers.items()}
        set_start_up_aside()  # as a process that serves does
        return found | await over_all(books, options.times)


def ratio(found: Mapping[int, float]) -> float:
    return found[max(found)] / found[min(found)]


def is_over(name: str, found: Mapping[int, float]) -> bool:
    return not name.endswith(" middle") and ratio(found) > BAR


def show(found: Found) -> None:
    sizes = next(iter(found.values()))
    print(f"{'processor ms':<52}" + "".join(f"{size:>12,}" for size in sizes) + f"{'ratio':>8}")
    for name, each in found.items():
        figures = "".join(f"{milliseconds:>12.2f}" for milliseconds in each.values())
        print(f"{name:<52}{figures}{ratio(each):>8.2f}{'  over' if is_over(name, each) else ''}")
    print(f"bar {BAR}; load of the machine: {os.getloadavg()[0]:.1f}")


def main() -> int:
    """Print the figures; exit 1 when a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=SIZES,
        help="orders in the books; 5000000 takes 13 GB and a quarter of an hour",
    )
    parser.add_argument("--times", type=int, default=40, help="reads of each page")
    parser.add_argument("--starts", type=int, default=5, help="starts of the program")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder), options))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        show(found)
    return int(any(is_over(name, each) for name, each in found.items()))


if __name__ == "__main__":
    sys.exit(main())
