"""Parts to put a loop together with: agents that listen, ports that fail, an engine beside it."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta

from storecrew.domain.errors import StorageBusy
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.sdk import Proposal, agent

BRISK = LoopSettings(poll=timedelta(milliseconds=1), gather=timedelta(0))


def recording_agent(received):
    @agent(on=StockRanLow)
    async def note(event, ctx):
        """Note what it was told."""
        await received.put(event.sku)
        for nothing in ():
            yield nothing

    return note


class Flaky:
    """A port of which one call fails a few times."""

    def __init__(self, port, name, times):
        self._port, self._name, self.left = port, name, times

    def __getattr__(self, name):
        found = getattr(self._port, name)
        if name != self._name:
            return found

        async def call(*args, **options):
            if self.left:
                self.left -= 1
                raise StorageBusy(name)
            return await found(*args, **options)

        return call


@dataclass
class TaskEngine:
    """An engine that carries runs out on tasks of their own."""

    refusals: int = 0
    pruned: int = 0
    pruned_twice: asyncio.Event = field(default_factory=asyncio.Event)
    stopped: bool = False
    execute: object = None
    tasks: tuple = ()

    async def start(self, execute):
        self.execute = execute

    async def submit(self, run_id):
        if self.refusals:
            self.refusals -= 1
            raise OSError("the engine's own disk is full")
        self.tasks += (asyncio.create_task(self.execute(run_id)),)

    async def prune(self, before):
        self.pruned += 1
        if self.pruned == 2:
            self.pruned_twice.set()
        return 3

    async def stop(self):
        self.stopped = True
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)


async def boot(in_memory_plane, engine, *agents, settings=BRISK, **ports):
    in_memory_plane.agents = agents
    plane = Orchestrator(replace(in_memory_plane.pipeline(), **ports), engine, settings)
    await plane.start(alone=False)
    return plane


def to_price(amount, sku="mug"):
    return Proposal(action=SetPrice(sku=sku, price=Money.of(amount, "EUR")), reason="")
