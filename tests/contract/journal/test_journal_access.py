"""Keys, people, sessions and counts, on each database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from journal_driver import JournalDriver

from storecrew.domain.control.access import ApiKey, DeniedAttempt, NameTaken, Role, User
from storecrew.domain.control.agents import Budget, BusinessDay
from storecrew.domain.errors import NotFound
from storecrew.journal.access import SqlCredentialRepository
from storecrew.journal.counts import count_journal

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def book(driver: JournalDriver) -> SqlCredentialRepository:
    return SqlCredentialRepository(driver.journal.database)


def key(name: str, role: Role = Role.VIEWER) -> ApiKey:
    return ApiKey(id=f"id-{name}", name=name, role=role, created_at=NOW, created_by="person:o")


def user(name: str) -> User:
    return User(name=name, role=Role.OPERATOR, created_at=NOW, created_by="person:o")


async def test_a_key_is_let_in_until_it_is_revoked(book: SqlCredentialRepository) -> None:
    assert not (await book.load_credentials(NOW)).closed
    await book.add_key(key("a"), "digest-a")
    await book.add_key(key("b", Role.ADMIN), "digest-b")
    found = await book.load_credentials(NOW)
    assert found.closed
    assert found.keys["digest-b"].role is Role.ADMIN
    assert found.keys["digest-a"].actor == "person:a"
    later = NOW + timedelta(minutes=1)
    await book.revoke_key("a", by="person:o", now=later)
    found = await book.load_credentials(NOW)
    assert found.keys.keys() == {"digest-b"}
    listed = await book.keys()
    assert [(k.name, k.revoked_at, k.revoked_by) for k in listed] == [
        ("a", later, "person:o"),
        ("b", None, ""),
    ]
    with pytest.raises(NotFound):
        await book.revoke_key("a", by="person:o", now=later)
    with pytest.raises(NameTaken):
        await book.add_key(key("A"), "digest-c")


async def test_a_session_lasts_until_its_end_or_the_persons(book: SqlCredentialRepository) -> None:
    await book.add_user(user("anna"), "hash")
    assert await book.password_hash("anna") == "hash"
    assert await book.password_hash("nobody") is None
    ends = NOW + timedelta(hours=1)
    assert await book.begin_session("anna", "s1", now=NOW, ends_at=ends) is Role.OPERATOR
    await book.begin_session("anna", "s2", now=NOW, ends_at=ends)
    with pytest.raises(NotFound):
        await book.begin_session("nobody", "s3", now=NOW, ends_at=ends)
    found = await book.load_credentials(NOW)
    assert found.sessions.keys() == {"s1", "s2"}
    assert (await book.load_credentials(ends)).sessions == {}
    await book.end_session("s1", now=NOW)
    await book.end_session("none", now=NOW)
    assert (await book.load_credentials(NOW)).sessions.keys() == {"s2"}
    await book.remove_user("anna", by="person:o", now=NOW)
    assert (await book.load_credentials(NOW)).sessions == {}
    assert await book.users() == []
    with pytest.raises(NotFound):
        await book.remove_user("anna", by="person:o", now=NOW)


async def test_r041_every_change_is_audited_with_its_actor(
    driver: JournalDriver, book: SqlCredentialRepository
) -> None:
    await book.add_key(key("a"), "digest-a")
    await book.add_user(user("anna"), "hash")
    await book.begin_session("anna", "s", now=NOW, ends_at=NOW + timedelta(hours=1))
    await book.end_session("s", now=NOW)
    await book.remove_user("anna", by="person:o", now=NOW)
    await book.revoke_key("a", by="person:b", now=NOW)
    refusal = DeniedAttempt(
        kind="unauthorized", actor="address:192.0.2.7", what="GET /x", reason="no key", count=3
    )
    await book.record_denied_attempts([refusal, refusal], NOW)
    rows = [entry for entry in await driver.audited() if entry.kind == "access"]
    assert [(entry.action["type"], entry.actor) for entry in rows] == [
        ("add_key", "person:o"),
        ("add_user", "person:o"),
        ("log_in", "person:anna"),
        ("log_out", "person:anna"),
        ("remove_user", "person:o"),
        ("revoke_key", "person:b"),
        ("unauthorized", "address:192.0.2.7"),
        ("unauthorized", "address:192.0.2.7"),
    ]
    assert rows[-1].result == "refused"
    assert rows[-1].action["count"] == 3


async def test_of_two_who_take_a_name_at_once_one_gets_it(book: SqlCredentialRepository) -> None:
    proposed = (book.add_key(key(name), f"digest-{name}") for name in ("anna", "Anna", "ANNA"))
    said = await asyncio.gather(*proposed, return_exceptions=True)
    assert sorted(type(each).__name__ for each in said) == ["NameTaken", "NameTaken", "NoneType"]
    assert len((await book.load_credentials(NOW)).keys) == 1


async def test_figures_count_what_is_there(driver: JournalDriver) -> None:
    for n in range(3):
        await driver.done(await driver.begin(f"s{n}"))
    await driver.asked()
    budgets = {"clerk": Budget(runs=5)}
    day = BusinessDay.of(NOW, "UTC")
    found = await driver.journal.database.read(lambda c: count_journal(c, budgets, day))
    assert found.events >= 4
    assert found.audited == len(await driver.audited())
    assert sum(found.runs.values()) == 4
    assert found.approvals == {"waiting": 1}
    assert found.outcomes == {"applied": 3}
    assert found.budgets["clerk"].budget.runs == 5


async def test_r006_a_database_proves_that_it_takes_writes(driver: JournalDriver) -> None:
    database = driver.journal.database
    commits: list[str] = []
    database.fault_hook = commits.append
    for _ in range(3):
        await database.check_writable()
    assert commits.count("committed") == 1  # believed for a while
