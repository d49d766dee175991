"""The crew in the journal: registrations, turns, budgets, leases, health, on each database."""

import asyncio
from datetime import timedelta

import pytest
from journal_desk import CLERK, NOON, intake, low, says, wishes

from storecrew.domain.crew import Budget, Declaration, Enlisted, Halt, Origin, ShopDay, Worker
from storecrew.domain.errors import AlreadyRegistered, NotFound, RunTakenOver
from storecrew.domain.events import ClockTicked
from storecrew.domain.health import IncidentKind
from storecrew.domain.journal import Failure, Filing
from storecrew.domain.money import Money
from storecrew.domain.proposals import Verdict
from storecrew.domain.runs import Judged, RunStatus
from storecrew.journal.crew import SqlCrew
from storecrew.journal.health import SqlHealth

DAY = ShopDay.of(NOON, "UTC")


def recruit(name="far", **changes):
    said = Declaration(agent_id=name, purpose="", endpoint="https://far.example/", **changes)
    return Enlisted(
        declaration=said,
        origin=Origin.HTTP,
        at=NOON,
        by="person:owner",
        token_hash="h",  # noqa: S106 - no password
        signing_key="k",
    )


def worker(name):
    return Worker(id=name, host="here", pid=1, started_at=NOON)


async def kinds(desk):
    return [entry.action["type"] for entry in await desk.audited() if entry.kind == "control"]


# --- who is on duty --------------------------------------------------------------------------


async def test_an_agent_is_registered_once_and_comes_back_as_it_was(desk):
    book = SqlCrew(desk.journal.database)
    budget = Budget(runs=1, tokens=2, money=Money.of(3, "EUR"))
    one = recruit(on=("StockRanLow",), interval=60.0, budget=budget, tags=("a",))
    before = (await desk.journal.glance("store", NOON)).crew

    assert await book.enlist(one)
    assert not await book.enlist(one)
    with pytest.raises(AlreadyRegistered):
        await book.enlist(recruit(priority=1))

    assert await book.enlisted() == [one] == await desk.journal.enlisted()
    assert (await desk.journal.glance("store", NOON)).crew != before
    assert await kinds(desk) == ["register_agent"]


async def test_who_is_dismissed_leaves_nothing_waiting_behind(desk):
    book, health = SqlCrew(desk.journal.database), SqlHealth(desk.journal.database)
    await book.enlist(recruit())
    await desk.journal.publish([desk.news()], lambda _event: ("far",))
    await health.beat(["far"], NOON)
    await health.open("far", IncidentKind.STALE, "gone", NOON)
    await book.halt("far", by="person:owner", now=NOON)

    await book.dismiss("far", by="person:owner", now=NOON)

    assert await book.enlisted() == []
    assert await desk.take(intake(agent="far")) == ()
    assert (await book.halts(), await health.pulses(), await health.untold()) == ({}, [], [])
    with pytest.raises(NotFound):
        await book.dismiss("far", by="person:owner", now=NOON)
    assert await kinds(desk) == [
        "register_agent",
        "open_incident",
        "pause_agent",
        "dismiss_agent",
    ]


async def test_an_execution_is_found_by_the_run_that_was_promised(desk):
    from storecrew.domain.events import RunRequested

    book = SqlCrew(desk.journal.database)
    asked = RunRequested(agent=CLERK, by="person:owner", parameters={"a": 1})
    await desk.publish(low("first"))
    news = desk.news(asked, id="k", source="request", actor="person:owner")
    [receipt] = await desk.journal.publish([news], lambda _event: (CLERK,))
    promised = f"{CLERK}@{receipt.event_id}"
    assert (await book.request(promised))["run"] is None

    [run] = await desk.take(intake(batch=5))  # it became part of another run
    found = await book.request(promised)
    assert (found["run"], found["parameters"], found["by"]) == (run, {"a": 1}, "person:owner")
    assert run != promised
    for unknown in ("clerk@1", "other@2", "clerk", "clerk@x", "@2", f"clerk@{'9' * 30}"):
        assert await book.request(unknown) is None


async def test_how_a_day_went_is_counted(desk):
    book = SqlCrew(desk.journal.database)
    run = await desk.begin()
    await desk.done(run)
    await desk.publish(low("waits"))
    counts = await book.statistics(DAY)
    assert (counts["runs_done"], counts["runs_today"], counts["wakes_waiting"]) == (1, 1, 1)
    assert (await book.last_runs([CLERK, "nobody"]))[CLERK].id == run


# --- turns and budgets -----------------------------------------------------------------------


async def test_an_agent_that_had_a_run_stands_behind_those_that_waited(desk):
    pair = [intake(agent="one", concurrency=9), intake(agent="two", concurrency=9)]
    for name, sku in (("one", "a"), ("one", "b"), ("two", "c")):
        await desk.journal.publish([desk.news(low(sku))], lambda _e, n=name: (n,))

    order = []
    for _ in range(3):
        [run] = await desk.take(*pair, room=1)
        order.append((await desk.journal.run(run)).agent)
        desk.now += timedelta(seconds=1)
    assert order == ["one", "two", "one"]


async def test_priority_outweighs_every_turn(desk):
    pair = [intake(agent="minor"), intake(agent="major", priority=1, concurrency=9)]
    for name, sku in (("minor", "a"), ("major", "b"), ("major", "c")):
        await desk.journal.publish([desk.news(low(sku))], lambda _e, n=name: (n,))
    runs = await desk.take(*pair)
    assert [(await desk.journal.run(run)).agent for run in runs] == ["major", "major", "minor"]


async def test_a_spent_budget_halts_once_and_for_the_day(desk):
    frugal = intake(concurrency=9, budget=Budget(runs=2))
    await desk.publish(*(low(f"s{n}") for n in range(5)))
    for _ in range(2):
        taken = await desk.journal.take([frugal], desk.now, 10, day=DAY)
        assert len(taken.runs) in (2, 0)
    look = await desk.journal.glance("store", desk.now, day=DAY.name)
    assert look.halted == {CLERK}
    assert await SqlCrew(desk.journal.database).halts() == {CLERK: (Halt.SPENT, DAY.name)}
    assert await kinds(desk) == ["halt_agent"]

    tomorrow = NOON + timedelta(days=1)
    later = ShopDay.of(tomorrow, "UTC")
    assert (await desk.journal.glance("store", tomorrow, day=later.name)).halted == frozenset()
    assert len((await desk.journal.take([frugal], tomorrow, 10, day=later)).runs) == 2


async def test_tokens_and_money_are_counted_from_the_books(desk):
    book = SqlCrew(desk.journal.database)
    run = await desk.begin()
    filed = wishes(run, 2)

    def judge(one, spent):
        judged = says(Verdict.ALLOW)(one, spent)
        seen.append(spent.agent)
        return Judged(filed=one, decision=judged.decision, moves=700)

    seen = []
    step = desk.step(run, filing=Filing(filed=filed, events=(), tokens=40), pending=filed,
                     judge=judge, budgeted=True)  # fmt: skip
    await desk.journal.advance(desk.settling(run, await desk.journal.advance(step)))

    used = await book.used(CLERK, DAY)
    assert (used.runs, used.tokens, used.money) == (1, 40, 1400)
    assert seen == [0, 700]
    assert used.spends(Budget(money=Money.of(14, "EUR"))) == "money"
    assert used.spends(Budget(tokens=41, runs=2)) == ""
    other = await book.used(CLERK, ShopDay.of(NOON + timedelta(days=1), "UTC"))
    assert (other.runs, other.tokens, other.money) == (0, 0, 0)


# --- workers ---------------------------------------------------------------------------------


async def test_each_worker_sees_its_own_runs_and_claims_those_of_nobody(desk):
    await desk.publish(low("a"), low("b"))
    mine = await desk.journal.take([intake(concurrency=9)], NOON, 1, worker="one")
    theirs = await desk.journal.take([intake(concurrency=9)], NOON, 1, worker="two")
    look = await desk.journal.glance("store", NOON, worker="one")
    assert look.running == ((mine.runs[0], 1),)
    assert not look.unclaimed

    await desk.journal.take_over()
    assert (await desk.journal.glance("store", NOON, worker="one")).unclaimed
    taken = await desk.journal.take([], NOON, 9, worker="two")
    assert sorted(taken.claimed) == sorted([(mine.runs[0], 2), (theirs.runs[0], 2)])


async def test_a_lease_that_ran_out_frees_the_runs_as_new_attempts(desk):
    await desk.journal.keep_lease(worker("one"))
    await desk.journal.keep_lease(worker("one"))
    await desk.publish(low())
    [run] = (await desk.journal.take([intake()], NOON, 1, worker="one")).runs
    assert await desk.journal.take_over_lost(timedelta(seconds=5)) == 0
    assert [w.id for w in await desk.journal.workers()] == ["one"]

    await desk.journal.give_up("one")
    assert await desk.journal.take_over_lost(timedelta(seconds=5)) == 1
    found = await desk.journal.run(run)
    assert (found.attempt, found.worker) == (2, "")


async def test_r048_a_worker_that_was_only_asleep_is_fenced(desk):
    run = await desk.begin()
    await desk.journal.take_over()  # another took its runs over meanwhile

    with pytest.raises(RunTakenOver):
        await desk.journal.advance(desk.filing(run, Verdict.ALLOW))
    failure = Failure(run=run, attempt=1, error="x", retry_at=None, now=NOON, agent=CLERK)
    assert await desk.journal.fail(failure) is RunStatus.RUNNING

    filing = desk.step(run, attempt=2, filing=Filing(filed=(), events=()), last=True)
    await desk.journal.advance(filing)
    assert (await desk.journal.run(run)).status is RunStatus.DONE
    assert await SqlHealth(desk.journal.database).pulses() == []


async def test_two_processes_that_claim_at_once_share_the_runs(desks):
    first, second = desks
    await first.publish(*(low(f"s{n}") for n in range(12)))
    await first.take(intake(concurrency=20), room=12)
    both = await asyncio.gather(
        first.journal.take([], NOON, 6, worker="one"),
        second.journal.take([], NOON, 6, worker="two"),
    )
    claimed = [run for taken in both for run, _ in taken.claimed]
    assert len(claimed) == len(set(claimed)) == 12
    for run in claimed:
        filing = first.step(run, filing=Filing(filed=(), events=()), last=True)
        await first.journal.advance(filing)


# --- health ----------------------------------------------------------------------------------


async def test_beats_and_failures_are_one_agents_pulse(desk):
    health = SqlHealth(desk.journal.database)
    await desk.journal.beat(["b", "a"], NOON, worker="one")
    await desk.journal.beat(["b"], NOON + timedelta(seconds=9))
    run = await desk.begin()
    for attempt in (1, 2):
        failure = Failure(
            run=run, attempt=attempt, error="no luck", retry_at=NOON, now=NOON, agent=CLERK
        )
        await desk.journal.fail(failure)
        await desk.journal.revive(NOON)
    pulses = {pulse.agent: pulse for pulse in await health.pulses()}
    assert list(pulses) == ["a", "b", CLERK]
    assert pulses["b"].beat_at == NOON + timedelta(seconds=9)
    assert (pulses[CLERK].failures, pulses[CLERK].error) == (2, "no luck")

    await desk.journal.advance(
        desk.step(run, attempt=3, filing=Filing(filed=(), events=()), last=True)
    )
    assert {p.agent: p.failures for p in await health.pulses()}[CLERK] == 0
    await desk.journal.retire(["a"])
    assert [pulse.agent for pulse in await health.pulses()] == ["a"]


async def test_of_an_agent_one_incident_is_open_and_one_process_tells_of_it(desk):
    health = SqlHealth(desk.journal.database)
    assert await health.open("a", IncidentKind.STALE, "silent", NOON)
    assert not await health.open("a", IncidentKind.ERROR, "fails", NOON)
    [incident] = await health.untold()
    hold = timedelta(minutes=5)
    assert await health.claim(incident, "one", NOON, hold)
    assert not await health.claim(incident, "two", NOON, hold)
    assert await health.claim(incident, "two", NOON + timedelta(minutes=6), hold)
    await health.unclaim(incident.id)
    assert await health.claim(incident, "one", NOON, hold)
    await health.told(incident, NOON)
    assert not await health.claim(incident, "two", NOON, hold)  # it was told since it was read

    assert await health.close("a", NOON)
    assert not await health.close("a", NOON)
    [ended] = await health.untold()
    assert await health.claim(ended, "one", NOON, hold)
    await health.told(ended, NOON)
    assert await health.untold() == []


async def test_a_tick_is_published_once_whoever_ticks(desks):
    due = NOON
    ticks = [desk.tick(due) for desk in desks]
    assert isinstance(ticks[0].event, ClockTicked)
    receipts = await asyncio.gather(
        *(d.journal.publish([t], lambda _e: (CLERK,)) for d, t in zip(desks, ticks, strict=True))
    )
    assert sorted(receipt.duplicate for [receipt] in receipts) == [False, True]
    [run] = await desks[0].take()
    assert run == f"{CLERK}@{due.isoformat(timespec='seconds')}"
    filing = desks[0].step(run, filing=Filing(filed=(), events=()), last=True)
    await desks[0].journal.advance(filing)
