"""The crew in the journal: registrations, turns, budgets, leases, health, on each database."""

import asyncio
from datetime import timedelta

import pytest
from journal_driver import CLERK, NOON, claim_spec, judge_as, low, proposed

from storecrew.domain.control.agents import (
    AgentManifest,
    AgentOrigin,
    Budget,
    BusinessDay,
    RegisteredAgent,
    Suspension,
    Worker,
)
from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.incidents import IncidentKind
from storecrew.domain.control.proposals import JudgedProposal, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import AlreadyRegistered, NotFound, StaleAttempt
from storecrew.domain.money import Money
from storecrew.domain.ports.journal import AgentOutput, RunFailure
from storecrew.journal.agents import SqlAgentRepository
from storecrew.journal.health import SqlHealthRepository
from storecrew.journal.incidents import SqlIncidentRepository

DAY = BusinessDay.of(NOON, "UTC")


def recruit(name="far", **changes):
    said = AgentManifest(agent_id=name, purpose="", endpoint="https://far.example/", **changes)
    return RegisteredAgent(
        declaration=said,
        origin=AgentOrigin.HTTP,
        at=NOON,
        by="person:owner",
        token_hash="h",  # noqa: S106 - no password
        signing_key="k",
    )


def worker(name):
    return Worker(id=name, host="here", pid=1, started_at=NOON)


async def kinds(driver):
    return [entry.action["type"] for entry in await driver.audited() if entry.kind == "control"]


# --- who is on duty --------------------------------------------------------------------------


async def test_an_agent_is_registered_once_and_comes_back_as_it_was(driver):
    book = SqlAgentRepository(driver.journal.database)
    budget = Budget(runs=1, tokens=2, money=Money.of(3, "EUR"))
    one = recruit(on=("StockRanLow",), interval=60.0, budget=budget, tags=("a",))
    before = (await driver.journal.snapshot("store", NOON)).crew

    assert await book.register(one)
    assert not await book.register(one)
    with pytest.raises(AlreadyRegistered):
        await book.register(recruit(priority=1))

    assert await book.registered() == [one] == await driver.journal.registered()
    assert (await driver.journal.snapshot("store", NOON)).crew != before
    assert await kinds(driver) == ["register_agent"]


async def test_who_is_dismissed_leaves_nothing_waiting_behind(driver):
    book, health = (
        SqlAgentRepository(driver.journal.database),
        SqlHealthRepository(driver.journal.database),
    )
    incidents = SqlIncidentRepository(driver.journal.database)
    await book.register(recruit())
    await driver.journal.publish([driver.envelope()], lambda _event: ("far",))
    await health.heartbeat(["far"], NOON)
    await incidents.open_agent_incident("far", IncidentKind.AGENT_STALE, "gone", NOON)
    await book.suspend("far", by="person:owner", now=NOON)

    await book.deregister("far", by="person:owner", now=NOON)

    assert await book.registered() == []
    assert await driver.take(claim_spec(agent="far")) == ()
    assert (await book.suspensions(), await health.agent_health()) == ({}, [])
    assert await incidents.unnotified() == []
    with pytest.raises(NotFound):
        await book.deregister("far", by="person:owner", now=NOON)
    assert await kinds(driver) == [
        "register_agent",
        "open_incident",
        "pause_agent",
        "dismiss_agent",
    ]


async def test_an_execution_is_found_by_the_run_that_was_promised(driver):
    from storecrew.domain.control.events import RunRequested

    book = SqlAgentRepository(driver.journal.database)
    asked = RunRequested(agent=CLERK, by="person:owner", parameters={"a": 1})
    await driver.publish(low("first"))
    envelopes = driver.envelope(asked, id="k", source="request", actor="person:owner")
    [receipt] = await driver.journal.publish([envelopes], lambda _event: (CLERK,))
    promised = f"{CLERK}@{receipt.event_id}"
    assert (await book.request(promised))["run"] is None

    [run] = await driver.take(claim_spec(batch=5))  # it became part of another run
    found = await book.request(promised)
    assert (found["run"], found["parameters"], found["by"]) == (run, {"a": 1}, "person:owner")
    assert run != promised
    for unknown in ("clerk@1", "other@2", "clerk", "clerk@x", "@2", f"clerk@{'9' * 30}"):
        assert await book.request(unknown) is None


async def test_how_a_day_went_is_counted(driver):
    book = SqlAgentRepository(driver.journal.database)
    run = await driver.begin()
    await driver.done(run)
    await driver.publish(low("waits"))
    counts = await book.statistics(DAY)
    assert (counts["runs_done"], counts["runs_today"], counts["wakes_waiting"]) == (1, 1, 1)
    assert (await book.last_runs([CLERK, "nobody"]))[CLERK].id == run


# --- turns and budgets -----------------------------------------------------------------------


async def test_an_agent_that_had_a_run_stands_behind_those_that_waited(driver):
    pair = [claim_spec(agent="one", concurrency=9), claim_spec(agent="two", concurrency=9)]
    for name, sku in (("one", "a"), ("one", "b"), ("two", "c")):
        await driver.journal.publish([driver.envelope(low(sku))], lambda _e, n=name: (n,))

    order = []
    for _ in range(3):
        [run] = await driver.take(*pair, room=1)
        order.append((await driver.journal.run(run)).agent)
        driver.now += timedelta(seconds=1)
    assert order == ["one", "two", "one"]


async def test_priority_outweighs_every_turn(driver):
    pair = [claim_spec(agent="minor"), claim_spec(agent="major", priority=1, concurrency=9)]
    for name, sku in (("minor", "a"), ("major", "b"), ("major", "c")):
        await driver.journal.publish([driver.envelope(low(sku))], lambda _e, n=name: (n,))
    runs = await driver.take(*pair)
    assert [(await driver.journal.run(run)).agent for run in runs] == ["major", "major", "minor"]


async def test_a_spent_budget_halts_once_and_for_the_day(driver):
    frugal = claim_spec(concurrency=9, budget=Budget(runs=2))
    await driver.publish(*(low(f"s{n}") for n in range(5)))
    for _ in range(2):
        taken = await driver.journal.claim_runs([frugal], driver.now, 10, day=DAY)
        assert len(taken.runs) in (2, 0)
    look = await driver.journal.snapshot("store", driver.now, day=DAY.name)
    assert look.suspended == {CLERK}
    assert await SqlAgentRepository(driver.journal.database).suspensions() == {
        CLERK: (Suspension.SPENT, DAY.name)
    }
    assert await kinds(driver) == ["halt_agent"]

    tomorrow = NOON + timedelta(days=1)
    later = BusinessDay.of(tomorrow, "UTC")
    assert (
        await driver.journal.snapshot("store", tomorrow, day=later.name)
    ).suspended == frozenset()
    assert len((await driver.journal.claim_runs([frugal], tomorrow, 10, day=later)).runs) == 2


async def test_tokens_and_money_are_counted_from_the_books(driver):
    book = SqlAgentRepository(driver.journal.database)
    run = await driver.begin()
    filed = proposed(run, 2)

    def judge(one, spent):
        judged = judge_as(Verdict.ALLOW)(one, spent)
        seen.append(spent.agent)
        return JudgedProposal(filed=one, decision=judged.decision, cash_out=700)

    seen = []
    step = driver.step(run, filing=AgentOutput(filed=filed, events=(), tokens=40), pending=filed,
                     judge=judge, budgeted=True)  # fmt: skip
    await driver.journal.record_step(driver.settling(run, await driver.journal.record_step(step)))

    used = await book.used(CLERK, DAY)
    assert (used.runs, used.tokens, used.money) == (1, 40, 1400)
    assert seen == [0, 700]
    assert used.exhausted(Budget(money=Money.of(14, "EUR"))) == "money"
    assert used.exhausted(Budget(tokens=41, runs=2)) == ""
    other = await book.used(CLERK, BusinessDay.of(NOON + timedelta(days=1), "UTC"))
    assert (other.runs, other.tokens, other.money) == (0, 0, 0)


# --- workers ---------------------------------------------------------------------------------


async def test_each_worker_sees_its_own_runs_and_claims_those_of_nobody(driver):
    await driver.publish(low("a"), low("b"))
    mine = await driver.journal.claim_runs([claim_spec(concurrency=9)], NOON, 1, worker="one")
    theirs = await driver.journal.claim_runs([claim_spec(concurrency=9)], NOON, 1, worker="two")
    look = await driver.journal.snapshot("store", NOON, worker="one")
    assert look.running == ((mine.runs[0], 1),)
    assert not look.unclaimed

    await driver.journal.reclaim_runs()
    assert (await driver.journal.snapshot("store", NOON, worker="one")).unclaimed
    taken = await driver.journal.claim_runs([], NOON, 9, worker="two")
    assert sorted(taken.claimed) == sorted([(mine.runs[0], 2), (theirs.runs[0], 2)])


async def test_a_lease_that_ran_out_frees_the_runs_as_new_attempts(driver):
    await driver.journal.renew_lease(worker("one"))
    await driver.journal.renew_lease(worker("one"))
    await driver.publish(low())
    [run] = (await driver.journal.claim_runs([claim_spec()], NOON, 1, worker="one")).runs
    assert await driver.journal.reclaim_expired(timedelta(seconds=5)) == 0
    assert [w.id for w in await driver.journal.workers()] == ["one"]

    await driver.journal.release_lease("one")
    assert await driver.journal.reclaim_expired(timedelta(seconds=5)) == 1
    found = await driver.journal.run(run)
    assert (found.attempt, found.worker) == (2, "")


async def test_r048_a_worker_that_was_only_asleep_is_fenced(driver):
    run = await driver.begin()
    await driver.journal.reclaim_runs()  # another took its runs over meanwhile

    with pytest.raises(StaleAttempt):
        await driver.journal.record_step(driver.filing(run, Verdict.ALLOW))
    failure = RunFailure(run=run, attempt=1, error="x", retry_at=None, now=NOON, agent=CLERK)
    assert await driver.journal.fail(failure) is RunStatus.RUNNING

    filing = driver.step(run, attempt=2, filing=AgentOutput(filed=(), events=()), last=True)
    await driver.journal.record_step(filing)
    assert (await driver.journal.run(run)).status is RunStatus.DONE
    assert await SqlHealthRepository(driver.journal.database).agent_health() == []


async def test_two_processes_that_claim_at_once_share_the_runs(drivers):
    first, second = drivers
    await first.publish(*(low(f"s{n}") for n in range(12)))
    await first.take(claim_spec(concurrency=20), room=12)
    both = await asyncio.gather(
        first.journal.claim_runs([], NOON, 6, worker="one"),
        second.journal.claim_runs([], NOON, 6, worker="two"),
    )
    claimed = [run for taken in both for run, _ in taken.claimed]
    assert len(claimed) == len(set(claimed)) == 12
    for run in claimed:
        filing = first.step(run, filing=AgentOutput(filed=(), events=()), last=True)
        await first.journal.record_step(filing)


# --- health ----------------------------------------------------------------------------------


async def test_beats_and_failures_are_one_agents_pulse(driver):
    health = SqlHealthRepository(driver.journal.database)
    await driver.journal.heartbeat(["b", "a"], NOON, worker="one")
    await driver.journal.heartbeat(["b"], NOON + timedelta(seconds=9))
    run = await driver.begin()
    for attempt in (1, 2):
        failure = RunFailure(
            run=run, attempt=attempt, error="no luck", retry_at=NOON, now=NOON, agent=CLERK
        )
        await driver.journal.fail(failure)
        await driver.journal.requeue_due_retries(NOON)
    pulses = {pulse.agent: pulse for pulse in await health.agent_health()}
    assert list(pulses) == ["a", "b", CLERK]
    assert pulses["b"].beat_at == NOON + timedelta(seconds=9)
    assert (pulses[CLERK].failures, pulses[CLERK].error) == (2, "no luck")

    await driver.journal.record_step(
        driver.step(run, attempt=3, filing=AgentOutput(filed=(), events=()), last=True)
    )
    assert {p.agent: p.failures for p in await health.agent_health()}[CLERK] == 0
    await driver.journal.prune_heartbeats(["a"])
    assert [pulse.agent for pulse in await health.agent_health()] == ["a"]


async def test_of_an_agent_one_incident_is_open_and_one_process_tells_of_it(driver):
    incidents = SqlIncidentRepository(driver.journal.database)
    assert await incidents.open_agent_incident("a", IncidentKind.AGENT_STALE, "silent", NOON)
    assert not await incidents.open_agent_incident("a", IncidentKind.AGENT_ERROR, "fails", NOON)
    [incident] = await incidents.unnotified()
    hold = timedelta(minutes=5)
    assert await incidents.claim_notification(incident, "one", NOON, hold)
    assert not await incidents.claim_notification(incident, "two", NOON, hold)
    assert await incidents.claim_notification(incident, "two", NOON + timedelta(minutes=6), hold)
    await incidents.release_notification(incident)
    assert await incidents.claim_notification(incident, "one", NOON, hold)
    await incidents.mark_notified(incident, NOON)
    assert not await incidents.claim_notification(
        incident, "two", NOON, hold
    )  # it was told since it was read

    assert await incidents.close_agent_incident("a", NOON)
    assert not await incidents.close_agent_incident("a", NOON)
    [ended] = await incidents.unnotified()
    assert await incidents.claim_notification(ended, "one", NOON, hold)
    await incidents.mark_notified(ended, NOON)
    assert await incidents.unnotified() == []


async def test_a_tick_is_published_once_whoever_ticks(drivers):
    due = NOON
    ticks = [driver.tick(due) for driver in drivers]
    assert isinstance(ticks[0].event, ClockTicked)
    receipts = await asyncio.gather(
        *(d.journal.publish([t], lambda _e: (CLERK,)) for d, t in zip(drivers, ticks, strict=True))
    )
    assert sorted(receipt.duplicate for [receipt] in receipts) == [False, True]
    [run] = await drivers[0].take()
    assert run == f"{CLERK}@{due.isoformat(timespec='seconds')}"
    filing = drivers[0].step(run, filing=AgentOutput(filed=(), events=()), last=True)
    await drivers[0].journal.record_step(filing)
