"""A shop on each database that the ledger promises to work with."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from ledger_shop import Clock, Shop

from storecrew.database import Durability
from storecrew.domain.errors import StorageBusy
from storecrew.stores.sql import SqlStore, open_store


@dataclass(frozen=True)
class Location:
    """Where a test's ledger lives; it may be opened more than once, but not in memory."""

    url: str
    schema: str = "store"
    inline: bool = False

    async def open(self, clock: Clock, *, busy_seconds: float = 10.0) -> SqlStore:
        for _ in range(20):  # a hasty one may meet another test's migration
            with contextlib.suppress(StorageBusy):
                return await self._open(clock, busy_seconds)
        raise AssertionError("another test migrates for ever")

    async def _open(self, clock: Clock, busy_seconds: float) -> SqlStore:
        return await open_store(
            self.url,
            clock=clock,
            currency="EUR",
            durability=Durability(synchronous="OFF", busy_seconds=busy_seconds),
            inline=self.inline,
            schema=self.schema,
        )


@pytest.fixture
def postgres_location(postgres: str, postgres_schema: str) -> Location:
    return Location(postgres, postgres_schema)


@pytest.fixture
def file_location(tmp_path) -> Location:
    return Location(f"sqlite:///{tmp_path}/orders.db")


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
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def shop(location: Location, clock: Clock) -> AsyncIterator[Shop]:
    """An empty shop. When the test is done, its books must add up."""
    store = await location.open(clock)
    shop = Shop(store, clock)
    yield shop
    wrong = await store.verify()
    await store.close()
    assert list(wrong) == []
