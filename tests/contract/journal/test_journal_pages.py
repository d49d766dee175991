"""The journal's lists, page by page: everything once, in order, with its number told."""

from datetime import timedelta
from functools import partial

import pytest
import sqlalchemy as sa
from journal_driver import CLERK, NOON, JournalDriver, low

from storecrew.database import row_count, row_counts
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.journal.schema.journal import row_counts as counts_table


async def every_page(read, per_page: int) -> list:
    """Return the items of all pages; each page must tell the same total."""
    found, page = [], 1
    while items := (here := await read(page=page, per_page=per_page)).items:
        found += items
        page += 1
    assert here.total == len(found)
    return found


@pytest.mark.parametrize("per_page", [1, 3, 100])
async def test_pages_hold_everything_once_and_in_order(driver, per_page):
    for n in range(3):
        driver.now = NOON + timedelta(minutes=n)
        await driver.done(await driver.begin(f"s{n}"), 3)
    await driver.begin("running")
    await driver.journal.record_step(driver.filing(await driver.begin("asking"), Verdict.ASK, 12))
    journal = driver.journal

    runs = await every_page(journal.runs, per_page)
    assert runs == sorted(runs, key=lambda r: (-r.created_at.timestamp(), r.id))
    for agent in (CLERK, "nobody", None):
        for status in (RunStatus.DONE, RunStatus.RUNNING, RunStatus.FAILED, None):
            found = await every_page(partial(journal.runs, agent=agent, status=status), per_page)
            assert found == [
                r for r in runs if agent in (None, r.agent) and status in (None, r.status)
            ]
    stories = await every_page(journal.proposals, per_page)
    assert len(stories) == 21
    for run in runs:
        of_run = await every_page(partial(journal.proposals, run=run.id), per_page)
        assert of_run == [story for story in stories if story.filed.run == run.id]
    for state in (ApprovalStatus.WAITING, None):
        asked = await every_page(partial(journal.approvals, status=state), per_page)
        assert [int(a.filed.id.rpartition("/")[2]) for a in asked] == list(range(12))
    events = await every_page(journal.events, per_page)
    assert [event.seq for event in events] == [5, 4, 3, 2, 1]
    audited = await every_page(journal.audit, per_page)
    assert [entry.seq for entry in audited] == list(range(len(audited), 0, -1))


async def test_events_that_are_forgotten_count_no_more(driver):
    for sku in "abc":
        await driver.done(await driver.begin(sku))
    driver.now = NOON + timedelta(days=9)
    await driver.publish(low("d"))

    assert await driver.journal.prune(NOON + timedelta(days=1)) == 3
    assert [e.seq for e in await every_page(driver.journal.events, 2)] == [4]


async def test_rows_are_counted_with_each_change_and_not_with_one_that_fails(driver):
    await driver.done(await driver.begin("a"), 2)
    await driver.begin("b")

    def fails(connection):
        connection.execute(sa.text("DELETE FROM outcomes"))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await driver.journal.database.write(fails)

    read = driver.journal.database.read
    assert await read(lambda c: row_counts(c, "runs")) == {"done": 1, "running": 1}
    assert await read(lambda c: row_counts(c, "outcomes")) == {"applied": 2}
    assert await read(lambda c: row_count(c, "proposals")) == 2
    assert await read(lambda c: row_count(c, "runs", part="nobody")) == 0


async def test_a_count_that_is_wrong_is_found(location):
    driver = JournalDriver(location.open())
    wrong = sa.update(counts_table).where(counts_table.c.relation == "runs")
    await driver.begin("a")
    await driver.journal.database.write(lambda c: c.execute(wrong.values(n=counts_table.c.n + 1)))

    [found] = await driver.verify()
    await driver.journal.close()

    assert (found.check, found.subject) == ("row counts", "runs")
    assert found.problem == "2 rows are counted where there are 1 (by 'clerk', 'running')"
