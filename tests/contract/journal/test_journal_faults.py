"""The database locked, full, damaged, or left in the middle of its migration."""

import asyncio
import contextlib
import importlib
import pkgutil
import sqlite3
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest
import sqlalchemy as sa
from journal_driver import NOON, JournalDriver, answer, claim_spec, clerk_wakes, low
from reflected_schema import described, reflect

import storecrew.journal
from storecrew.database import connect, migrate
from storecrew.domain.control.agents import Worker
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Proposal, Verdict
from storecrew.domain.control.updates import Topic
from storecrew.domain.errors import StorageBusy, StorageDamaged, StorageFull
from storecrew.domain.ports.journal import RunFailure
from storecrew.journal import SqlJournal, open_journal
from storecrew.journal.journal import MIGRATIONS
from storecrew.journal.schema.journal import COUNTED, metadata

LONG = "x" * 100_000
"""Text that fits no page already there: writing it needs space."""
LATER = NOON + timedelta(days=1)


async def prepare_calls(driver: JournalDriver, text: str):
    """Prepare a journal and return, by method, a call that changes it, carrying the text."""
    old = await driver.begin("old")
    await driver.done(old)
    waiting = await driver.asked("asked")
    to_expire = await driver.asked("expiring")
    retried = await driver.begin("retried")
    due = RunFailure(run=retried, attempt=1, error="x", retry_at=NOON, now=NOON)
    await driver.journal.fail(due)
    failing = await driver.begin("failing")
    acting = await driver.begin("acting")
    await driver.journal.publish([driver.envelope(low("fresh"))], lambda _event: (text,))
    story = await driver.journal.story(f"{old}/0")
    back = Proposal(action=story.filed.proposal.action, reason=text)
    j = driver.journal
    fact = driver.envelope(id=text, source="store")
    failure = RunFailure(run=failing, attempt=1, error=text, retry_at=None, now=NOON)
    assert to_expire != waiting
    await j.heartbeat(["gone"], NOON)
    await j.renew_lease(Worker(id="gone", host="here", pid=1, started_at=NOON))
    await j.publish([driver.envelope(low("lost"))], lambda _event: ("lost",))
    await j.claim_runs([claim_spec(agent="lost")], NOON, 1, worker="nobody")
    return {
        "publish": lambda: j.publish([driver.envelope(id=text)], clerk_wakes),
        "relay": lambda: j.relay("store", [(1, fact)], clerk_wakes),
        "claim_runs": lambda: j.claim_runs([claim_spec(agent=text)], NOON, 10),
        "fail": lambda: j.fail(failure),
        "reclaim_runs": j.reclaim_runs,
        "requeue_due_retries": lambda: j.requeue_due_retries(NOON),
        "record_step": lambda: j.record_step(driver.filing(acting, Verdict.ASK, 2, reason=text)),
        "decide": lambda: j.decide(answer(waiting, ApprovalStatus.REJECTED, note=text)),
        "expire": lambda: j.expire(NOON + timedelta(days=99)),
        "begin_undo": lambda: j.begin_undo(story, back, by="owner", now=NOON),
        "set_paused": lambda: j.set_paused(True, by=text, now=NOON),
        "prune": lambda: j.prune(LATER),
        "heartbeat": lambda: j.heartbeat([text], NOON),
        "prune_heartbeats": lambda: j.prune_heartbeats([]),
        "renew_lease": lambda: j.renew_lease(Worker(id=text, host="here", pid=1, started_at=NOON)),
        "release_lease": lambda: j.release_lease("gone"),
        "reclaim_expired": lambda: j.reclaim_expired(timedelta(seconds=5)),
        "publish_update": lambda: j.publish_update(Topic.SERVICE, {"service": text}, NOON),
    }


CHANGING = [
    "publish",
    "relay",
    "claim_runs",
    "fail",
    "reclaim_runs",
    "requeue_due_retries",
    "record_step",
    "decide",
    "expire",
    "begin_undo",
    "set_paused",
    "prune",
    "publish_update",
    "heartbeat",
    "prune_heartbeats",
    "renew_lease",
    "release_lease",
    "reclaim_expired",
]
SHRINKING = {
    "reclaim_runs",
    "requeue_due_retries",
    "expire",
    "prune",
    "prune_heartbeats",
    "release_lease",
    "reclaim_expired",
}
GROWING = [name for name in CHANGING if name not in SHRINKING]


def everything(journal: SqlJournal):
    """Return every row of every table."""
    with journal.database.engine.connect() as connection:
        return {
            name: sorted(map(repr, connection.execute(sa.select(table)).all()))
            for name, table in metadata.tables.items()
        }


@contextlib.contextmanager
def held(location):
    """Hold the database as another process would."""
    if location.url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(location.url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()
        return
    with psycopg.connect(location.url) as other:
        for table in metadata.tables:
            other.execute(f'LOCK TABLE "{location.schema}"."{table}" IN ACCESS EXCLUSIVE MODE')
        yield
        other.rollback()


@pytest.fixture
async def hasty(shared_location):
    """A journal that waits for a lock for a twentieth of a second."""
    driver = JournalDriver(shared_location.open(busy_seconds=0.05))
    yield driver
    assert await driver.verify() == []
    await driver.journal.close()


def test_every_call_that_changes_the_journal_is_tried():
    reading = {
        "approval",
        "approvals",
        "audit",
        "audit_hashes",
        "audit_head",
        "close",
        "registered",
        "events",
        "filed",
        "snapshot",
        "last_ticks",
        "try_acquire_leadership",
        "newest_update",
        "paused",
        "postponed_purchases",
        "proposals",
        "recent_events",
        "budget_spend",
        "run",
        "load_for_execution",
        "runs",
        "story",
        "count_results",
        "trace",
        "updates",
        "verify",
        "workers",
    }
    calls = {name for name in vars(SqlJournal) if name[0] != "_"} - {"database"}
    assert calls == reading | set(CHANGING)


@pytest.mark.parametrize("name", CHANGING)
async def test_a_write_to_a_locked_journal_says_so_and_works_later(hasty, shared_location, name):
    calls = await prepare_calls(hasty, "text")
    before = everything(hasty.journal)

    with held(shared_location), pytest.raises(StorageBusy):
        await calls[name]()

    assert everything(hasty.journal) == before
    await calls[name]()
    assert everything(hasty.journal) != before


@pytest.mark.parametrize("name", GROWING)
async def test_a_write_to_a_full_disk_leaves_nothing_and_works_later(file_location, name):
    driver = JournalDriver(file_location.open())
    calls = await prepare_calls(driver, LONG)
    before = everything(driver.journal)
    room = limit_pages(driver.journal)

    room["pages"] = 1  # SQLite takes it as: no more than there are now
    with pytest.raises(StorageFull):
        await calls[name]()

    assert everything(driver.journal) == before
    room["pages"] = 1_000_000
    await calls[name]()
    assert everything(driver.journal) != before
    assert await driver.verify() == []
    await driver.journal.close()


def limit_pages(journal: SqlJournal) -> dict[str, int]:
    room = {"pages": 1_000_000}

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={room['pages']}")

    sa.event.listen(journal.database.engine, "checkout", limit)
    return room


async def test_a_locked_journal_can_be_read_on_a_file(file_location):
    driver = JournalDriver(file_location.open(busy_seconds=0.05))
    await prepare_calls(driver, "text")

    with held(file_location):
        assert (await driver.journal.snapshot("store", NOON)).waiting
        assert (await driver.journal.runs(page=1, per_page=9)).total == 6
        assert await driver.verify() == []
        again = await asyncio.to_thread(file_location.open, busy_seconds=0.05)

    await again.close()
    await driver.journal.close()


async def test_of_writes_that_share_a_commit_a_wrong_one_fails_alone(file_location):
    driver = JournalDriver(file_location.open())

    def wrong(_connection: object) -> None:
        raise ValueError("wrong")

    answers = await asyncio.gather(
        driver.publish(low("a")),
        driver.journal.database.write(wrong),
        driver.publish(low("b")),
        return_exceptions=True,
    )

    assert [type(a) for a in answers] == [list, ValueError, list]
    assert (await driver.journal.events(page=1, per_page=9)).total == 2
    await driver.take(claim_spec(concurrency=9))
    await driver.journal.close()


async def test_a_closed_journal_opened_again_is_the_same_journal(shared_location):
    first = JournalDriver(shared_location.open())
    proposal = await first.asked()
    await first.journal.set_paused(True, by="owner", now=NOON)
    await first.journal.close()

    second = shared_location.open()

    assert (await second.approval(proposal)).status is ApprovalStatus.WAITING
    assert await second.paused()
    await second.close()


async def test_a_damaged_file_is_told_when_it_is_opened(tmp_path):
    (tmp_path / "registry.db").write_bytes(b"this was a journal once" * 1000)

    with pytest.raises(StorageDamaged, match="restore it from a backup"):
        open_journal(f"sqlite:///{tmp_path}/registry.db")


@pytest.mark.parametrize("point", ["first table", "commit"])
async def test_a_migration_killed_half_way_is_made_again(shared_location, point):
    engine = connect(shared_location.url, schema=shared_location.schema)

    def crash(*_: object) -> None:
        raise KeyboardInterrupt

    def crash_after_a_table(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if "CREATE TABLE key_values" in statement:
            raise KeyboardInterrupt

    if point == "commit":
        sa.event.listen(engine, "commit", crash)
    else:
        sa.event.listen(engine, "after_cursor_execute", crash_after_a_table)
    with pytest.raises(KeyboardInterrupt):
        migrate(engine, MIGRATIONS, name=shared_location.schema)
    engine.dispose()

    driver = JournalDriver(shared_location.open())
    await driver.done(await driver.begin())
    assert await driver.verify() == []
    await driver.journal.close()


CHILD = """
import sys
from storecrew.journal import open_journal
print("ready", flush=True)
sys.stdin.readline()
open_journal(sys.argv[1], schema=sys.argv[2])
"""


async def test_processes_that_start_at_once_migrate_once(shared_location):
    children = [
        subprocess.Popen(  # noqa: ASYNC220 - all children must start before any is waited for
            [sys.executable, "-c", CHILD, shared_location.url, shared_location.schema],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    await asyncio.gather(*(asyncio.to_thread(c.communicate, "go\n") for c in children))

    assert [c.returncode for c in children] == [0] * 3
    journal = shared_location.open()
    versioned = sa.table(f"{shared_location.schema}_version", sa.column("version_num"))
    versions = await journal.database.read(lambda c: c.execute(sa.select(versioned)).all())
    assert len(versions) == 1
    await journal.close()


async def test_migrating_again_changes_nothing(shared_location):
    driver = JournalDriver(shared_location.open())
    await prepare_calls(driver, "text")
    before = everything(driver.journal)

    migrate(driver.journal.database.engine, MIGRATIONS, name=shared_location.schema)

    assert everything(driver.journal) == before
    await driver.journal.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")  # indexes are read as text
async def test_the_migrations_make_the_tables_that_the_statements_know(shared_location):
    for module in pkgutil.iter_modules(storecrew.journal.__path__):
        importlib.import_module(f"storecrew.journal.{module.name}")  # each may have tables
    journal = shared_location.open()

    migrated = await journal.database.read(reflect)

    assert migrated == described(shared_location.url, metadata, COUNTED)
    await journal.close()


@pytest.mark.postgres
async def test_one_process_at_a_time_runs_the_crew_on_one_journal(postgres_location):
    first, second = postgres_location.open(), postgres_location.open()

    try:
        assert await first.try_acquire_leadership()
        assert await first.try_acquire_leadership()
        assert not await second.try_acquire_leadership()
        await first.close()
        assert await second.try_acquire_leadership()
    finally:
        await first.close()
        await second.close()


async def test_on_a_file_the_folders_own_lock_decides_who_leads(file_location):
    journal = file_location.open()

    assert await journal.try_acquire_leadership()
    await journal.close()
