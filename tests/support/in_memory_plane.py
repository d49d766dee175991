"""A plane on a virtual clock, its databases never synced to disk, with the agents of a test."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storecrew.app.control_actions import PlaneOperations
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount, StockRanLow
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.journal import SqlJournal
from storecrew.journal.control_actions import SqlControlActions
from storecrew.journal.incidents import SqlIncidentRepository
from storecrew.models import basic_models
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, PolicySettings
from storecrew.sdk import Agent, agent
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import SqlStore

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
LIMITS = PolicySettings(autonomy={"*.*": "limits"})


@dataclass
class InMemoryPlane:
    """Everything a test needs of a plane; `boot` starts the process anew over the same books."""

    store: SqlStore
    journal: SqlJournal
    clock: VirtualClock
    agents: tuple[Agent, ...] = ()
    policy: PolicySettings = LIMITS
    settings: LoopSettings = field(default_factory=LoopSettings)
    sent: int = 0
    folder: Path | None = None

    async def boot(self, *agents, **settings) -> Orchestrator:
        self.agents = agents or self.agents
        loop = LoopSettings(**settings) if settings else self.settings
        orchestrator = Orchestrator(self.pipeline(), InlineEngine(), loop)
        await orchestrator.start(alone=True)
        return orchestrator

    def pipeline(self) -> Pipeline:
        registry = Registry(self.agents)
        return Pipeline(
            store=self.store,
            journal=self.journal,
            policy=Policy(self.policy),
            registry=registry,
            operations=PlaneOperations(book=self.book, registry=registry, clock=self.clock),
            models=basic_models(),
            clock=self.clock,
            wall=self.clock,
            currency="EUR",
        )

    async def stock(self, sku="mug", units=10, price=10, cost=5) -> None:
        product = UpsertProduct(
            sku=sku, name=sku, price=Money.of(price, "EUR"), cost=Money.of(cost, "EUR")
        )
        await self.store.apply(product, key=f"put/{sku}")
        levels = SetStock(levels=(StockCount(sku=sku, on_hand=units),))
        await self.store.apply(levels, key=f"set/{sku}")

    async def order(self, quantity=1, sku="mug", key="order") -> int:
        action = PlaceOrder(lines=(Line(sku=sku, quantity=quantity),))
        placed = await self.store.apply(action, key=key, actor="person:customer")
        return placed.detail["order_id"]

    def news(self, event, *, id="", source="test") -> EventEnvelope:
        self.sent += 1
        return EventEnvelope(
            source=source, external_id=id or str(self.sent), event=event, at=self.clock.now()
        )

    def later(self, **delta) -> None:
        self.clock.advance_to(self.clock.now() + timedelta(**delta))

    async def stories(self):
        return (await self.journal.proposals(page=1, per_page=500)).items

    async def runs(self):
        return (await self.journal.runs(page=1, per_page=500)).items

    @property
    def incidents(self) -> SqlIncidentRepository:
        return SqlIncidentRepository(self.journal.database)

    @property
    def book(self) -> SqlControlActions:
        return SqlControlActions(self.journal.database)

    async def verify(self):
        keys = [*await self.store.applied_keys(), *await self.book.applied_keys()]
        return [*await self.store.verify(), *await self.journal.verify(keys)]


async def settle(orchestrator: Orchestrator) -> None:
    """Sweep until nothing is due."""
    while (await orchestrator.sweep()).progress:
        pass


def low(sku="mug"):
    return StockRanLow(sku=sku, warehouse="main", position=1, reorder_point=5, daily_demand=1.0)


def raise_to(amount, **options):
    @agent(on=StockRanLow, allowed_actions=[SetPrice], name="scarcity", **options)
    async def scarcity(event, ctx):
        """Raise the price of what runs low."""
        product = await ctx.store.product(event.sku)
        price = SetPrice(sku=event.sku, price=Money.of(amount, "EUR"), expected_price=product.price)
        yield Proposal(action=price, reason="it runs low", evidence={"position": event.position})

    return scarcity
