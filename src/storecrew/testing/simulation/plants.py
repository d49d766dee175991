"""Defects to plant, as earlier systems had them: the simulation must find each one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from storecrew.domain.actions import Action, Keyed, PlaceOrder, SetPrice
from storecrew.domain.events import Event, RivalPriceSeen
from storecrew.domain.proposals import Outcome
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy
from storecrew.policy.rules import RULES, margin_floor, price_change
from storecrew.sdk import Context, Proposal, Proposals, agent
from storecrew.testing.simulation.history import Plant
from storecrew.testing.simulation.plane import POLICY, Machine
from storecrew.testing.simulation.shop import FaultyShop


@dataclass(frozen=True)
class _NewKeys(FaultyShop):
    """Repeats a request under a new key each time."""

    numbers: "count[int]" = field(default_factory=count)

    async def send(self, batch: Sequence[Keyed]) -> Sequence[Outcome]:
        fresh = [replace(one, key=f"{one.key}~{next(self.numbers)}") for one in batch]
        outcomes = await self.store.apply_batch(fresh)
        return [replace(o, key=b.key) for o, b in zip(outcomes, batch, strict=True)]


@dataclass(frozen=True)
class _HalfOrders(FaultyShop):
    """Keeps the first line of an order whose second line is short."""

    async def send(self, batch: Sequence[Keyed]) -> Sequence[Outcome]:
        outcomes = await self.store.apply_batch(batch)
        for keyed, outcome in zip(batch, outcomes, strict=True):
            action: Action = keyed.action
            if isinstance(action, PlaceOrder) and outcome.code == "short_stock":
                half = PlaceOrder(lines=action.lines[:1])
                await self.store.apply(half, key=f"{keyed.key}/half", actor=keyed.actor)
        return outcomes


def new_keys(machine: Machine) -> None:
    """Retry with a new key, so that an act whose answer was lost is done twice."""
    machine.shop = _NewKeys(machine.store, machine.faults)


def half_orders(machine: Machine) -> None:
    """Leave the first line of a short order behind."""
    machine.shop = _HalfOrders(machine.store, machine.faults)


@agent(on=RivalPriceSeen, may=[SetPrice], name="follower")
async def _follower(event: RivalPriceSeen, ctx: Context) -> Proposals:
    """Ask whatever the rival asks."""
    yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="the rival does")


def follow_rivals(machine: Machine) -> None:
    """Follow a rival's price down to nothing, without a floor in the policy."""
    honest = machine.pipeline

    def careless() -> Pipeline:
        rules = [rule for rule in RULES if rule not in (margin_floor, price_change)]
        pipeline = honest()
        crew = Registry([*pipeline.registry.agents.values(), _follower])
        return replace(pipeline, registry=crew, policy=Policy(_TRUSTING, rules))

    machine.pipeline = careless  # type: ignore[method-assign] # a defect is planted


_TRUSTING = replace(POLICY, autonomy={**POLICY.autonomy, "follower.*": "auto"})


def lost_wakes(machine: Machine) -> None:
    """Tell an agent of an event only now and then, and swallow the rest."""
    honest = machine.pipeline
    numbers = count()

    class Forgetful(Registry):
        def wakes_for(self, event: Event) -> tuple[str, ...]:
            return () if next(numbers) % 7 == 0 else super().wakes_for(event)

    def forgetful() -> Pipeline:
        pipeline = honest()
        return replace(pipeline, registry=Forgetful(pipeline.registry.agents.values()))

    machine.pipeline = forgetful  # type: ignore[method-assign] # a defect is planted


PLANTS: dict[str, Plant] = {
    "new_keys": new_keys,
    "half_orders": half_orders,
    "follow_rivals": follow_rivals,
    "lost_wakes": lost_wakes,
}
