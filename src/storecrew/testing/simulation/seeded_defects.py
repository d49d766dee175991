"""Defects to plant, as earlier systems had them: the simulation must find each one."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import count

from storecrew.domain.actions import Action, Command
from storecrew.domain.control.proposals import Outcome
from storecrew.domain.events import Event
from storecrew.domain.shop.catalog import CompetitorPriceObserved, SetPrice
from storecrew.domain.shop.orders import PlaceOrder
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy
from storecrew.policy.rules import RULES
from storecrew.policy.rules.catalog import margin_floor, price_change
from storecrew.sdk import Context, Proposal, Proposals, agent
from storecrew.testing.simulation.history import Plant
from storecrew.testing.simulation.host import POLICY, SimulatedHost
from storecrew.testing.simulation.shop import FaultyStore


@dataclass(frozen=True)
class _NewKeys(FaultyStore):
    """Repeats a request under a new key each time."""

    numbers: "count[int]" = field(default_factory=count)

    async def send(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        fresh = [replace(one, key=f"{one.key}~{next(self.numbers)}") for one in batch]
        outcomes = await self.store.apply_batch(fresh)
        return [replace(o, key=b.key) for o, b in zip(outcomes, batch, strict=True)]


@dataclass(frozen=True)
class _HalfOrders(FaultyStore):
    """Keeps the first line of an order whose second line is short."""

    async def send(self, batch: Sequence[Command]) -> Sequence[Outcome]:
        outcomes = await self.store.apply_batch(batch)
        for keyed, outcome in zip(batch, outcomes, strict=True):
            action: Action = keyed.action
            if isinstance(action, PlaceOrder) and outcome.code == "short_stock":
                half = PlaceOrder(lines=action.lines[:1])
                await self.store.apply(half, key=f"{keyed.key}/half", actor=keyed.actor)
        return outcomes


def new_keys(machine: SimulatedHost) -> None:
    """Retry with a new key, so that an act whose answer was lost is done twice."""
    machine.shop = _NewKeys(machine.store, machine.faults)


def half_orders(machine: SimulatedHost) -> None:
    """Leave the first line of a short order behind."""
    machine.shop = _HalfOrders(machine.store, machine.faults)


@agent(on=CompetitorPriceObserved, allowed_actions=[SetPrice], name="follower")
async def _follower(event: CompetitorPriceObserved, ctx: Context) -> Proposals:
    """Match the competitor's price."""
    yield Proposal(action=SetPrice(sku=event.sku, price=event.price), reason="the rival does")


def follow_competitors(machine: SimulatedHost) -> None:
    """Follow a competitor's price down to nothing, without a floor in the policy."""
    honest = machine.pipeline

    def careless() -> Pipeline:
        rules = [rule for rule in RULES if rule not in (margin_floor, price_change)]
        pipeline = honest()
        crew = Registry([*pipeline.registry.agents.values(), _follower])
        return replace(pipeline, registry=crew, policy=Policy(_TRUSTING, rules))

    machine.pipeline = careless  # type: ignore[method-assign] # a defect is planted


_TRUSTING = replace(POLICY, autonomy={**POLICY.autonomy, "follower.*": "auto"})


def lost_wakes(machine: SimulatedHost) -> None:
    """Tell an agent of an event only now and then, and swallow the rest."""
    honest = machine.pipeline
    numbers = count()

    class Forgetful(Registry):
        def subscribers_of(self, event: Event) -> tuple[str, ...]:
            return () if next(numbers) % 7 == 0 else super().subscribers_of(event)

    def forgetful() -> Pipeline:
        pipeline = honest()
        return replace(pipeline, registry=Forgetful(pipeline.registry.agents.values()))

    machine.pipeline = forgetful  # type: ignore[method-assign] # a defect is planted


PLANTS: dict[str, Plant] = {
    "new_keys": new_keys,
    "half_orders": half_orders,
    "follow_competitors": follow_competitors,
    "lost_wakes": lost_wakes,
}
