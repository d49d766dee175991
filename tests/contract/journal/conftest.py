"""A journal on each database that it promises to work with."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count

import pytest
from journal_desk import Desk

from storecrew.database import Durability
from storecrew.domain.errors import StorageBusy
from storecrew.journal import SqlJournal, open_journal


@dataclass(frozen=True)
class Place:
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
def postgres_place(postgres: str, postgres_schema: str) -> Place:
    return Place(postgres, postgres_schema)


@pytest.fixture
def file_place(tmp_path) -> Place:
    return Place(f"sqlite:///{tmp_path}/registry.db")


SHARED = ["file", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=["memory", *SHARED])
def place(request) -> Place:
    """Every database."""
    if request.param == "memory":
        return Place("sqlite://", inline=True)
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture(params=SHARED)
def shared_place(request) -> Place:
    """The databases that several processes may open at once."""
    return request.getfixturevalue(f"{request.param}_place")


@pytest.fixture
async def desk(place: Place) -> AsyncIterator[Desk]:
    """An empty journal. When the test is done, its books must add up."""
    desk = Desk(place.open())
    yield desk
    wrong = await desk.verify()
    await desk.journal.close()
    assert wrong == []


@pytest.fixture
async def desks(shared_place: Place) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two journals over one database, as two processes would have them."""
    ids = count()
    both = Desk(shared_place.open(), _ids=ids), Desk(shared_place.open(), _ids=ids)
    yield both
    both[0].effects.update(both[1].effects)
    wrong = await both[0].verify()
    for desk in both:
        await desk.journal.close()
    assert wrong == []
