"""A run whose time has not come: it ends, and begins again with its events when it has."""

from datetime import timedelta

from storecrew.domain.control.runs import RunStatus
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.journal.health import SqlHealthRepository
from storecrew.orchestrator.dry_run import plan
from storecrew.sdk import Proposal, agent, every
from support.in_memory_plane import START, low, settle

MORNING = START + timedelta(hours=2)


def late_riser(seen):
    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def sleeper(event, ctx):
        """Raise the price, but not before the morning."""
        seen.append((ctx.attempt, ctx.now))
        ctx.wait_until(MORNING)
        yield Proposal(
            action=SetPrice(sku=event.sku, price=Money.of(11, "EUR")), reason="it runs low"
        )

    return sleeper


async def test_a_run_that_waits_begins_again_at_its_moment_also_after_a_restart(in_memory_plane):
    await in_memory_plane.stock()
    seen = []
    plane = await in_memory_plane.boot(late_riser(seen))
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    in_memory_plane.later(hours=1)
    plane = await in_memory_plane.boot()
    await settle(plane)
    (run,) = await in_memory_plane.runs()
    assert run.status is RunStatus.RETRYING
    assert await in_memory_plane.stories() == ()

    in_memory_plane.later(hours=1)
    await settle(plane)

    (run,) = await in_memory_plane.runs()
    (story,) = await in_memory_plane.stories()
    assert run.status is RunStatus.DONE
    assert story.outcome.applied
    assert [attempt for attempt, _ in seen] == [1, 2]
    assert len({now for _, now in seen}) == 1


async def test_waiting_is_no_failure_of_the_agent(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(late_riser([]))
    await in_memory_plane.journal.heartbeat(["sleeper"], in_memory_plane.clock.now(), worker="")
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    (pulse,) = await SqlHealthRepository(in_memory_plane.journal.database).agent_health()
    assert pulse.failures == 0
    assert plane.failed_runs == {}


async def test_a_run_that_failed_is_known_until_it_succeeds(in_memory_plane):
    await in_memory_plane.stock()
    troubles = [ValueError("no luck")]

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def unlucky(event, ctx):
        """Fail once, then propose nothing."""
        if troubles:
            raise troubles.pop()
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(unlucky)
    await plane.publish([in_memory_plane.news(low())])
    await plane.sweep()
    assert list(plane.failed_runs.values()) == ["unlucky"]
    in_memory_plane.later(hours=1)
    await settle(plane)
    assert plane.failed_runs == {}


async def test_a_moment_that_has_come_is_not_waited_for(in_memory_plane):
    await in_memory_plane.stock()
    in_memory_plane.later(hours=3)
    seen = []
    plane = await in_memory_plane.boot(late_riser(seen))
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    assert [attempt for attempt, _ in seen] == [1]
    assert len(await in_memory_plane.stories()) == 1


async def test_a_plan_leaves_out_what_would_wait(in_memory_plane):
    await in_memory_plane.stock()
    in_memory_plane.agents = (late_riser([]), watcher())

    assert await plan(in_memory_plane.pipeline(), ["sleeper", "watcher"]) == []
    in_memory_plane.later(hours=3)
    (found,) = await plan(in_memory_plane.pipeline(), ["sleeper", "watcher"])
    assert found[0].agent == "sleeper"


def watcher():
    @agent(schedule=every(hours=1), name="watcher")
    async def watch(event, ctx):
        """Tell what runs low."""
        yield low()

    return watch
