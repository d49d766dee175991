"""Any id of a chain leads to all of it: the fact, the runs, the proposals, the effects."""

import pytest
from journal_driver import CLERK, NOON, answer, low

from storecrew.domain.control.audit import AuditFilter
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import NotFound
from storecrew.domain.ports.journal import AgentOutput


@pytest.fixture
async def told(driver):
    """Return the ids in a trace: facts, runs, proposals, audited subjects."""

    async def told(anything: str):
        found = await driver.journal.trace(anything)
        return {
            "id": found.id,
            "events": [event.seq for event in found.events],
            "runs": [run.id for run in found.runs],
            "proposals": [story.filed.id for story in found.stories],
            "audit": [entry.subject for entry in found.audit],
        }

    return told


async def test_a_fact_its_run_its_proposal_and_its_effect_share_one_trace(driver, told):
    await driver.done(await driver.begin("another"))
    run = await driver.begin()
    await driver.done(run, 2)

    chain = await told("2")
    assert chain == {
        "id": "e2",
        "events": [2],
        "runs": [run],
        "proposals": [f"{run}/0", f"{run}/1"],
        "audit": [f"{run}/0", f"{run}/1"],
    }
    for anything in ("e2", run, f"{run}/0", f"{run}/1"):
        assert await told(anything) == chain


async def test_the_answer_and_the_undo_belong_to_it(driver, told):
    proposal = await driver.asked()
    settling = await driver.journal.decide(answer(proposal))
    story = await driver.journal.story(proposal)
    back = Proposal(action=story.filed.proposal.action, reason="back")
    undoing = await driver.journal.begin_undo(story, back, by="owner", now=NOON)

    chain = await told("e1")
    assert set(chain["runs"]) == {story.filed.run, settling, undoing}
    assert set(chain["proposals"]) == {proposal, f"{undoing}/0"}
    for anything in (proposal, settling, undoing, f"{undoing}/0"):
        assert await told(anything) == chain


async def test_what_an_agent_found_belongs_to_what_woke_it(driver, told):
    run = await driver.begin()
    found = EventEnvelope(
        source=f"agent:{CLERK}", external_id=f"{run}/e0", event=low("cup"), at=NOON, actor=CLERK
    )
    await driver.journal.record_step(
        driver.step(run, filing=AgentOutput(filed=(), events=(found,)), last=True)
    )
    [next_run] = await driver.take()

    chain = await told("e1")
    assert (chain["events"], chain["runs"]) == ([1, 2], [run, next_run])
    assert await told(next_run) == chain
    assert await told("e2") == chain


async def test_a_fact_that_woke_nobody_is_a_trace_of_its_own(driver, told):
    await driver.journal.publish([driver.envelope()], lambda _event: ())
    assert (await told("1"))["runs"] == []


@pytest.mark.parametrize(
    "nothing", ["7", "e7", "nobody@1", "nobody@1/0", "", "e", "9" * 40, "undo@x"]
)
async def test_an_id_that_nothing_bears_is_told(driver, nothing):
    with pytest.raises(NotFound, match="trace"):
        await driver.journal.trace(nothing)


async def test_a_long_run_is_counted_and_listed_in_part(driver):
    run = await driver.begin()
    await driver.done(run, 250)

    found = await driver.journal.trace(run)
    assert (found.proposals, len(found.stories), len(found.audit)) == (250, 100, 100)


async def test_a_subject_has_the_trace_of_all_of_its_events(driver):
    await driver.done(await driver.begin("another"))
    run = await driver.begin()
    await driver.done(run, 2)
    facts = (await driver.journal.events(page=1, per_page=9)).items
    subject = facts[0].event.subject
    found = await driver.journal.trace(subject)
    assert [e.seq for e in found.events] == [
        e.seq for e in reversed(facts) if e.event.subject == subject
    ]
    assert (found.stories, found.proposals, found.audit) == ((), 0, ())  # theirs are about others
    with pytest.raises(NotFound):
        await driver.journal.trace("order:404")


async def test_the_audit_of_an_actor_or_a_subject_is_a_part_of_it(driver):
    run = await driver.begin()
    await driver.done(run, 2)
    everything = (await driver.journal.audit(page=1, per_page=99)).items
    actor = everything[0].actor
    for only, meant in (
        (AuditFilter(actor=actor), [e for e in everything if e.actor == actor]),
        (AuditFilter(actor="person:unknown"), []),
        (AuditFilter(since=NOON), [e for e in everything if e.at >= NOON]),
        (AuditFilter(result="applied"), [e for e in everything if e.result == "applied"]),
        (AuditFilter(subject="product:no such"), []),
    ):
        found = await driver.journal.audit(only=only, page=1, per_page=99)
        assert (list(found.items), found.total) == (meant, len(meant))
