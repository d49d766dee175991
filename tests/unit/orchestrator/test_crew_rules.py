"""What holds for each agent: turns, concurrency, budgets, pauses, deadlines, and being reported."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from loop_parts import TaskEngine, boot

from storecrew.domain.control.agents import Budget, Suspension
from storecrew.domain.control.health import AgentState, overall
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.health import SqlHealthRepository
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Proposal, agent, every
from support.in_memory_plane import LIMITS, low, settle


def worker_for(name, done, **options):
    @agent(on=StockRanLow, name=name, **options)
    async def work(event, ctx):
        """Note whose turn it was."""
        done.append(name)
        for nothing in ():
            yield nothing

    return work


async def pulses(in_memory_plane):
    return {
        p.agent: p
        for p in await SqlHealthRepository(in_memory_plane.journal.database).agent_health()
    }


async def kinds(in_memory_plane):
    entries = (await in_memory_plane.journal.audit(page=1, per_page=500)).items
    return [e.action["type"] for e in reversed(entries) if e.kind == "control"]


# --- turns -----------------------------------------------------------------------------------


async def test_r059_higher_priority_runs_first_and_equals_by_arrival(in_memory_plane):
    done = []
    crew = [worker_for(n, done, priority=p) for n, p in (("a", 0), ("b", 0), ("c", 7))]
    plane = await in_memory_plane.boot(*crew, max_concurrent=1)
    for name in ("b", "a", "c"):
        await in_memory_plane.journal.publish(
            [in_memory_plane.news(low(name))], lambda _e, n=name: (n,)
        )
    await settle(plane)

    assert done == ["c", "b", "a"]


async def test_no_agent_starves_beside_one_that_always_has_something_to_do(in_memory_plane):
    done = []
    busy, quiet = (worker_for(name, done) for name in ("busy", "quiet"))
    plane = await in_memory_plane.boot(busy, quiet, max_concurrent=1)
    flood = [in_memory_plane.news(low(str(n))) for n in range(50)]
    await in_memory_plane.journal.publish(flood, lambda _event: ("busy",))
    await plane.sweep()
    in_memory_plane.later(seconds=1)
    await in_memory_plane.journal.publish(
        [in_memory_plane.news(low("q"))], lambda _event: ("quiet",)
    )
    await plane.sweep()
    in_memory_plane.later(seconds=1)
    await plane.sweep()

    assert done[:3] == ["busy", "busy", "quiet"] or done[:3] == ["busy", "quiet", "busy"]


async def test_equals_with_much_to_do_take_turns(in_memory_plane):
    done = []
    one, two = (worker_for(name, done, concurrency=9) for name in ("one", "two"))
    plane = await in_memory_plane.boot(one, two, max_concurrent=4)
    for name in ("one", "two"):
        news = [in_memory_plane.news(low(f"{name}{n}")) for n in range(6)]
        await in_memory_plane.journal.publish(news, lambda _e, n=name: (n,))
    await plane.sweep()

    assert sorted(done) == ["one", "one", "two", "two"]


async def test_r050_concurrency_limit_holds_over_five_triggers(in_memory_plane):
    running, most, engine = [], 0, TaskEngine()
    has_begun, may_end = asyncio.Semaphore(0), asyncio.Semaphore(0)

    @agent(on=StockRanLow, concurrency=2, name="limited")
    async def limited(event, ctx):
        """Count how many of it run, until the test lets one end."""
        nonlocal most
        running.append(ctx.run)
        most = max(most, len(running))
        has_begun.release()
        await may_end.acquire()
        running.remove(ctx.run)
        for nothing in ():
            yield nothing

    plane = await boot(in_memory_plane, engine, limited, settings=LoopSettings(max_concurrent=10))
    for n in range(5):
        await plane.request_run("limited", key=str(n), by="person:owner", parameters={})

    for left in (5, 4, 3, 2, 1):
        await settle(plane)  # each sweep begins what the limit leaves room for
        under_way = [r.id for r in await in_memory_plane.runs() if r.status is RunStatus.RUNNING]
        assert len(under_way) == min(left, 2)
        while len(running) < len(under_way):
            await has_begun.acquire()
        assert sorted(running) == sorted(under_way)
        may_end.release()
        busy = [task for task in engine.tasks if not task.done()]
        ended, _ = await asyncio.wait(busy, return_when=asyncio.FIRST_COMPLETED)
        assert len(ended) == 1

    assert most == 2
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE] * 5
    await plane.stop()


async def test_who_asks_for_a_run_does_not_wait_for_the_batch_to_fill(in_memory_plane):
    done = []
    patient = worker_for("patient", done, batch=10, batch_window=timedelta(minutes=5))
    plane = await in_memory_plane.boot(patient)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert done == []
    await plane.request_run("patient", key="k", by="person:owner", parameters={})
    await settle(plane)
    assert done == ["patient"]


# --- stopping --------------------------------------------------------------------------------


async def test_r051_pause_stops_runs_and_effects_of_the_crew_until_resume(in_memory_plane):
    seen = []

    @agent(on=StockRanLow, allowed_actions=[SetPrice], name="scarcity")
    async def scarcity(event, ctx):
        """Have somebody pull the stop while it thinks."""
        seen.append(event.sku)
        if len(seen) == 1:
            await plane.set_paused(True, by="owner")
        price = SetPrice(sku="mug", price=Money.of("10.50", "EUR"))
        yield Proposal(action=price, reason="it runs low")

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(scarcity)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    plane = await in_memory_plane.boot()  # it survives a restart
    await settle(plane)
    await plane.publish([in_memory_plane.news(low("cup"))])
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert seen == ["mug"]

    await plane.set_paused(False, by="owner")
    for _ in range(3):
        in_memory_plane.later(seconds=3)
        await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    assert await kinds(in_memory_plane) == ["pause", "resume"]
    assert not await in_memory_plane.verify()


async def test_one_agent_is_paused_and_the_others_go_on(in_memory_plane):
    done = []
    one = worker_for("one", done, schedule=every(hours=1, offset=timedelta(0)))
    plane = await in_memory_plane.boot(one, worker_for("two", done))
    book = SqlAgentRepository(in_memory_plane.journal.database)
    now = in_memory_plane.clock.now()
    await book.suspend("one", by="person:owner", now=now)
    await book.suspend("one", by="person:owner", now=now)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert done == ["two"]
    assert await book.suspensions() == {"one": (Suspension.PAUSED, "")}

    await book.resume("one", by="person:owner", now=now)
    await settle(plane)
    assert done == ["two", "one", "one"]  # the event, and the tick that it missed
    assert await kinds(in_memory_plane) == ["pause_agent", "resume_agent"]


async def test_a_paused_agent_changes_nothing_any_more(in_memory_plane):
    book = SqlAgentRepository(in_memory_plane.journal.database)

    @agent(on=StockRanLow, allowed_actions=[SetPrice], name="scarcity")
    async def scarcity(event, ctx):
        """Be paused while it thinks."""
        await book.suspend("scarcity", by="person:owner", now=in_memory_plane.clock.now())
        yield Proposal(action=SetPrice(sku="mug", price=Money.of("10.50", "EUR")), reason="low")

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(scarcity)
    await plane.publish([in_memory_plane.news(low())])
    for _ in range(3):
        await settle(plane)
        in_memory_plane.later(seconds=5)
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RETRYING]

    await book.resume("scarcity", by="person:owner", now=in_memory_plane.clock.now())
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")


async def test_r053_switched_off_neither_schedules_nor_events_start_a_run(in_memory_plane):
    done = []
    clerk = worker_for("clerk", done, schedule=every(hours=1), batch=1)
    plane = await in_memory_plane.boot(clerk, enabled=False)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert (await in_memory_plane.journal.runs(page=1, per_page=9)).total == 0

    await plane.request_run("clerk", key="k", by="person:owner", parameters={})
    await settle(plane)
    assert (await in_memory_plane.journal.runs(page=1, per_page=9)).total == 1
    plane = await in_memory_plane.boot(clerk, enabled=True)
    await settle(plane)
    assert len(done) == 3  # what was asked for by hand, the event that waited, the tick


async def test_r054_orchestrator_settings_bound_runs_at_once(in_memory_plane):
    from storecrew.app.background import loop_settings
    from storecrew.app.settings import load_settings

    environ = {"ORCHESTRATOR_MAX_CONCURRENT": "2", "ORCHESTRATOR_INTERVAL_SECONDS": "7"}
    settings = loop_settings(load_settings(environ=environ))
    assert (settings.max_concurrent, settings.interval) == (2, timedelta(seconds=7))

    stuck = asyncio.Event()

    @agent(on=StockRanLow, concurrency=9, name="slow")
    async def slow(event, ctx):
        """Wait."""
        await stuck.wait()
        for nothing in ():
            yield nothing

    engine = TaskEngine()
    plane = await boot(in_memory_plane, engine, slow, settings=settings)
    await plane.publish([in_memory_plane.news(low(str(n))) for n in range(5)])
    for _ in range(3):
        await plane.sweep()
    assert len(engine.tasks) == 2
    stuck.set()
    await plane.stop()


async def test_r054_orchestrator_settings_bound_the_pause_between_sweeps(in_memory_plane):
    sweeps, begun = asyncio.Semaphore(0), []
    settings = LoopSettings(interval=timedelta(milliseconds=5), poll=timedelta(hours=1))
    plane = await boot(in_memory_plane, TaskEngine(), settings=settings)
    sweep = plane.sweep

    async def counted():
        begun.append(1)
        sweeps.release()
        return await sweep()

    plane.sweep = counted
    serving = asyncio.create_task(plane.serve())
    async with asyncio.timeout(20):  # were the interval ignored, the second came after an hour
        for _ in range(4):
            await sweeps.acquire()
    plane.request_stop()
    await serving
    await plane.stop()
    assert len(begun) >= 4


# --- budgets ---------------------------------------------------------------------------------


async def test_a_spent_budget_of_runs_stops_the_agent_until_the_shops_midnight(in_memory_plane):
    done = []
    plane = await in_memory_plane.boot(worker_for("thrifty", done, budget=Budget(runs=2)))
    await plane.publish([in_memory_plane.news(low(str(n))) for n in range(4)])
    for _ in range(3):
        await settle(plane)
    assert done == ["thrifty"] * 2
    halts = await SqlAgentRepository(in_memory_plane.journal.database).suspensions()
    assert halts == {"thrifty": (Suspension.SPENT, "2026-03-02")}
    assert await kinds(in_memory_plane) == ["halt_agent"]  # once, however often it was looked at

    plane = await in_memory_plane.boot()  # a restart does not fill it
    await settle(plane)
    assert done == ["thrifty"] * 2
    assert await kinds(in_memory_plane) == ["halt_agent"]

    in_memory_plane.later(hours=18)  # from six in the morning to midnight
    await settle(plane)
    assert done == ["thrifty"] * 4


async def test_midnight_is_the_shops_and_not_utcs(in_memory_plane):
    done = []
    in_memory_plane.policy = replace(LIMITS, zone="America/New_York")
    plane = await in_memory_plane.boot(worker_for("thrifty", done, budget=Budget(runs=1)))
    await plane.publish([in_memory_plane.news(low(str(n))) for n in range(2)])
    await settle(plane)
    assert len(done) == 1  # at six UTC it is one in the morning there
    in_memory_plane.later(hours=18)
    await settle(plane)
    assert len(done) == 1
    in_memory_plane.later(hours=5)
    await settle(plane)
    assert len(done) == 2


async def test_tokens_count_on_the_run_also_of_attempts_that_failed(in_memory_plane):
    tries = []

    @agent(on=StockRanLow, name="thinker", budget=Budget(tokens=250))
    async def thinker(event, ctx):
        """Think, and fail at first."""
        ctx.meter.add(100)
        tries.append(ctx.attempt)
        if len(tries) == 1:
            raise ValueError("no idea")
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(thinker)
    await plane.publish([in_memory_plane.news(low(str(n))) for n in range(3)])
    for _ in range(4):
        await settle(plane)
        in_memory_plane.later(seconds=30)

    assert tries == [1, 2, 1]  # 300 tokens are more than 250
    runs = [run for run in await in_memory_plane.runs() if run.status is RunStatus.DONE]
    assert sorted(run.tokens for run in runs) == [100, 200]
    day = in_memory_plane.pipeline().day(in_memory_plane.clock.now())
    used = await SqlAgentRepository(in_memory_plane.journal.database).used("thinker", day)
    assert (used.runs, used.tokens) == (2, 300)


async def test_money_beyond_the_agents_day_is_asked_about_and_not_moved(in_memory_plane):
    @agent(
        on=StockRanLow,
        allowed_actions=[CreatePurchaseOrder],
        name="buyer",
        budget=Budget(money=Money.of(60, "EUR")),
    )
    async def buyer(event, ctx):
        """Buy ten at 5 EUR, three times."""
        for n in range(3):
            yield Proposal(action=CreatePurchaseOrder(sku=f"mug{n}", quantity=10), reason="low")

    for n in range(3):
        await in_memory_plane.stock(sku=f"mug{n}")
    plane = await in_memory_plane.boot(buyer)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    stories = sorted(await in_memory_plane.stories(), key=lambda s: s.filed.id)
    verdicts = [story.decision.verdict for story in stories]
    assert verdicts == [Verdict.ALLOW, Verdict.ASK, Verdict.ASK]
    assert stories[1].decision.rule == "agent_budget"
    day = in_memory_plane.pipeline().day(in_memory_plane.clock.now())
    used = await SqlAgentRepository(in_memory_plane.journal.database).used("buyer", day)
    assert used.money == 5000


# --- failing ---------------------------------------------------------------------------------


async def test_r044_failing_agent_is_rescheduled_and_reported(in_memory_plane):
    tries = []

    @agent(on=StockRanLow, name="shaky")
    async def shaky(event, ctx):
        """Fail at first."""
        tries.append(in_memory_plane.clock.now())
        if len(tries) < 3:
            raise ValueError("no luck")
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(shaky)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    known = (await pulses(in_memory_plane))["shaky"]
    assert (known.failures, known.state(in_memory_plane.clock.now())) == (1, AgentState.ERROR)
    assert overall([known], in_memory_plane.clock.now()) == "degraded"

    for _ in range(3):
        in_memory_plane.later(minutes=1)
        await settle(plane)
    await plane._heartbeat()
    known = (await pulses(in_memory_plane))["shaky"]
    assert (len(tries), known.failures) == (3, 0)
    assert known.state(in_memory_plane.clock.now()) is AgentState.HEALTHY
    assert tries[1] - tries[0] >= timedelta(seconds=2)


@pytest.mark.parametrize("heeds", [True, False], ids=["heeds", "swallows"])
async def test_r045_hung_agent_is_restarted_and_the_cancelled_run_is_audited(
    in_memory_plane, heeds
):
    tries = []

    @agent(on=StockRanLow, name="sleepy", deadline=timedelta(milliseconds=20))
    async def sleepy(event, ctx):
        """Hang, the first time; one that does not heed a cancellation is not waited for."""
        tries.append(event.sku)
        while len(tries) == 1:
            try:
                await asyncio.sleep(30 if heeds else 0.3)
            except asyncio.CancelledError:
                if heeds:
                    raise
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(sleepy)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.RETRYING]
    assert await kinds(in_memory_plane) == ["cancel_run"]
    in_memory_plane.later(minutes=1)
    await settle(plane)

    assert len(tries) == 2
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]


async def test_r045_an_agent_that_hangs_each_time_is_escalated(in_memory_plane):
    @agent(on=StockRanLow, name="sleepy", deadline=timedelta(milliseconds=5))
    async def sleepy(event, ctx):
        """Hang."""
        await asyncio.sleep(30)
        yield low()

    plane = await in_memory_plane.boot(sleepy, attempts=2)
    await plane.publish([in_memory_plane.news(low())])
    for _ in range(3):
        await settle(plane)
        in_memory_plane.later(minutes=1)

    [incident] = await in_memory_plane.incidents.unnotified()
    assert (incident.subject, incident.kind) == ("agent:sleepy", "agent_hung")
    assert await kinds(in_memory_plane) == ["cancel_run", "open_incident", "cancel_run"]


async def test_a_pause_or_a_takeover_is_no_fault_of_the_agent(in_memory_plane):
    done = []
    plane = await in_memory_plane.boot(worker_for("clerk", done))
    await plane.publish([in_memory_plane.news(low())])
    taken = await in_memory_plane.journal.claim_runs(
        Registry(in_memory_plane.agents).claim_specs(), in_memory_plane.clock.now(), 1
    )
    await plane.set_paused(True, by="owner")
    await plane.execute(taken.runs[0])
    await plane.sweep()

    assert "clerk" not in await pulses(in_memory_plane)


async def nothing(_event, _ctx):
    for never in ():
        yield never


def test_r058_who_has_a_capability_stands_in_order_of_priority():
    crew = [
        agent(name=name, capabilities=["pricing"], priority=priority)(nothing)
        for name, priority in (("minor", 1), ("major", 5), ("middle", 2))
    ]
    registry = Registry([*crew, agent(name="other")(nothing)])
    assert [found.name for found in registry.capable("pricing")] == ["major", "middle", "minor"]
