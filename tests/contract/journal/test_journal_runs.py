"""Runs: what begins one, in which order, and that each step of it counts once."""

import asyncio
import contextlib
import threading
from datetime import timedelta

import pytest
from journal_driver import CLERK, NOON, claim_spec, clerk_wakes, judge_as, low, proposed

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Decision, JudgedProposal, Outcome, Result, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import NotFound, StaleAttempt
from storecrew.domain.ports.journal import AgentOutput, ProposalResult, RunFailure


async def skus(driver, run):
    return [recorded.event.sku for recorded in (await driver.journal.run(run)).events]


async def test_waiting_events_are_taken_in_batches_and_in_order(driver):
    await driver.publish(*(low(f"s{n}") for n in range(7)))

    runs = await driver.take(claim_spec(batch=3, concurrency=10))

    assert [await skus(driver, run) for run in runs] == [
        ["s0", "s1", "s2"],
        ["s3", "s4", "s5"],
        ["s6"],
    ]
    assert await driver.take(claim_spec(batch=3, concurrency=10)) == ()


async def test_a_batch_waits_until_it_is_full_or_its_time_is_over(driver):
    await driver.publish(low("a"))
    patient = claim_spec(batch=2, batch_window=timedelta(minutes=5))

    taken = await driver.journal.claim_runs([patient], driver.now, 10)
    assert (taken.runs, taken.next_due) == ((), NOON + timedelta(minutes=5))

    driver.now += timedelta(minutes=5)
    assert len(await driver.take(patient)) == 1
    await driver.publish(low("b"), low("c"))
    assert (
        len(await driver.take(claim_spec(batch=2, batch_window=timedelta(hours=1), concurrency=2)))
        == 1
    )


async def test_an_agent_is_busy_with_one_subject_at_a_time(driver):
    await driver.publish(low("mug", 1), low("cup", 1), low("mug", 2))

    first, second = await driver.take(claim_spec(concurrency=10))
    assert (await skus(driver, first), await skus(driver, second)) == (["mug"], ["cup"])
    await driver.done(first)
    [third] = await driver.take(claim_spec(concurrency=10))

    assert (await driver.journal.run(third)).events[0].event.position == 2


async def test_a_run_that_will_be_tried_again_still_holds_its_subject(driver):
    await driver.publish(low("mug", 1), low("mug", 2))
    [run] = await driver.take()
    later = NOON + timedelta(minutes=1)
    await driver.journal.fail(RunFailure(run=run, attempt=1, error="x", retry_at=later, now=NOON))

    assert await driver.take(claim_spec(concurrency=10)) == ()


async def test_neither_an_agents_concurrency_nor_the_room_is_exceeded(driver):
    await driver.publish(*(low(f"s{n}") for n in range(9)))

    assert len(await driver.take(claim_spec(concurrency=2), room=10)) == 2
    assert len(await driver.take(claim_spec(concurrency=2), room=10)) == 0
    assert len(await driver.take(claim_spec(concurrency=9), room=3)) == 3
    assert len(await driver.take(claim_spec(concurrency=9), room=0)) == 0


async def test_agents_share_the_room_in_the_order_they_are_given(driver):
    await driver.journal.publish([driver.envelope()], lambda _event: ("minor", "major"))

    runs = await driver.take(claim_spec(agent="major"), claim_spec(agent="minor"), room=1)

    assert [(await driver.journal.run(run)).agent for run in runs] == ["major"]


async def test_two_processes_that_take_at_once_begin_each_run_once(drivers):
    await drivers[0].publish(*(low(f"s{n}") for n in range(20)))

    taken = await asyncio.gather(*(d.take(claim_spec(concurrency=15), room=4) for d in drivers * 3))

    runs = [run for each in taken for run in each]
    assert len(runs) == len(set(runs)) == 15
    assert (await drivers[0].journal.runs(page=1, per_page=50)).total == 15


async def test_a_run_goes_through_its_steps_to_its_end(driver):
    run = await driver.begin()

    allowed = await driver.journal.record_step(driver.filing(run, Verdict.ALLOW, 2))
    assert [j.filed.id for j in allowed] == [f"{run}/0", f"{run}/1"]
    assert (await driver.journal.run(run)).status is RunStatus.RUNNING
    await driver.journal.record_step(driver.settling(run, allowed))

    ended = await driver.journal.run(run)
    assert (ended.status, ended.proposals, ended.finished_at) == (RunStatus.DONE, 2, NOON)
    assert [(e.subject, e.result) for e in await driver.audited()] == [
        (f"{run}/0", "applied"),
        (f"{run}/1", "applied"),
    ]
    assert await driver.journal.count_results([run]) == {
        "proposals": 2,
        "applied": 2,
        "asked": 0,
        "denied": 0,
        "refused": 0,
    }


async def test_what_an_agent_said_is_kept_once(driver):
    run = await driver.begin()
    filing = AgentOutput(
        filed=proposed(run, 3), events=(driver.envelope(source="agent:clerk", id="e0"),)
    )
    await driver.journal.record_step(driver.step(run, filing=filing))

    with pytest.raises(StaleAttempt, match=run):
        await driver.journal.record_step(driver.step(run, filing=filing))

    assert await driver.journal.filed(run, 0, 500) == list(proposed(run, 3))
    assert await driver.journal.filed(run, 1, 1) == [proposed(run, 3)[1]]
    assert (await driver.journal.events(page=1, per_page=9)).total == 2
    judged = driver.step(run, pending=proposed(run, 3), judge=judge_as(Verdict.DENY), last=True)
    assert await driver.journal.record_step(judged) == []


async def test_of_two_workers_on_one_run_one_files(drivers):
    run = await drivers[0].begin()
    steps = [d.journal.record_step(d.filing(run, Verdict.DENY, 3)) for d in drivers * 2]

    answers = await asyncio.gather(*steps, return_exceptions=True)

    assert sorted(type(a).__name__ for a in answers) == ["StaleAttempt"] * 3 + ["list"]
    assert len(await drivers[0].audited()) == 3


async def test_judging_again_gives_the_first_decision(driver):
    run = await driver.begin()
    await driver.journal.record_step(driver.filing(run, Verdict.ALLOW, 1))

    step = driver.step(run, pending=proposed(run), judge=judge_as(Verdict.DENY))
    again = await driver.journal.record_step(step)

    assert [j.decision.verdict for j in again] == [Verdict.ALLOW]
    await driver.journal.record_step(driver.settling(run, again))


async def test_what_has_an_outcome_is_not_to_be_done_again(driver):
    run = await driver.begin()
    allowed = await driver.journal.record_step(driver.filing(run, Verdict.ALLOW, 2))
    await driver.journal.record_step(driver.settling(run, allowed[:1]))

    step = driver.step(run, pending=proposed(run, 2), judge=judge_as(Verdict.ALLOW))
    left = await driver.journal.record_step(step)

    assert [j.filed.id for j in left] == [f"{run}/1"]
    await driver.journal.record_step(driver.settling(run, left))


async def test_settling_again_audits_nothing_twice(driver):
    run = await driver.begin()
    allowed = await driver.journal.record_step(driver.filing(run, Verdict.ALLOW))
    step = driver.settling(run, allowed)

    for _ in range(3):
        await driver.journal.record_step(step)

    [entry] = await driver.audited()
    assert (entry.subject, entry.result) == (f"{run}/0", "applied")


async def test_settling_twice_at_once_audits_once(drivers):
    run = await drivers[0].begin()
    allowed = await drivers[0].journal.record_step(drivers[0].filing(run, Verdict.ALLOW, 5))

    await asyncio.gather(*(d.journal.record_step(d.settling(run, allowed)) for d in drivers * 3))

    assert len(await drivers[0].audited()) == 5


async def test_a_refusal_of_the_store_is_audited_with_its_reason(driver):
    run = await driver.begin()
    [judged] = await driver.journal.record_step(driver.filing(run, Verdict.ALLOW))
    refused = Outcome(
        key=judged.filed.id, result=Result.REFUSED, code="stale", message="it changed"
    )

    step = driver.step(run, settled=(ProposalResult(judged=judged, outcome=refused),), last=True)
    await driver.journal.record_step(step)

    [entry] = await driver.audited()
    assert entry.result == "refused"
    assert entry.reason == "it sells [test: because] [stale: it changed]"


async def test_two_runs_at_once_do_not_both_spend_the_rest_of_the_budget(drivers):
    runs = [await drivers[0].begin(f"s{n}") for n in range(2)]
    met = threading.Barrier(2, timeout=0.2)

    def thrifty(filed, spent):
        with contextlib.suppress(threading.BrokenBarrierError):
            met.wait()  # on Postgres the other run is here too, unless they take turns
        verdict = Verdict.ALLOW if spent.shop + 60 <= 100 else Verdict.DENY
        decision = Decision(verdict=verdict, reason=str(spent), rule="budget")
        return JudgedProposal(filed=filed, decision=decision, budget_spend=60)

    def step(driver, run):
        filed = proposed(run)
        filing = AgentOutput(filed=filed, events=())
        return driver.step(run, filing=filing, pending=filed, judge=thrifty, last=True)

    allowed = await asyncio.gather(
        *(d.journal.record_step(step(d, run)) for d, run in zip(drivers, runs, strict=True))
    )

    assert sorted(len(each) for each in allowed) == [0, 1]
    for run, each in zip(runs, allowed, strict=True):
        if each:
            await drivers[0].journal.record_step(drivers[0].settling(run, each))


async def test_spending_of_another_day_leaves_the_budget_alone(driver):
    spent = []

    def watch(filed, so_far):
        spent.append(so_far.shop)
        decision = Decision(verdict=Verdict.ALLOW, reason="", rule="budget")
        return JudgedProposal(filed=filed, decision=decision, budget_spend=40)

    for days in (0, 0, 1):
        driver.now = NOON + timedelta(days=days)
        run = await driver.begin()
        filed = proposed(run, 2)
        filing = AgentOutput(filed=filed, events=())
        step = driver.step(run, filing=filing, pending=filed, judge=watch)
        await driver.journal.record_step(
            driver.settling(run, await driver.journal.record_step(step))
        )

    assert spent == [0, 40, 80, 120, 0, 40]


async def test_a_failed_run_pauses_and_goes_on_as_a_new_attempt(driver):
    run = await driver.begin()
    due = NOON + timedelta(seconds=2)
    failure = RunFailure(run=run, attempt=1, error="no luck", retry_at=due, now=NOON)

    assert await driver.journal.fail(failure) is RunStatus.RETRYING
    glance = await driver.journal.snapshot("store", NOON)
    assert (glance.retries_due, glance.next_retry, glance.running) == (False, due, ())
    assert await driver.journal.requeue_due_retries(NOON) == 0
    assert (await driver.journal.snapshot("store", due)).retries_due
    assert await driver.journal.requeue_due_retries(due) == 1
    assert await driver.journal.requeue_due_retries(due) == 0
    assert (await driver.journal.snapshot("store", due)).running == ((run, 2),)
    assert (await driver.journal.run(run)).error == "no luck"


async def test_a_batch_that_fails_for_good_is_split_and_the_poison_parked(driver):
    await driver.publish(low("a"), low("poison"))
    [batch] = await driver.take(claim_spec(batch=5))
    final = RunFailure(run=batch, attempt=1, error="poison", retry_at=None, now=NOON)

    assert await driver.journal.fail(final) is RunStatus.RETRYING_INDIVIDUALLY
    alone = await driver.take(claim_spec(batch=5, batch_window=timedelta(hours=1), concurrency=5))
    assert [await skus(driver, run) for run in alone] == [["a"], ["poison"]]
    await driver.done(alone[0])
    parked = RunFailure(run=alone[1], attempt=1, error="poison", retry_at=None, now=NOON)
    assert await driver.journal.fail(parked) is RunStatus.FAILED

    found = await driver.journal.runs(page=1, per_page=9, agent=CLERK, status=RunStatus.FAILED)
    assert [(run.id, run.error) for run in found.items] == [(alone[1], "poison")]


async def test_a_batch_that_proposed_is_never_split(driver):
    await driver.publish(low("a"), low("b"))
    [batch] = await driver.take(claim_spec(batch=5))
    allowed = await driver.journal.record_step(driver.filing(batch, Verdict.ALLOW))
    final = RunFailure(run=batch, attempt=1, error="later", retry_at=None, now=NOON)

    assert await driver.journal.fail(final) is RunStatus.FAILED

    assert await driver.take(claim_spec(batch=5)) == ()
    await driver.journal.record_step(driver.settling(batch, allowed))


async def test_who_takes_over_begins_a_new_attempt_of_what_is_under_way(driver):
    under_way = await driver.begin("a")
    ended = await driver.begin("b")
    await driver.done(ended)

    assert await driver.journal.reclaim_runs() == 1

    assert [(await driver.journal.run(r)).attempt for r in (under_way, ended)] == [2, 1]


async def test_an_unknown_run_or_proposal_is_not_found(driver):
    for look in (driver.journal.run, driver.journal.story, driver.journal.approval):
        with pytest.raises(NotFound, match="nothing"):
            await look("nothing")
    assert await driver.journal.filed("nothing", 0, 10) == []
    assert await driver.journal.count_results([]) == {
        "proposals": 0,
        "applied": 0,
        "asked": 0,
        "denied": 0,
        "refused": 0,
    }


async def test_runs_and_stories_are_read_in_pages_newest_first(driver):
    runs = []
    for n in range(3):
        driver.now = NOON + timedelta(minutes=n)
        runs.append(await driver.begin(f"s{n}"))
        await driver.done(runs[-1], 2)

    page = await driver.journal.runs(page=2, per_page=2)
    assert ([run.id for run in page.items], page.total) == (runs[:1], 3)
    stories = await driver.journal.proposals(page=1, per_page=3)
    assert [s.filed.id for s in stories.items] == [f"{runs[2]}/0", f"{runs[2]}/1", f"{runs[1]}/0"]
    of_one = await driver.journal.proposals(page=1, per_page=9, run=runs[0])
    assert (of_one.total, of_one.items[0].outcome.applied) == (2, True)


async def test_a_glance_tells_of_everything_there_is_to_do(driver):
    quiet = await driver.journal.snapshot("store", NOON)
    assert (quiet.paused, quiet.waiting, quiet.next_expiry) == (False, False, None)

    await driver.asked("a")
    run = await driver.begin("b")
    await driver.journal.publish([driver.envelope()], clerk_wakes)
    busy = await driver.journal.snapshot("store", NOON)

    assert (busy.waiting, busy.running) == (True, ((run, 1),))
    assert busy.next_expiry == NOON + timedelta(hours=72)
    asked = await driver.journal.approvals(page=1, per_page=9)
    assert [a.status for a in asked.items] == [ApprovalStatus.WAITING]
