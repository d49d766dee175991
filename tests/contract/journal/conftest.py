"""A journal on each database that it promises to work with."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
from journal_driver import JournalDriver

from storecrew.database import Durability
from storecrew.domain.errors import StorageBusy
from storecrew.journal import SqlJournal, open_journal


@dataclass(frozen=True)
class Location:
    """Where a test's journal lives; it may be opened more than once, but not in memory."""

    url: str
    schema: str = "journal"
    inline: bool = False

    def open(self, *, busy_seconds: float = 10.0) -> SqlJournal:
        for _ in range(20):  # a hasty one may meet another test's migration
            with contextlib.suppress(StorageBusy):
                return open_journal(
                    self.url,
                    durability=Durability(synchronous="OFF", busy_seconds=busy_seconds),
                    inline=self.inline,
                    schema=self.schema,
                )
        raise AssertionError("another test migrates for ever")


@pytest.fixture
def postgres_location(postgres: str, postgres_schema: str) -> Location:
    return Location(postgres, postgres_schema)


@pytest.fixture
def file_location(tmp_path) -> Location:
    return Location(f"sqlite:///{tmp_path}/registry.db")


SHARED = ["file", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=["memory", *SHARED])
def location(request) -> Location:
    """Every database."""
    if request.param == "memory":
        return Location("sqlite://", inline=True)
    return request.getfixturevalue(f"{request.param}_location")


@pytest.fixture(params=SHARED)
def shared_location(request) -> Location:
    """The databases that several processes may open at once."""
    return request.getfixturevalue(f"{request.param}_location")


@pytest.fixture
async def driver(location: Location) -> AsyncIterator[JournalDriver]:
    """An empty journal. When the test is done, its books must add up."""
    driver = JournalDriver(location.open())
    yield driver
    wrong = await driver.verify()
    await driver.journal.close()
    assert wrong == []


@pytest.fixture
async def drivers(shared_location: Location) -> AsyncIterator[tuple[JournalDriver, JournalDriver]]:
    """Two journals over one database, as two processes would have them."""
    ids = count()
    both = (
        JournalDriver(shared_location.open(), _ids=ids),
        JournalDriver(shared_location.open(), _ids=ids),
    )
    yield both
    both[0].effects.update(both[1].effects)
    wrong = await both[0].verify()
    for driver in both:
        await driver.journal.close()
    assert wrong == []
