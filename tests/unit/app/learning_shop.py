"""A shop with some weeks of orders, and a model service that trains in the test's process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from storecrew.app import load_settings
from storecrew.app.learning import model_service
from storecrew.database import DISPOSABLE
from storecrew.domain.actions import Action
from storecrew.domain.control.model_registry import TrainingResult
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import Line, PlaceOrder
from storecrew.journal import open_journal
from storecrew.journal.journal import SqlJournal
from storecrew.learning.service import ModelService
from storecrew.learning.training import TrainingJob, run_training
from storecrew.stores.sql import SqlStore, open_store

OPENED = datetime(2026, 1, 5, 9, tzinfo=UTC)
"""A Monday."""


@dataclass
class Clock:
    at: datetime = OPENED

    def now(self) -> datetime:
        return self.at


@dataclass
class LearningShop:
    store: SqlStore
    journal: SqlJournal
    service: ModelService
    clock: Clock
    trainings: list[TrainingJob] = field(default_factory=list)
    _keys: int = 0

    async def do(self, action: Action) -> None:
        self._keys += 1
        outcome = await self.store.apply(action, key=f"k{self._keys}")
        assert outcome.applied, outcome

    async def stocked(self, *skus: str, units: int = 10_000, warehouse: str = "main") -> None:
        levels = tuple(StockCount(sku=sku, on_hand=units, warehouse=warehouse) for sku in skus)
        await self.do(SetStock(levels=levels))
        for sku in skus:
            await self.do(SetPrice(sku=sku, price=Money.of(10, "EUR")))

    async def sold(self, customer: str | None = None, **units: int) -> None:
        lines = tuple(Line(sku=sku, quantity=n) for sku, n in units.items())
        await self.do(PlaceOrder(lines=lines, customer=customer))

    async def days(self, number: int, **units: int) -> None:
        """Let days pass on each of which so much is ordered at once, thrice on a Saturday."""
        for _ in range(number):
            times = 3 if self.clock.at.weekday() == 5 else 1
            if units:
                await self.sold(**{sku: n * times for sku, n in units.items()})
            self.clock.at += timedelta(days=1)


@asynccontextmanager
async def open_shop() -> AsyncIterator[LearningShop]:
    clock = Clock()
    store = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    settings = load_settings(environ={}, flags={"models": {"horizon_days": 14}})
    trainings: list[TrainingJob] = []

    async def learn(task: TrainingJob, before: bytes) -> TrainingResult:
        trainings.append(task)
        return await run_training(task, store, before)

    service = model_service(settings, store, journal, clock, learn)
    try:
        yield LearningShop(store, journal, service, clock, trainings)
    finally:
        await service.close()
        await store.close()
        await journal.close()
