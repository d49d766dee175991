"""Clocks that are set forth and back: no tick is doubled, nothing is lost."""

from dataclasses import dataclass
from datetime import timedelta

from storecrew.domain.control.runs import RunStatus
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import agent, every
from support.in_memory_plane import low, settle


@dataclass
class Jumping:
    """A clock that is set forth and back."""

    at: object

    def now(self):
        return self.at


def hourly(ticks):
    @agent(schedule=every(hours=1, offset=timedelta(0)))
    async def tick(event, ctx):
        """Note the hour."""
        ticks.append(f"{event.due:%H:%M}")
        for nothing in ():
            yield nothing

    return tick


async def test_a_clock_that_jumps_doubles_no_tick_and_loses_only_missed_ones(in_memory_plane):
    ticks = []
    clock = in_memory_plane.clock = Jumping(in_memory_plane.clock.now())
    plane = await in_memory_plane.boot(hourly(ticks))
    for minutes in (0, 61, -60, 30, 29, 2, 180, -180, 260):
        clock.at += timedelta(minutes=minutes)
        await settle(plane)
        plane = await in_memory_plane.boot()  # who starts anew remembers no less
        await settle(plane)

    assert ticks == ["06:00", "07:00", "10:00", "11:00"]


async def test_a_tick_forgotten_with_its_time_does_not_come_again(in_memory_plane):
    ticks = []
    plane = await in_memory_plane.boot(hourly(ticks))
    await settle(plane)
    in_memory_plane.later(minutes=30)
    await plane.publish([in_memory_plane.news(low())])
    in_memory_plane.later(minutes=10)
    await in_memory_plane.journal.prune(in_memory_plane.clock.now())

    plane = await in_memory_plane.boot()
    await settle(plane)
    in_memory_plane.later(minutes=30)
    await settle(plane)

    assert ticks == ["06:00", "07:00"]
    assert not await in_memory_plane.verify()


async def test_a_clock_set_back_delays_a_retry_and_loses_nothing(in_memory_plane):
    tries = []

    @agent(on=StockRanLow)
    async def shaky(event, ctx):
        """Fail at first."""
        tries.append(event.sku)
        if len(tries) == 1:
            raise ValueError(event.sku)
        for nothing in ():
            yield nothing

    clock = in_memory_plane.clock = Jumping(in_memory_plane.clock.now())
    plane = await in_memory_plane.boot(shaky)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    clock.at -= timedelta(hours=1)
    await settle(plane)
    clock.at += timedelta(hours=1, minutes=1)
    await settle(plane)

    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]
