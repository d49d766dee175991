"""A run whose time has not come: it ends, and begins again with its events when it has."""

from datetime import timedelta

from house import START, low, settle

from storecrew.domain.control.runs import RunStatus
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.journal.health import SqlHealthRepository
from storecrew.orchestrator.dry_run import plan
from storecrew.sdk import Proposal, agent, every

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


async def test_a_run_that_waits_begins_again_at_its_moment_also_after_a_restart(house):
    await house.stock()
    seen = []
    plane = await house.boot(late_riser(seen))
    await plane.publish([house.news(low())])
    await settle(plane)
    house.later(hours=1)
    plane = await house.boot()
    await settle(plane)
    (run,) = await house.runs()
    assert run.status is RunStatus.RETRYING
    assert await house.stories() == ()

    house.later(hours=1)
    await settle(plane)

    (run,) = await house.runs()
    (story,) = await house.stories()
    assert run.status is RunStatus.DONE
    assert story.outcome.applied
    assert [attempt for attempt, _ in seen] == [1, 2]
    assert len({now for _, now in seen}) == 1


async def test_waiting_is_no_failure_of_the_agent(house):
    await house.stock()
    plane = await house.boot(late_riser([]))
    await house.journal.heartbeat(["sleeper"], house.clock.now(), worker="")
    await plane.publish([house.news(low())])
    await settle(plane)

    (pulse,) = await SqlHealthRepository(house.journal.database).agent_health()
    assert pulse.failures == 0


async def test_a_moment_that_has_come_is_not_waited_for(house):
    await house.stock()
    house.later(hours=3)
    seen = []
    plane = await house.boot(late_riser(seen))
    await plane.publish([house.news(low())])
    await settle(plane)

    assert [attempt for attempt, _ in seen] == [1]
    assert len(await house.stories()) == 1


async def test_a_plan_leaves_out_what_would_wait(house):
    await house.stock()
    house.agents = (late_riser([]), watcher())

    assert await plan(house.pipeline(), ["sleeper", "watcher"]) == []
    house.later(hours=3)
    (found,) = await plan(house.pipeline(), ["sleeper", "watcher"])
    assert found[0].agent == "sleeper"


def watcher():
    @agent(schedule=every(hours=1), name="watcher")
    async def watch(event, ctx):
        """Tell what runs low."""
        yield low()

    return watch
