"""What came from outside and was not acted on is counted by reason, on each database."""

import asyncio
from datetime import UTC, datetime, timedelta

from storecrew.journal.skipped_inputs import SqlSkippedInputs

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def test_equal_reasons_are_counted_together_with_the_newest_sample(driver):
    skipped = SqlSkippedInputs(driver.journal.database)
    await skipped.record("mail", "automatic reply", "first", NOON)
    await skipped.record("mail", "automatic reply", "second", NOON + timedelta(hours=1))
    await skipped.record("page", "no price", "third", NOON)

    found = {(each.source, each.reason): each for each in await skipped.counts()}
    assert {key: each.count for key, each in found.items()} == {
        ("mail", "automatic reply"): 2,
        ("page", "no price"): 1,
    }
    newest = found["mail", "automatic reply"]
    assert (newest.sample, newest.last_at) == ("second", NOON + timedelta(hours=1))
    assert [each.source for each in await skipped.counts("page")] == ["page"]


async def test_counts_taken_at_once_are_all_counted(driver):
    skipped = SqlSkippedInputs(driver.journal.database)
    await asyncio.gather(*(skipped.record("mail", "x", str(n), NOON) for n in range(20)))
    (found,) = await skipped.counts()
    assert found.count == 20


async def test_a_sample_is_one_short_line_whatever_it_was(driver):
    skipped = SqlSkippedInputs(driver.journal.database)
    await skipped.record("mail", "x", "a\nb\x00\x1b[2J\ud83d" + "c" * 10_000, NOON)
    (found,) = await skipped.counts()
    assert found.sample.startswith("a b[2Jccc")
    assert len(found.sample) == 300


async def test_an_incident_of_the_plane_is_open_once_and_ends(driver):
    from storecrew.domain.control.incidents import IncidentKind, OpenIncident
    from storecrew.journal.incidents import SqlIncidentRepository

    incidents = SqlIncidentRepository(driver.journal.database)
    action = OpenIncident(
        incident="mail/mailbox",
        title="the mailbox is not read",
        cause="",
        observed="5 looks in a row failed",
        expected="",
        kind=IncidentKind.INPUT,
    )
    assert await incidents.report_incident(action, now=NOON)
    assert not await incidents.report_incident(action, now=NOON + timedelta(hours=1))
    assert [each.id for each in await incidents.unnotified()] == ["mail/mailbox"]

    end = NOON + timedelta(hours=2)
    assert await incidents.resolve_incident("mail/mailbox", reason="it is read again", now=end)
    assert not await incidents.resolve_incident("mail/mailbox", reason="again", now=end)
    assert not await incidents.resolve_incident("mail/other", reason="never was", now=end)
    assert (await incidents.incident("mail/mailbox")).status == "closed"
    assert await incidents.report_incident(action, now=NOON + timedelta(hours=3))
    assert await driver.journal.verify([]) == []
