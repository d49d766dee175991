"""Ticks of agents: spread over their interval, and once each whoever leaves and comes back."""

from dataclasses import replace
from datetime import timedelta

from storecrew.orchestrator.registry import spread
from storecrew.sdk import agent, every
from support.in_memory_plane import settle


async def nothing(_event, _ctx):
    for never in ():
        yield never


def offset_of(one):
    return spread(one).offset


def test_agents_of_equal_intervals_are_spread_by_their_names():
    crew = [agent(schedule=every(minutes=1), name=f"a{n}")(nothing) for n in range(200)]
    offsets = [offset_of(one) for one in crew]

    assert offsets == [offset_of(one) for one in crew]
    assert all(timedelta(0) <= offset < timedelta(minutes=1) for offset in offsets)
    assert len({offset // timedelta(seconds=10) for offset in offsets}) == 6
    fixed = replace(crew[0], schedule=every(minutes=1, offset=timedelta(0)))
    assert offset_of(fixed) == timedelta(0)


async def test_an_agent_that_leaves_and_comes_back_ticks_once_per_tick(in_memory_plane):
    ticks = []
    hourly = agent(schedule=every(hours=1, offset=timedelta(0)), name="hourly")(_note(ticks))
    plane = await in_memory_plane.boot(hourly)
    registry = plane._registry
    await settle(plane)
    registry.deregister("hourly")
    in_memory_plane.later(hours=2)
    await settle(plane)
    registry.register(hourly)
    await settle(plane)
    registry.deregister("hourly")
    registry.register(hourly)
    await settle(plane)

    assert ticks == [6, 8]


def _note(ticks):
    async def note(event, ctx):
        """Note the hour."""
        ticks.append(event.due.hour)
        for nothing in ():
            yield nothing

    return note
