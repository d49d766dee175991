"""What people say: one answer per question, one undo per deed, a stop that stays; forgetting."""

import asyncio
from datetime import timedelta

import pytest
from journal_driver import (
    CLERK,
    NOON,
    answer,
    claim_spec,
    clerk_wakes,
    judge_as,
    low,
    price,
    proposed,
)

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import AlreadyDecided, NotFound, NotPermitted
from storecrew.domain.ports.journal import RunFailure
from storecrew.domain.shop.catalog import SetPrice

LATE = NOON + timedelta(hours=72)


async def execute(driver, proposal):
    """Do what a person said yes to, as its settlement would."""
    run = f"{proposal}/settle"
    [filed] = proposed(proposal.rpartition("/")[0])
    step = driver.step(
        run, pending=(filed,), judge=judge_as(Verdict.ALLOW), last=True, answering=True
    )
    await driver.journal.record_step(driver.settling(run, await driver.journal.record_step(step)))


async def test_a_yes_begins_the_run_that_carries_it_out(driver):
    proposal = await driver.asked()

    run = await driver.journal.decide(answer(proposal, changed=price("12"), note="go"))

    assert run == f"{proposal}/settle"
    begun = await driver.journal.run(run)
    assert (begun.actor, begun.status) == ("person:owner", RunStatus.RUNNING)
    given = await driver.journal.approval(proposal)
    assert (given.status, given.decided_by, given.note) == ("approved", "owner", "go")
    assert (given.changed, given.decided_at) == (price("12"), NOON)
    await execute(driver, proposal)
    story = await driver.journal.story(proposal)
    assert (story.decision.verdict, story.outcome.key) == (Verdict.ALLOW, proposal)


async def test_a_no_is_audited_and_begins_nothing(driver):
    proposal = await driver.asked()

    said = answer(proposal, ApprovalStatus.REJECTED, note="too dear")
    assert await driver.journal.decide(said) == ""

    [entry] = await driver.audited()
    assert (entry.result, entry.approved_by) == ("rejected", "owner")
    assert entry.reason == "it sells [because] [too dear]"
    assert (await driver.journal.runs(page=1, per_page=9)).total == 1


@pytest.mark.parametrize("first", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
@pytest.mark.parametrize("second", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
async def test_a_second_answer_is_refused(driver, first, second):
    proposal = await driver.asked()
    await driver.journal.decide(answer(proposal, first))

    with pytest.raises(AlreadyDecided, match=f"is {first}, not waiting"):
        await driver.journal.decide(answer(proposal, second, by="somebody"))

    assert (await driver.journal.approval(proposal)).decided_by == "owner"


async def test_of_answers_given_at_once_exactly_one_counts(drivers):
    proposal = await drivers[0].asked()
    people = [(d, f"p{n}") for n, d in enumerate(drivers * 4)]

    answers = await asyncio.gather(
        *(d.journal.decide(answer(proposal, by=name)) for d, name in people),
        return_exceptions=True,
    )

    assert sum(isinstance(a, str) for a in answers) == 1
    assert sum(isinstance(a, AlreadyDecided) for a in answers) == 7
    winner = people[[isinstance(a, str) for a in answers].index(True)][1]
    assert (await drivers[1].journal.approval(proposal)).decided_by == winner


async def test_an_answer_and_its_own_expiry_at_once_leave_one_of_the_two(drivers):
    one, two = drivers
    proposals = [await one.asked(f"s{n}") for n in range(6)]
    in_time = LATE - timedelta(seconds=1)

    said = await asyncio.gather(
        *(one.journal.decide(answer(p, at=in_time)) for p in proposals),
        two.journal.expire(LATE),
        return_exceptions=True,
    )

    yes = sum(isinstance(answered, str) for answered in said[:-1])
    assert yes + said[-1] == 6
    audited = [entry.result for entry in await one.audited()]
    assert audited == ["expired"] * said[-1]


@pytest.mark.parametrize("name", [CLERK, f"agent:{CLERK}"])
async def test_who_proposed_does_not_answer(driver, name):
    proposal = await driver.asked()

    with pytest.raises(NotPermitted, match="decide its own proposal"):
        await driver.journal.decide(answer(proposal, by=name))


async def test_an_answer_after_the_last_moment_is_refused(driver):
    proposal = await driver.asked()

    with pytest.raises(AlreadyDecided, match="is expired"):
        await driver.journal.decide(answer(proposal, at=LATE))

    with pytest.raises(NotFound):
        await driver.journal.decide(answer("clerk@9/0"))


async def test_unanswered_questions_expire_once(driver):
    first = await driver.asked("a")
    driver.now += timedelta(hours=1)
    second = await driver.asked("b")

    assert await driver.journal.expire(LATE - timedelta(seconds=1)) == 0
    assert await driver.journal.expire(LATE) == 1
    assert await driver.journal.expire(LATE) == 0

    assert (await driver.journal.approval(first)).status is ApprovalStatus.EXPIRED
    assert (await driver.journal.approval(second)).status is ApprovalStatus.WAITING
    found = await driver.journal.approvals(status=None, page=1, per_page=9)
    assert [a.filed.id for a in found.items] == [second, first]
    assert [(e.subject, e.result) for e in await driver.audited()] == [(first, "expired")]


async def test_a_question_asked_again_takes_the_place_of_the_one_that_waits(driver):
    first = await driver.asked("mug")
    other = await driver.asked("cup")
    second = await driver.asked("mug", "it sells out")

    waiting = (await driver.journal.approvals(page=1, per_page=9)).items
    assert {a.filed.id for a in waiting} == {other, second}
    with pytest.raises(AlreadyDecided, match="is superseded"):
        await driver.journal.decide(answer(first))
    [entry] = await driver.audited()
    assert (entry.subject, entry.result) == (first, "superseded")


async def test_the_same_question_is_not_asked_again_while_it_waits(driver):
    first = await driver.asked("mug")
    second = await driver.asked("mug")

    [waiting] = (await driver.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id == first
    [entry] = await driver.audited()
    assert (entry.subject, entry.result) == (second, "denied")
    assert "already asked" in entry.reason
    await driver.journal.decide(answer(first, ApprovalStatus.REJECTED))
    assert (
        await driver.journal.approval(await driver.asked("mug"))
    ).status is ApprovalStatus.WAITING


async def test_what_a_person_said_no_to_rests_whatever_speaks_for_it_now(driver):
    rests = timedelta(days=14)
    first = await driver.asked("mug", rejection_cooldown=rests)
    await driver.journal.decide(answer(first, ApprovalStatus.REJECTED, at=driver.now))
    driver.now += timedelta(days=13)
    again = await driver.asked("mug", "it sells even better", rejection_cooldown=rests)
    other = await driver.asked("cup", rejection_cooldown=rests)

    waiting = (await driver.journal.approvals(page=1, per_page=9)).items
    assert [each.filed.id for each in waiting] == [other]
    entry = (await driver.audited())[-1]
    assert (entry.subject, entry.result) == (again, "denied")
    assert f"owner said no to {first} on 2026-" in entry.reason

    driver.now += timedelta(days=2)
    late = await driver.asked("mug", rejection_cooldown=rests)
    assert (await driver.journal.approval(late)).status is ApprovalStatus.WAITING


@pytest.mark.parametrize("status", [ApprovalStatus.APPROVED, ApprovalStatus.EXPIRED])
async def test_only_a_no_lets_a_question_rest(driver, status):
    rests = timedelta(days=14)
    first = await driver.asked("mug", rejection_cooldown=rests)
    if status is ApprovalStatus.APPROVED:
        await driver.journal.decide(answer(first, at=driver.now))
    else:
        await driver.journal.expire(LATE)
    again = await driver.asked("mug", rejection_cooldown=rests)

    assert (await driver.journal.approval(again)).status is ApprovalStatus.WAITING


def back() -> Proposal:
    return Proposal(action=price("10"), reason="undo")


async def test_an_undo_is_begun_once_however_many_ask(drivers):
    one = drivers[0]
    run = await one.begin()
    await one.done(run)
    story = await one.journal.story(f"{run}/0")

    begun = await asyncio.gather(
        *(d.journal.begin_undo(story, back(), by="owner", now=NOON) for d in drivers * 3)
    )

    assert set(begun) == {f"undo@{run}/0"}
    undo = await one.journal.run(begun[0])
    assert (undo.agent, undo.actor, undo.proposals) == ("undo", "person:owner", 1)
    [filed] = await one.journal.filed(begun[0], 0, 9)
    assert isinstance(filed.proposal.action, SetPrice)
    step = one.step(begun[0], pending=(filed,), judge=judge_as(Verdict.ALLOW), last=True)
    await one.journal.record_step(one.settling(begun[0], await one.journal.record_step(step)))


async def test_a_stop_holds_until_it_is_lifted_and_both_are_audited(driver):
    assert not await driver.journal.paused()

    for value in (True, True, False, False, True):
        await driver.journal.set_paused(value, by="owner", now=NOON)
        assert await driver.journal.paused() is value

    audited = await driver.audited()
    assert [e.reason for e in audited] == ["pause", "resume", "pause"]
    assert {e.approved_by for e in audited} == {"owner"}


async def test_a_stop_by_many_at_once_is_one_stop(drivers):
    await asyncio.gather(
        *(d.journal.set_paused(True, by=f"p{n}", now=NOON) for n, d in enumerate(drivers * 4))
    )

    assert await drivers[0].journal.paused()
    assert len(await drivers[1].audited()) == 1


# --- forgetting ------------------------------------------------------------------------------


async def days(driver, number):
    """Let one event come, and be handled, on each of so many days."""
    runs = []
    for n in range(number):
        driver.now = NOON + timedelta(days=n)
        runs.append(await driver.begin())
        await driver.done(runs[-1])
    return runs


async def seqs(driver):
    return [
        event.seq for event in reversed((await driver.journal.events(page=1, per_page=99)).items)
    ]


async def test_old_events_are_forgotten_and_what_was_done_is_not(driver):
    runs = await days(driver, 5)

    assert await driver.journal.prune(NOON + timedelta(days=3)) == 3
    assert await driver.journal.prune(NOON + timedelta(days=3)) == 0

    assert await seqs(driver) == [4, 5]
    assert (await driver.journal.runs(page=1, per_page=9)).total == 5
    assert len(await driver.audited()) == 5
    assert (await driver.journal.story(f"{runs[0]}/0")).outcome.applied


async def test_the_newest_event_is_never_forgotten_so_that_no_position_returns(driver):
    await days(driver, 3)

    await driver.journal.prune(NOON + timedelta(days=99))
    [receipt] = await driver.publish(low())

    assert receipt.event_id == 4
    assert await seqs(driver) == [3, 4]
    await driver.take()


async def unheard(driver):
    await driver.journal.publish([driver.envelope()], lambda _event: ("away",))


async def under_way(driver):
    await driver.begin()


async def parked(driver):
    failure = RunFailure(
        run=await driver.begin(), attempt=1, error="x", retry_at=None, now=driver.now
    )
    await driver.journal.fail(failure)


async def to_be_retried(driver):
    failure = RunFailure(
        run=await driver.begin(), attempt=1, error="x", retry_at=LATE, now=driver.now
    )
    await driver.journal.fail(failure)


@pytest.mark.parametrize("needing", [unheard, under_way, parked, to_be_retried])
async def test_an_event_that_is_still_needed_is_kept_with_all_after_it(driver, needing):
    await days(driver, 2)
    driver.now += timedelta(days=1)
    await needing(driver)
    for n in range(3, 6):
        driver.now = NOON + timedelta(days=n)
        await driver.done(await driver.begin(f"s{n}"))

    assert await driver.journal.prune(NOON + timedelta(days=99)) == 2

    assert await seqs(driver) == [3, 4, 5, 6]


async def test_nothing_to_forget_is_no_trouble(driver):
    assert await driver.journal.prune(NOON) == 0


async def test_a_forgotten_tick_stays_known(driver):
    ticks = [NOON + timedelta(days=7 * n) for n in range(2)]
    for driver.now in ticks:
        await driver.journal.publish([driver.tick(driver.now)], clerk_wakes)
        [run] = await driver.take(claim_spec())
        await driver.done(run)
    driver.now += timedelta(days=6)
    await driver.publish(low())
    await driver.done((await driver.take())[0])
    newest = (await driver.journal.last_ticks([CLERK]))[CLERK]

    for _ in range(2):
        await driver.journal.prune(driver.now)

        assert await seqs(driver) == [3]
        assert newest == "clerk@2026-03-09T12:00:00+00:00"
        assert (await driver.journal.last_ticks([CLERK]))[CLERK] == newest

    await driver.journal.publish([driver.tick(driver.now)], clerk_wakes)
    assert (await driver.journal.last_ticks([CLERK]))[CLERK] == "clerk@2026-03-15T12:00:00+00:00"
    await driver.done((await driver.take())[0])
    await driver.publish(low())
    await driver.done((await driver.take())[0])
    driver.now += timedelta(days=1)
    await driver.journal.prune(driver.now)
    assert (await driver.journal.last_ticks([CLERK]))[CLERK] == "clerk@2026-03-15T12:00:00+00:00"
