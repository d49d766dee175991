"""What a page, an order, an event, an id and a start cost does not grow with the books.

Counted are the steps that SQLite's own machine takes, so a machine that is busy proves nothing
wrong: whatever reads a table to its end takes more of them over books three times as large.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unittest.mock import MagicMock

import httpx
import pytest
import sqlalchemy as sa

from storecrew.api.application import create_app
from storecrew.api.routing import every_route
from storecrew.app import load_settings
from storecrew.app.bootstrap import ControlPlane, open_plane
from storecrew.app.clocks import SystemClock
from storecrew.domain.control.agents import AgentManifest, AgentOrigin, RegisteredAgent
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.incidents import IncidentKind
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import CompetitorPriceObserved, SetPrice
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.journal import open_journal
from storecrew.journal.agents import SqlAgentRepository
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import Context, Proposal, Proposals, agent
from storecrew.stores.sql import open_store
from storecrew.testing.live.history import History, write_history

SMALL, LARGE = 10_000, 30_000
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
GRANULE = 10
"""Steps after which SQLite calls back."""
MORE = 1.1
A_FEW = 100
"""Granules that may come on top: an index over more rows is a level deeper."""

IN_A_WINDOW = {
    "/api/briefing": "compares a day with the same weekday of eight weeks",
    "/api/reports/bias": "compares half a year of trade",
    "/api/reports/prices": "follows up four months of price changes",
    "/api/trends": "is computed from a year of sales",
}
"""Reports over a span of time, and why they read what was sold in it."""
ELSEWHERE = {"/api/services/logs/follow", "/api/recommendations"}
"""Answers that do not end, or need parameters."""
PLAIN = [
    path
    for route in every_route(create_app(MagicMock(), load_settings(environ={})))
    if "GET" in (route.methods or ())
    for path in (str(route.path),)
    if "{" not in path and path not in IN_A_WINDOW and path not in ELSEWHERE
]
PAGED = [
    *(f"{path}?page=100" for path in ("/api/orders", "/api/logs", "/api/events", "/api/audit")),
    *(f"{path}?page=10" for path in ("/api/runs", "/api/proposals", "/api/customers")),
    "/api/messages?page=9",
    "/api/products?page=2",
    "/api/stock?page=2",
    "/api/purchase-orders?status=all&page=2",
    "/api/purchase-orders?status=received",
    "/api/orders?status=delivered&page=50",
    "/api/orders?status=received",
    "/api/orders?customer=customer-7",
    "/api/runs?status=done&page=10",
    "/api/runs?agent=order_management&page=10",
    "/api/runs?agent=order_management&status=done",
    "/api/runs?status=running",
    "/api/proposals?run=order_management@4000",
    "/api/messages?state=sent&page=9",
    "/api/messages?state=waiting",
    "/api/messages?state=failed",
    "/api/approvals?status=expired&per_page=50&page=2",
    "/api/tickets?status=open",
    "/api/anomalies?status=open",
    "/api/incidents?status=open",
]
SINGLE = [
    "/api/orders/4000",
    "/api/tickets/ticket-7",
    "/api/products/sku-0000007",
    "/api/messages/7/preview",
    "/api/traces/e4000",
    "/api/runs/order_management@4000",
    "/api/proposals/order_management@4000/0",
    "/api/approvals/order_management@4000/0",
    "/api/agents/order_management/status",
]


@agent(on=CompetitorPriceObserved, allowed_actions=[SetPrice])
async def matching(event: CompetitorPriceObserved, ctx: Context) -> Proposals:
    """Match one rival's price."""
    yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="match")


class Steps:
    """How much SQLite had to do."""

    def __init__(self) -> None:
        self.taken = 0

    def watch(self, engine: sa.Engine) -> None:
        @sa.event.listens_for(engine, "checkout")
        def _(connection, _record, _proxy) -> None:
            connection.set_progress_handler(self._step, GRANULE)

    def _step(self) -> int:
        self.taken += 1
        return 0


@dataclass
class Books:
    """A plane over filled books."""

    plane: ControlPlane
    client: httpx.AsyncClient
    steps: Steps

    async def cost(self, work: Callable[["Books"], Awaitable[object]]) -> int:
        before = self.steps.taken
        await work(self)
        return self.steps.taken - before

    def orchestrator(self) -> Orchestrator:
        pipeline = Pipeline(
            store=self.plane.store,
            journal=self.plane.journal,
            policy=Policy(PolicySettings(autonomy={"*.*": "limits"})),
            registry=Registry([matching]),
            models=basic_models(),
            clock=self.plane.clock,
            wall=self.plane.clock,
            currency="EUR",
        )
        return Orchestrator(pipeline, InlineEngine(), LoopSettings())


async def fill(data, orders: int) -> None:
    data.mkdir()
    store = await open_store(f"sqlite:///{data}/orders.db", clock=SystemClock(), currency="EUR")
    await store.close()
    journal = await asyncio.to_thread(open_journal, f"sqlite:///{data}/registry.db")
    await journal.close()
    write_history(data, History(orders=orders, until=NOW))


@asynccontextmanager
async def opened(data) -> AsyncIterator[Books]:
    environ = {"STORECREW_API__RATE_LIMIT": "0"}
    flags = {"orchestrator": {"data_dir": data}}
    settings = load_settings(environ=environ, flags=flags, directory=data)
    steps = Steps()
    async with open_plane(settings) as plane:
        for database in (plane.store.database, plane.journal.database):
            steps.watch(database.engine)
        here = httpx.ASGITransport(create_app(plane, settings), client=("127.0.0.1", 1))
        async with httpx.AsyncClient(transport=here, base_url="http://127.0.0.1:8000") as client:
            yield Books(plane, client, steps)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Small books and large ones; what one test adds to them is little to another."""
    root = tmp_path_factory.mktemp("books")
    for orders in (SMALL, LARGE):
        asyncio.run(fill(root / str(orders), orders))
    return root / str(SMALL), root / str(LARGE)


@pytest.fixture
async def both(folders):
    async with opened(folders[0]) as small, opened(folders[1]) as large:
        yield small, large


async def assert_flat(both: tuple[Books, Books], work: Callable[[Books], Awaitable[object]]):
    small, large = [await each.cost(work) for each in both]

    assert large <= small * MORE + A_FEW


async def test_the_filled_books_prove_clean(both):
    assert list(await both[0].plane.verify()) == []


@pytest.mark.parametrize("path", [*PLAIN, *PAGED, *SINGLE])
async def test_what_is_read_costs_the_same_over_larger_books(both, path):
    async def read(books: Books) -> None:
        answer = await books.client.get(path)
        assert answer.status_code in (200, 204, 503), answer.text  # a plane that rests is not ready

    await assert_flat(both, read)


async def test_reading_a_table_to_its_end_is_noticed(both):
    async def scan(books: Books) -> None:
        count = sa.text("SELECT count(*) FROM customers WHERE name <> ''")
        await books.plane.store.database.read(lambda c: c.execute(count).scalar())

    with pytest.raises(AssertionError):
        await assert_flat(both, scan)


async def test_an_order_costs_the_same_over_larger_books(both):
    async def place(books: Books) -> None:
        action = PlaceOrder(lines=(Line(sku="sku-0000007", quantity=1),), customer="customer-7")
        assert (await books.plane.store.apply(action, key="new")).applied

    await assert_flat(both, place)


async def test_an_event_costs_the_same_over_larger_books(both):
    async def handle(books: Books) -> None:
        loop = books.orchestrator()
        await loop.start(alone=True)
        price = Money.of("10.01", "EUR")
        seen = CompetitorPriceObserved(sku="sku-0000007", competitor="r", price=price)
        fact = EventEnvelope(source="test", external_id="1", event=seen, at=loop.clock.now())
        await loop.publish([fact])
        while (await loop.sweep()).progress:
            pass
        await loop.stop()
        assert (await books.plane.store.product("sku-0000007")).price == price

    await assert_flat(both, handle)


async def test_starting_costs_the_same_over_larger_books(both):
    async def start(books: Books) -> None:
        loop = books.orchestrator()
        await loop.start(alone=True)
        await books.plane.journal.prune(NOW - timedelta(days=3650))
        await loop.stop()

    await assert_flat(both, start)


def recruit() -> RegisteredAgent:
    declaration = AgentManifest(agent_id="new", purpose="Is new.", endpoint="https://x.example")
    return RegisteredAgent(declaration=declaration, origin=AgentOrigin.HTTP, at=NOW, by="me")


AUDITED = {
    "register an agent": lambda b: SqlAgentRepository(b.plane.journal.database).register(recruit()),
    "dismiss an agent": lambda b: SqlAgentRepository(b.plane.journal.database).deregister(
        "new", by="me", now=NOW
    ),
    "pause an agent": lambda b: b.plane.crew.pause("order_management", by="me"),
    "resume an agent": lambda b: b.plane.crew.resume("order_management", by="me"),
    "pause the crew": lambda b: b.plane.pause(by="me"),
    "resume the crew": lambda b: b.plane.resume(by="me"),
    "open an incident": lambda b: b.plane.incidents.open_agent_incident(
        "pricing", IncidentKind.AGENT_HUNG, "stuck", NOW
    ),
}


async def test_no_id_is_made_by_counting(both):
    for work in AUDITED.values():
        await assert_flat(both, work)
