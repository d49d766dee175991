"""The crew's agents for each domain, each awake by its own clock, in the shop's time."""

from datetime import UTC, datetime
from random import Random

from storecrew.app import Settings
from storecrew.app.bootstrap import assemble
from storecrew.app.crew import CREW
from storecrew.policy import PolicySettings
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.testing.simulation.faults import Faults
from storecrew.testing.simulation.host import SimulatedHost

DOMAINS = (
    "product_research", "inventory_forecasting", "pricing_optimizer", "marketing_automation",
    "customer_support", "order_management",
)  # fmt: skip


def test_r043_six_domain_agents_each_with_a_schedule_of_its_own() -> None:
    schedules = {agent.name: agent.schedule for agent in CREW if agent.schedule is not None}
    assert set(DOMAINS) <= schedules.keys()


async def test_clock_times_of_the_crew_are_the_shops() -> None:
    clock = VirtualClock(datetime(2026, 7, 6, tzinfo=UTC))
    machine = await SimulatedHost.build(clock, Faults(Random(0), active=False))
    settings = Settings(policy=PolicySettings(zone="America/New_York"))
    pipeline = assemble(settings, machine.store, machine.journal, clock)
    schedule = pipeline.registry.agent("marketing_automation").schedule
    await machine.close()
    assert schedule is not None
    assert schedule.after(clock.now()) == datetime(2026, 7, 6, 14, tzinfo=UTC)  # ten o'clock there
