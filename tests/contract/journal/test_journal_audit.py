"""The audit's chain and the books around it: whatever is tampered with is found."""

import pytest
import sqlalchemy as sa
from journal_driver import NOON, JournalDriver

from storecrew.domain.control.proposals import Verdict
from storecrew.journal.schema.journal import (
    approvals,
    audit,
    decisions,
    events,
    outcomes,
    runs,
)


@pytest.fixture
async def told(location):
    """A journal with a story of five audited proposals; what is done to it is not undone."""
    driver = JournalDriver(location.open())
    for n in range(5):
        await driver.done(await driver.begin(f"s{n}"))
    assert await driver.verify() == []
    yield driver
    await driver.journal.close()


async def tamper(driver, *statements):
    def do(connection):
        for statement in statements:
            connection.execute(statement)

    await driver.journal.database.write(do)


async def problems(driver):
    return [(d.check, d.subject, d.problem) for d in await driver.verify()]


EDITS = {
    "at": "2026-03-02T12:00:00.000001+00:00",
    "kind": "change",
    "subject": "someone@else/0",
    "actor": "agent:other",
    "action": "{}",
    "result": "denied",
    "reason": "no reason",
    "before": '{"price":1}',
    "after": '{"price":2}',
    "policy_version": "other",
    "approved_by": "nobody",
    "previous_hash": "0" * 63 + "1",
    "hash": "f" * 64,
}


def test_every_field_of_the_audit_is_tried():
    assert EDITS.keys() == {column.name for column in audit.c} - {"seq"}


@pytest.mark.parametrize("field", EDITS)
async def test_an_edited_row_is_found(told, field):
    await tamper(told, sa.update(audit).where(audit.c.seq == 3).values({field: EDITS[field]}))

    assert ("audit", "audit row 3", "its hash does not match") in await problems(told)


@pytest.mark.parametrize("seq", [1, 3, 4])
async def test_a_removed_row_is_found(told, seq):
    await tamper(told, sa.delete(audit).where(audit.c.seq == seq))

    found = ("audit", f"audit row {seq + 1}", f"row {seq} is missing")
    assert found in await problems(told)


async def test_rows_cut_out_of_the_middle_are_found(told):
    await tamper(told, sa.delete(audit).where(audit.c.seq.in_([2, 3, 4])))

    assert ("audit", "audit row 5", "row 2 is missing") in await problems(told)


async def test_rows_cut_out_and_numbered_anew_are_found(told):
    await tamper(
        told,
        sa.delete(audit).where(audit.c.seq == 2),
        *(sa.update(audit).where(audit.c.seq == n).values(seq=n - 1) for n in (3, 4, 5)),
    )

    assert ("audit", "audit row 2", "its hash does not match") in await problems(told)


async def test_a_row_put_elsewhere_is_found(told):
    moves = [(2, 99), (3, 2), (99, 3)]
    await tamper(
        told, *(sa.update(audit).where(audit.c.seq == old).values(seq=new) for old, new in moves)
    )

    assert ("audit", "audit row 2", "its hash does not match") in await problems(told)


async def test_a_row_cut_off_the_end_is_missed_by_its_proposal(told):
    await tamper(told, sa.delete(audit).where(audit.c.seq == 5))

    assert [problem for _, _, problem in await problems(told)] == [
        "neither audited, waiting nor under way",
        "its outcome was not audited",
    ]


async def test_a_refusal_cut_off_the_end_is_missed_too(told):
    run = await told.begin()
    await told.journal.record_step(told.filing(run, Verdict.DENY))
    assert await told.verify() == []
    await tamper(told, sa.delete(audit).where(audit.c.seq == 6))

    assert await problems(told) == [
        ("proposals", f"{run}/0", "neither audited, waiting nor under way")
    ]


async def first(told):
    return (await told.audited())[0].subject


async def test_an_outcome_that_vanished_is_found(told):
    subject = await first(told)
    await tamper(told, sa.delete(outcomes).where(outcomes.c.proposal_id == subject))

    assert ("audit", subject, "audited, but has no outcome") in await problems(told)
    assert ("runs", subject, "allowed, but its run ended first") in await problems(told)


async def test_an_outcome_that_the_store_does_not_know_is_found(told):
    subject = await first(told)
    told.effects.remove(subject)

    assert await problems(told) == [("effects", subject, "said to be applied, but is not")]


async def test_an_effect_without_permission_is_found(told):
    proposal = await told.asked()
    assert await told.verify() == []
    told.effects.add(proposal)

    assert await problems(told) == [("effects", proposal, "done without permission")]


async def test_an_effect_whose_answer_was_lost_is_not_held_against_anybody(told):
    run = await told.begin()
    [allowed] = await told.journal.record_step(told.filing(run, Verdict.ALLOW))
    told.effects.add(allowed.filed.id)

    assert await told.verify() == []


async def test_a_question_that_vanished_is_found(told):
    proposal = await told.asked()
    await tamper(told, sa.delete(approvals).where(approvals.c.proposal_id == proposal))

    assert await problems(told) == [
        ("proposals", proposal, "neither audited, waiting nor under way")
    ]


async def test_a_run_that_vanished_is_found(told):
    await told.journal.publish([told.envelope()], lambda _event: ("clerk",))
    [run] = await told.take()
    await tamper(told, sa.delete(runs).where(runs.c.id == run))

    assert await problems(told) == [("runs", run, "events wait for it, but it is gone")]


async def test_an_event_that_vanished_is_found(told):
    await told.journal.publish(
        [told.envelope(), told.envelope(), told.envelope()], lambda _event: ()
    )
    await tamper(told, sa.delete(events).where(events.c.seq == 7))

    assert await problems(told) == [("events", "events", "positions are missing")]


async def test_a_verdict_that_was_turned_round_is_found(told):
    subject = await first(told)
    await tamper(
        told,
        sa.update(decisions).where(decisions.c.proposal_id == subject).values(verdict=2),
        sa.delete(outcomes).where(outcomes.c.proposal_id == subject),
    )

    assert ("effects", subject, "done without permission") in await problems(told)


async def test_each_row_names_the_hash_of_the_one_before(told):
    await told.journal.set_paused(True, by="owner", now=NOON)
    entries = await told.audited()

    assert [e.seq for e in entries] == list(range(1, 7))
    assert entries[0].previous_hash == "0" * 64
    assert [e.previous_hash for e in entries[1:]] == [e.hash for e in entries[:-1]]
