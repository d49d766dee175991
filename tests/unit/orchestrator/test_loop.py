"""The loop: it goes on whatever fails, and stops without losing anything."""

import asyncio
from datetime import timedelta

from loop_parts import Flaky, TaskEngine, boot, recording_agent, to_price

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.orchestrator.dry_run import plan
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.sdk import Proposal, agent, every
from support.in_memory_plane import low, settle


async def served(plane, until):
    """Serve until something has happened, then stop in order."""
    loop = asyncio.create_task(plane.serve())
    async with asyncio.timeout(20):
        found = await until
    plane.request_stop()
    await loop
    await plane.stop()
    return found


async def test_the_loop_does_what_comes_until_it_is_stopped(in_memory_plane):
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, TaskEngine(), recording_agent(received))

    async def news():
        await plane.publish([in_memory_plane.news(low("a"))])
        first = await received.get()
        await plane.publish([in_memory_plane.news(low("b"))])
        return first, await received.get()

    assert await served(plane, news()) == ("a", "b")
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE] * 2


async def test_a_sweep_that_fails_is_swept_again(in_memory_plane):
    received = asyncio.Queue()
    store = Flaky(in_memory_plane.store, "outbox", 2)
    plane = await boot(in_memory_plane, TaskEngine(), recording_agent(received), store=store)
    await plane.publish([in_memory_plane.news(low())])

    assert await served(plane, received.get()) == "mug"
    assert store.left == 0


async def test_a_run_that_the_engine_did_not_take_is_offered_again(in_memory_plane):
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, TaskEngine(refusals=2), recording_agent(received))
    await plane.publish([in_memory_plane.news(low())])

    assert await served(plane, received.get()) == "mug"
    assert len(plane.started_runs) == 1


async def test_old_records_are_forgotten_once_a_day(in_memory_plane):
    engine = TaskEngine()
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, engine, recording_agent(received))

    async def two_days():
        for sku in ("a", "b", "c"):
            await plane.publish([in_memory_plane.news(low(sku))])
            await received.get()
        in_memory_plane.later(days=2)
        await engine.pruned_twice.wait()

    await served(plane, two_days())
    assert engine.pruned == 2


async def test_stopping_waits_for_what_is_under_way(in_memory_plane):
    begun, go_on = asyncio.Event(), asyncio.Event()

    @agent(on=StockRanLow)
    async def slow(event, ctx):
        """Take its time."""
        begun.set()
        await go_on.wait()
        for nothing in ():
            yield nothing

    plane = await boot(in_memory_plane, TaskEngine(), slow)
    await plane.publish([in_memory_plane.news(low())])
    await plane.sweep()
    await begun.wait()

    stopping = asyncio.create_task(plane.stop())
    await asyncio.sleep(0)
    go_on.set()
    await stopping

    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]


async def test_what_takes_too_long_is_left_to_the_next_start(in_memory_plane):
    tries = []

    @agent(on=StockRanLow)
    async def stuck(event, ctx):
        """Hang, the first time."""
        tries.append(event.sku)
        if len(tries) == 1:
            await asyncio.Event().wait()
        for nothing in ():
            yield nothing

    engine = TaskEngine()
    plane = await boot(in_memory_plane, engine, stuck)
    await plane.publish([in_memory_plane.news(low())])
    await plane.sweep()
    await plane.stop(patience=timedelta(milliseconds=5))
    assert engine.stopped
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RUNNING]

    await settle(await in_memory_plane.boot())
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]


async def test_a_failure_is_written_down_before_the_end_though_the_journal_is_busy(in_memory_plane):
    @agent(on=StockRanLow)
    async def broken(event, ctx):
        """Fail."""
        raise ValueError(event.sku)
        yield low()

    journal = Flaky(in_memory_plane.journal, "fail", 2)
    engine = TaskEngine()
    plane = await boot(in_memory_plane, engine, broken, journal=journal)
    await plane.publish([in_memory_plane.news(low())])
    await plane.sweep()
    await plane.stop()

    assert engine.stopped
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RETRYING]


async def test_a_plane_that_is_stopping_begins_nothing(in_memory_plane):
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, TaskEngine(), recording_agent(received))
    await plane.publish([in_memory_plane.news(low())])
    plane.request_stop()

    await plane.sweep()
    await plane.stop()

    assert received.empty()
    await settle(await in_memory_plane.boot())
    assert await received.get() == "mug"


def test_waking_a_plane_that_does_not_run_is_no_trouble(in_memory_plane):
    plane = Orchestrator(in_memory_plane.pipeline(), TaskEngine())
    plane.wake_up()
    assert plane.last_sweep is None


# --- plans and answers that no other test meets ------------------------------------------------


async def test_agents_that_wake_each_other_in_a_circle_are_planned_to_an_end(in_memory_plane):
    woken = []

    @agent(on=StockRanLow, schedule=every(days=1))
    async def circle(event, ctx):
        """Find again what woke it."""
        woken.append(event)
        yield low()

    await in_memory_plane.boot(circle)

    assert await plan(in_memory_plane.pipeline(), ["circle"]) == []
    assert len(woken) == 10


async def test_what_wakes_agents_outside_a_plan_stays_out_of_it(in_memory_plane):
    @agent(schedule=every(days=1))
    async def finder(event, ctx):
        """Find."""
        yield low()

    received = asyncio.Queue()
    await in_memory_plane.boot(finder, recording_agent(received))

    assert await plan(in_memory_plane.pipeline(), ["finder"]) == []
    assert received.empty()


async def test_a_plan_counts_what_it_would_spend(in_memory_plane):
    @agent(schedule=every(days=1), allowed_actions=[CreatePurchaseOrder])
    async def buyer(event, ctx):
        """Buy twice what a day's budget holds."""
        for sku in ("mug", "cup"):
            yield Proposal(action=CreatePurchaseOrder(sku=sku, quantity=200), reason="")

    for sku in ("mug", "cup"):
        await in_memory_plane.stock(sku)
    await in_memory_plane.boot(buyer)

    found = await plan(in_memory_plane.pipeline(), ["buyer"])

    assert [decision.verdict for _, decision in found] == [Verdict.ALLOW, Verdict.ASK]


async def test_a_stop_that_comes_after_a_run_was_begun_holds_it_back(in_memory_plane):
    received = asyncio.Queue()
    plane = await boot(in_memory_plane, InlineEngine(), recording_agent(received))
    await plane.publish([in_memory_plane.news(low())])
    taken = await in_memory_plane.journal.claim_runs(
        in_memory_plane.pipeline().registry.claim_specs(), in_memory_plane.clock.now(), 1
    )
    await plane.set_paused(True, by="owner")

    await plane.execute(taken.runs[0])
    await settle(plane)
    assert received.empty()
    assert (await in_memory_plane.journal.run(taken.runs[0])).error == "the crew is paused"

    await plane.set_paused(False, by="owner")
    in_memory_plane.later(seconds=1)
    await settle(plane)
    assert await received.get() == "mug"


async def test_the_loop_keeps_to_the_clock_with_nothing_to_forget(in_memory_plane):
    ticks = asyncio.Queue()

    @agent(schedule=every(hours=1, offset=timedelta(0)))
    async def hourly(event, ctx):
        """Note the hour."""
        await ticks.put(event.due.hour)
        for nothing in ():
            yield nothing

    plane = await boot(in_memory_plane, InlineEngine(), hourly)

    await settle(plane)

    async def an_hour():
        await asyncio.sleep(0)  # the loop looks, and finds nothing to do yet
        in_memory_plane.later(hours=1)
        return await ticks.get(), await ticks.get()

    assert await served(plane, an_hour()) == (6, 7)


async def test_undoing_what_a_person_changed_takes_back_what_was_done(in_memory_plane):
    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def scarcity(event, ctx):
        """Ask for too much."""
        yield to_price("15")

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(scarcity)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    other = SetPrice(sku="mug", price=Money.of("10.50", "EUR"))
    await plane.decide(asked.filed.id, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")

    await plane.undo(asked.filed.id, by="owner")
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert not await in_memory_plane.verify()
