"""A small shop for the stories beside it: real books and the whole crew, on a clock of its own."""

import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from storecrew.app import load_settings
from storecrew.app.bootstrap import assemble
from storecrew.app.learning import model_service
from storecrew.database import DISPOSABLE
from storecrew.domain.actions import Action
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.model_registry import TrainingResult
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.purchasing import Supplier
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.control_actions import SqlControlActions
from storecrew.learning.service import ModelService
from storecrew.learning.training import TrainingJob, run_training
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import SqlStore, open_store

MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = (
    Customer(id="ann", name="Ann", email="ann@example.com", marketing_consent=True),
    Customer(id="bob", name="Bob", email="bob@example.com", locale="de"),
    Customer(id="cleo", name="Cleo", email="cleo@example.com", locale="fr"),
    *(Customer(id=f"c{n}", name=f"Customer {n}", email=f"c{n}@example.com") for n in range(60)),
)


@dataclass
class StoryShop:
    """A shop, its crew and what is told of them."""

    store: SqlStore
    journal: SqlJournal
    clock: VirtualClock
    models: ModelService
    plane: Orchestrator
    quiet: bool = False
    lines: list[str] = field(default_factory=list[str])
    _keys: int = 0
    _seen: set[str] = field(default_factory=set[str])

    def tell(self, line: str) -> None:
        """Say what happened, with the time."""
        self.lines.append(line)
        if not self.quiet:
            print(f"{self.clock.now():%a %d %b %H:%M:%S}  {line}")

    async def do(self, action: Action, *, by: str = "person:owner") -> Mapping[str, Any]:
        """Do what somebody outside of the crew does, and return its details."""
        self._keys += 1
        outcome = await self.store.apply(action, key=f"story/{self._keys}", actor=by)
        if not outcome.applied:
            raise RuntimeError(f"{action}: {outcome.message}")
        return outcome.detail

    async def hear(self, *events: Event) -> None:
        """Report what happened outside, and let the crew act on it."""
        for event in events:
            self._keys += 1
            at, key = self.clock.now(), f"story/{self._keys}"
            news = EventEnvelope(source="story", external_id=key, event=event, at=at)
            await self.plane.publish([news])
        await self.pass_time()

    async def pass_time(self, **span: float) -> None:
        """Let time pass in steps of at most a quarter of an hour, and the crew do what is due."""
        end = self.clock.now() + timedelta(**span)
        while True:
            while (await self.plane.sweep()).progress:
                pass
            await self._tell_proposals()
            if (now := self.clock.now()) >= end:
                break
            self.clock.advance_to(min(end, now + timedelta(minutes=15)))

    async def _tell_proposals(self) -> None:
        for story in reversed(await self.stories()):
            if story.filed.id not in self._seen and story.decision is not None:
                self._seen.add(story.filed.id)
                action = type(story.filed.proposal.action).__name__
                verdict = story.decision.verdict.name.lower()
                self.tell(
                    f"{story.filed.agent}: {action}, {verdict}. {story.filed.proposal.reason}"
                )

    async def stories(self) -> Sequence[ProposalHistory]:
        """Return the newest proposals and what became of them, newest first."""
        return (await self.journal.proposals(page=1, per_page=200)).items

    async def applied(self, kind: type[Action]) -> list[ProposalHistory]:
        """Return proposals of this kind that were carried out, oldest first."""
        found = [s for s in await self.stories() if isinstance(s.filed.proposal.action, kind)]
        return [s for s in reversed(found) if s.outcome is not None and s.outcome.applied]

    async def order(self, customer: str, bundle: str = "", **units: int) -> int:
        """Place a customer's order and return its number."""
        lines = tuple(Line(sku=sku, quantity=n) for sku, n in units.items())
        action = PlaceOrder(lines=lines, customer=customer, bundle=bundle)
        return int((await self.do(action, by=f"person:{customer}"))["order_id"])

    async def sold(self, customer: str, **units: int) -> None:
        """Make an order of former days, all done by hand."""
        number = await self.order(customer, **units)
        await self.do(ApproveOrder(order_id=number))
        await self.do(CapturePayment(order_id=number, reference=f"by hand {number}"))
        await self.do(FulfilOrder(order_id=number))
        await self.do(CompleteDelivery(order_id=number))

    async def product(self, sku: str, price: str, cost: str, **units: int) -> None:
        """Take a product up, with units per warehouse."""
        known = {"sku": sku, "name": sku.title(), "supplier": "nord"}
        await self.do(UpsertProduct(price=euro(price), cost=euro(cost), **known))
        levels = tuple(
            StockCount(sku=sku, on_hand=n, warehouse=place) for place, n in units.items()
        )
        await self.do(SetStock(levels=levels))

    async def prove(self) -> None:
        """Prove the books, as `storecrew verify` does."""
        done = await SqlControlActions(self.journal.database).applied_keys()
        keys = [*await self.store.applied_keys(), *done]
        wrong = [*await self.store.verify(), *await self.journal.verify(keys)]
        if wrong:
            raise RuntimeError(f"the books do not add up: {wrong[0]}")
        self.tell("The books add up.")


def euro(amount: str) -> Money:
    """Return an amount in the shop's money."""
    return Money.of(amount, "EUR")


@asynccontextmanager
async def open_shop(*, quiet: bool = False) -> AsyncIterator[StoryShop]:
    """Open an empty shop whose crew acts alone within its limits."""
    clock = VirtualClock(MONDAY)
    store = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)

    async def learn(task: TrainingJob, before: bytes) -> TrainingResult:
        return await run_training(task, store, before)

    settings = load_settings(environ={}, flags={"policy": {"autonomy": {"*.*": "limits"}}})
    models = model_service(settings, store, journal, clock, learn)
    pipeline = assemble(settings, store, journal, clock, models.models)
    plane = Orchestrator(pipeline, InlineEngine(), LoopSettings(wait_for_batches=False))
    await plane.start(alone=True)
    await store.put_customers(PEOPLE)
    await store.put_suppliers([Supplier(id="nord", name="Nord", lead_time_days=6, lead_time_sd=1)])
    shop = StoryShop(store, journal, clock, models, plane, quiet)
    try:
        yield shop
    finally:
        with contextlib.suppress(Exception):
            await models.close()
        await store.close()
        await journal.close()
