"""One seed, one history: people act, the plane works and dies, and in the end all is proven."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from storecrew.domain.codec import encode
from storecrew.domain.errors import Retryable
from storecrew.domain.shop.orders import OrderQuery
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.testing.simulation.actors import SimulatedPeople
from storecrew.testing.simulation.checks import broken
from storecrew.testing.simulation.faults import Crash, Faults
from storecrew.testing.simulation.host import SimulatedHost

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
ACTS = 60
"""Things that people do in one history: enough for orders to go all the way."""
_SETTLE_ROUNDS = 400

Plant = Callable[[SimulatedHost], None]
"""Puts a defect into a machine, to show that the checks would find it."""


@dataclass(frozen=True, kw_only=True)
class SimulatedRun:
    """How one history went."""

    seed: int
    broken: tuple[str, ...]
    digest: str
    """Fingerprint of both books at the end: the same seed has the same one."""
    crashes: int
    troubles: int
    orders: int
    proposals: int


async def live(seed: int, plant: Plant | None = None, *, acts: int = ACTS) -> SimulatedRun:
    """Live through the history of this seed and prove its end."""
    random = Random(seed)  # noqa: S311 - a history is chosen by its seed, not hidden by it
    faults = Faults(Random(seed + 1), active=False)  # noqa: S311 - as above
    machine = await SimulatedHost.build(VirtualClock(START), faults)
    if plant is not None:
        plant(machine)
    people = SimulatedPeople(machine, random)
    await people.open_shop()
    faults.active = True
    plane: Orchestrator | None = None
    for _ in range(acts):
        plane = await _one_step(machine, people, plane)
    faults.active = False
    found = await _settle(machine, people)
    history = SimulatedRun(
        seed=seed,
        broken=tuple(found),
        digest=await _digest(machine),
        crashes=faults.crashes,
        troubles=faults.troubles,
        orders=(await machine.store.orders(OrderQuery())).total,
        proposals=(await machine.journal.proposals(page=1, per_page=1)).total,
    )
    await machine.close()
    return history


async def _one_step(
    machine: SimulatedHost, people: SimulatedPeople, plane: Orchestrator | None
) -> Orchestrator | None:
    """Let one actor act and the plane work; None when it died."""
    try:
        plane = plane or await machine.boot()
        await people.act(plane)
        for _ in range(people.random.randint(0, 4)):
            await plane.sweep()
    except Crash:
        return None
    except Retryable:
        return plane
    return plane


async def _settle(machine: SimulatedHost, people: SimulatedPeople) -> list[str]:
    """Let every request and webhook arrive and the plane come to rest, then check."""
    plane = await machine.boot()
    if await machine.journal.paused():
        await plane.set_paused(False, by="owner")
    while people.retries:
        await people.repeat(plane)
    while people.undelivered:
        await people.arrive(plane)
    _to_daylight(machine.clock)
    still = 0
    for _ in range(_SETTLE_ROUNDS):
        progress = (await plane.sweep()).progress
        still = 0 if progress else still + 1
        machine.clock.advance_to(machine.clock.now() + timedelta(minutes=2))
        if still > 10:
            break
    return await broken(machine, people)


def _to_daylight(clock: VirtualClock) -> None:
    """Let the night pass, in which what is meant for customers waits."""
    now = clock.now()
    if not 8 <= now.hour < 12:
        noon = now.replace(hour=9, minute=0, second=0, microsecond=0)
        clock.advance_to(noon if noon > now else noon + timedelta(days=1))


async def _digest(machine: SimulatedHost) -> str:
    """Return a hash over the audit and the orders, which between them show every difference."""
    content = hashlib.sha256()
    audit = await machine.journal.audit(page=1, per_page=1)
    content.update(audit.items[0].hash.encode() if audit.items else b"")
    for order in (await machine.store.orders(OrderQuery(per_page=200))).items:
        content.update(repr(encode(order)).encode())
    return content.hexdigest()
