"""One life of the process: a plane over databases that outlive it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from storecrew.app import Settings
from storecrew.app.bootstrap import assemble
from storecrew.database import DISPOSABLE
from storecrew.domain.control.integrity import Discrepancy
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.control_actions import SqlControlActions
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.policy import Policy, PolicySettings
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import SqlStore, open_store
from storecrew.testing.simulation.faults import Faults
from storecrew.testing.simulation.shop import FaultyStore

POLICY = PolicySettings(
    purchase_budget_per_day=Decimal(300),
    order_value_limit=Decimal(150),
    autonomy={
        "*.SetPrice": "limits",
        "*.CreatePurchaseOrder": "limits",
        "*.SetStock": "auto",
        "*.PlaceOrder": "limits",
        "*.ApproveOrder": "limits",
        "*.FulfilOrder": "limits",
        "*.CompleteDelivery": "limits",
    },
)
"""Small budgets, so that limits are met often."""

SETTINGS = Settings(policy=POLICY)


@dataclass
class SimulatedHost:
    """The disk and the clock: what a crash does not take away."""

    clock: VirtualClock
    faults: Faults
    store: SqlStore
    journal: SqlJournal
    shop: FaultyStore

    @classmethod
    async def build(cls, clock: VirtualClock, faults: Faults) -> "SimulatedHost":
        """Set up empty databases in memory."""
        store = await open_store(
            "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
        )
        journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
        store.database.fault_hook = faults.crash_point
        journal.database.fault_hook = faults.crash_point
        return cls(clock, faults, store, journal, FaultyStore(store, faults))

    async def boot(self) -> Orchestrator:
        """Start the process anew over what is on disk."""
        settings = LoopSettings(retention=timedelta(days=3650))
        orchestrator = Orchestrator(self.pipeline(), InlineEngine(), settings)
        await orchestrator.start(alone=True)
        return orchestrator

    def pipeline(self) -> Pipeline:
        """Return the crew's pipeline over the faulty shop."""
        pipeline = assemble(SETTINGS, self.store, self.journal, self.clock)
        return replace(pipeline, store=self.shop, policy=Policy(POLICY))

    async def verify(self) -> Sequence[Discrepancy]:
        """Prove both books."""
        found = list(await self.store.verify())
        keys = [*await self.store.applied_keys(), *await self.operations.applied_keys()]
        return found + await self.journal.verify(keys)

    @property
    def operations(self) -> SqlControlActions:
        """What the crew did to the plane."""
        return SqlControlActions(self.journal.database)

    async def close(self) -> None:
        """Give the memory back."""
        await self.store.close()
        await self.journal.close()
