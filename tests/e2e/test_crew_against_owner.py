"""The agents, wired in the simplest way that could work, earn more than a plain owner.

Each sees the shop read-only and knows nothing of the simulator; a stand-in for the policy holds
prices within a tenth a day and above a margin of a tenth, and purchases within a day's budget.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal

from storecrew.agents.forecasting import inventory_forecasting
from storecrew.agents.inventory import inventory
from storecrew.agents.mail_interface import mail_interface
from storecrew.agents.order_management import order_management
from storecrew.agents.oversight import oversight
from storecrew.agents.pricing import pricing_optimizer
from storecrew.agents.warehouse import warehouse
from storecrew.backtest import BaselineOwner, TrialReport, run_days, warm_up
from storecrew.database import DISPOSABLE
from storecrew.domain.actions import Command
from storecrew.domain.control.events import ClockTicked, EventEnvelope
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.sdk import Agent
from storecrew.stores.simulated import SimulatedShop, VirtualClock
from storecrew.stores.sql import open_store
from storecrew.testing.run_agent import run_agent

CREW = (
    mail_interface,
    warehouse,
    order_management,
    inventory_forecasting,
    inventory,
    pricing_optimizer,
    oversight,
)
BUDGET = Decimal(1000)
DAYS = 30


@dataclass
class PlainWiring:
    """Hands events to agents and what they propose to the store, hour by hour."""

    shop: SimulatedShop
    position: int = 0
    runs: int = 0
    ticked: dict[str, datetime] = field(default_factory=dict[str, datetime])
    spent: dict[date, Decimal] = field(default_factory=dict[date, Decimal])

    async def operate(self, now: datetime, news: Sequence[EventEnvelope]) -> None:
        pending: list[Event] = [each.event for each in news]
        pending += self._ticks(now)
        while pending := pending + await self.facts():
            found: list[Event] = []
            for member in CREW:
                woken_by = [event for event in pending if self._wakes(member, event)]
                for start in range(0, len(woken_by), member.batch):
                    found += await self._run(member, woken_by[start : start + member.batch], now)
            pending = found

    async def facts(self) -> list[Event]:
        found: list[Event] = []
        while page := await self.shop.store.outbox(self.position):
            self.position = page[-1][0]
            found += [published.event for _, published in page]
        return found

    def _ticks(self, now: datetime) -> list[Event]:
        due: list[Event] = []
        for member in CREW:
            tick = member.schedule.latest(now) if member.schedule else None
            if tick is not None and self.ticked.get(member.name) != tick:
                self.ticked[member.name] = tick
                due.append(ClockTicked(agent=member.name, due=tick))
        return due

    def _wakes(self, member: Agent, event: Event) -> bool:
        if isinstance(event, ClockTicked):
            return event.agent == member.name
        return isinstance(event, member.on)

    async def _run(self, member: Agent, events: list[Event], now: datetime) -> list[Event]:
        found = await run_agent(member, events, self.shop.store, now=now)
        self.runs += 1
        allowed = [p for p in found if isinstance(p, Proposal) and await self._allowed(p, now)]
        batch = [
            Command(key=f"run-{self.runs}/{n}", action=p.action, actor=f"agent:{member.name}")
            for n, p in enumerate(allowed)
        ]
        for start in range(0, len(batch), 500):
            await self.shop.store.apply_batch(batch[start : start + 500])
        return [each for each in found if isinstance(each, Event)]

    async def _allowed(self, proposal: Proposal, now: datetime) -> bool:
        action = proposal.action
        if not isinstance(action, SetPrice | CreatePurchaseOrder):
            return True
        product = await self.shop.store.product(action.sku)
        assert product.cost is not None
        if isinstance(action, SetPrice):
            price, move = action.price.amount, action.price.amount / product.price.amount - 1
            return abs(move) <= Decimal("0.1") and product.cost.amount <= price * Decimal("0.9")
        spent = self.spent.get(now.date(), Decimal(0)) + product.cost.amount * action.quantity
        if spent <= BUDGET:
            self.spent[now.date()] = spent
        return spent <= BUDGET


async def trial(seed: int, *, by_crew: bool) -> TrialReport:
    clock = VirtualClock(datetime(2026, 1, 5, tzinfo=UTC))
    books = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    shop = await SimulatedShop.open(books, seed=seed, clock=clock, size=48)
    await warm_up(shop, clock, 45)
    wiring = PlainWiring(shop)
    await wiring.facts()
    operate = wiring.operate if by_crew else BaselineOwner(shop.store).operate
    report = await run_days(shop, operate, clock, DAYS)
    assert await shop.store.verify() == []
    await shop.store.close()
    return report


async def test_the_crew_earns_more_than_a_plain_owner_in_the_same_market() -> None:
    crew, owner = await trial(2, by_crew=True), await trial(2, by_crew=False)
    assert crew.margin > owner.margin
    assert crew.lost_sales < owner.lost_sales
    assert crew.on_time > 0.9 > owner.on_time
    assert crew.cancelled < owner.cancelled
