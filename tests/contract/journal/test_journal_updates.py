"""What those who watch are told: every change once, numbered in order, replayed from anywhere."""

import asyncio

import pytest
from journal_driver import CLERK, NOON, answer, low

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.control.updates import Topic
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import updates


@pytest.fixture
async def told(driver):
    """Return what was told since a position, as (topic, body)."""

    async def since(seq: int = 0):
        found = await driver.journal.updates(seq)
        return [(update.topic, dict(update.body)) for update in found]

    return since


async def test_new_facts_are_told_and_repeated_ones_are_not(driver, told):
    envelopes = [driver.envelope(low(), id="one"), driver.envelope(low("cup"), id="two")]
    await driver.journal.publish(envelopes, lambda _event: ())
    await driver.journal.publish(envelopes, lambda _event: ())

    events = [
        {"seq": 1, "type": "StockRanLow", "subject": "product:mug"},
        {"seq": 2, "type": "StockRanLow", "subject": "product:cup"},
    ]
    assert await told() == [(Topic.EVENT, {"events": events, "count": 2})]


async def test_a_run_is_told_when_it_begins_and_when_it_ends(driver, told):
    run = await driver.begin()
    began = await driver.journal.newest_update()
    await driver.done(run)
    failing = await driver.begin("cup")
    failure = RunFailure(run=failing, attempt=1, error="no", retry_at=None, now=NOON)
    await driver.journal.fail(failure)

    later = [(topic, body) for topic, body in await told(began) if topic is Topic.RUN]
    assert (await told())[began - 1] == (
        Topic.RUN,
        {"runs": [{"id": run, "status": "running"}], "count": 1},
    )
    assert [body["runs"] for _, body in later] == [
        [{"id": run, "status": "done"}],
        [{"id": failing, "status": "running"}],
        [{"id": failing, "status": "failed", "error": "no"}],
    ]


async def test_questions_are_told_when_asked_and_when_closed(driver, told):
    first = await driver.asked("mug")
    second = await driver.asked("mug", "it sells out")
    await driver.journal.decide(answer(second, ApprovalStatus.REJECTED))

    bodies = [body["approvals"] for topic, body in await told() if topic is Topic.APPROVAL]
    assert bodies == [
        [{"proposal_id": first, "status": "waiting"}],
        [{"proposal_id": first, "status": "superseded"}],
        [{"proposal_id": second, "status": "waiting"}],
        [{"proposal_id": second, "status": "rejected"}],
    ]


async def test_only_the_topics_asked_for_are_told(driver):
    await driver.done(await driver.begin())
    await driver.journal.set_paused(True, by="owner", now=NOON)

    [update] = await driver.journal.updates(0, topics=[Topic.CREW])

    assert (update.topic, update.body, update.at) == (Topic.CREW, {"paused": True}, NOON)
    assert update.seq == await driver.journal.newest_update()


async def test_many_things_are_named_up_to_a_hundred_and_counted(driver, told):
    envelopes = [driver.envelope(low(str(n))) for n in range(250)]
    await driver.journal.publish(envelopes, lambda _event: ())

    [(_, body)] = await told()
    assert (len(body["events"]), body["count"]) == (100, 250)


async def test_who_asks_for_what_is_gone_hears_so(driver, monkeypatch):
    monkeypatch.setattr(updates, "KEPT", 10)
    monkeypatch.setattr(updates, "_SWEPT_EVERY", 20)
    for n in range(40):
        await driver.journal.publish_update(Topic.SERVICE, {"n": n}, NOON)

    assert await driver.journal.updates(29) is None
    assert [u.body["n"] for u in await driver.journal.updates(30)] == list(range(30, 40))
    assert await driver.journal.updates(40) == []


async def test_a_position_of_the_future_is_not_believed(driver):
    assert await driver.journal.updates(1) is None


async def test_numbers_grow_without_gaps_under_concurrent_writers(driver):
    writers = [
        driver.journal.publish([driver.envelope()], lambda _event: (CLERK,)) for _ in range(30)
    ]
    await asyncio.gather(*writers)
    for _ in range(30):
        await driver.take()

    found = await driver.journal.updates(0)
    assert [update.seq for update in found] == list(range(1, len(found) + 1))
    assert len([u for u in found if u.topic is Topic.EVENT]) == 30


async def test_a_step_that_asks_and_is_repeated_tells_once(driver, told):
    run = await driver.begin()
    step = driver.filing(run, Verdict.ASK)
    await driver.journal.record_step(step)
    before = await driver.journal.newest_update()
    with pytest.raises(Exception, match=run):
        await driver.journal.record_step(step)

    assert await told(before) == []
