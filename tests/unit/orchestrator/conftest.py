"""The empty plane that every test here is given; its databases are never synced to disk."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count

import pytest

from storecrew.database import DISPOSABLE
from storecrew.journal import open_journal
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import open_store
from support.in_memory_plane import START, InMemoryPlane


@pytest.fixture(scope="session")
def empty_databases(tmp_path_factory):
    """A folder with empty books, their tables made: copying them is faster than making them."""
    folder = tmp_path_factory.mktemp("empty_databases")

    async def create():
        async with open_plane_in(folder):
            pass

    with ThreadPoolExecutor(1) as apart:  # away from the loop that the tests run in
        apart.submit(asyncio.run, create()).result()
    return folder


@asynccontextmanager
async def open_plane_in(folder, at=START):
    clock, url = VirtualClock(at), f"sqlite:///{folder}"
    store = await open_store(
        f"{url}/orders.db", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal(f"{url}/registry.db", durability=DISPOSABLE, inline=True)
    yield InMemoryPlane(store, journal, clock)
    await store.close()
    await journal.close()


@pytest.fixture
def open_plane_copy(empty_databases, tmp_path):
    """Return a function that opens a plane over a copy of databases."""
    numbers = count()

    @asynccontextmanager
    async def open_copy(like=None, at=START):
        """Open a copy of the books in a folder, empty ones where none is given."""
        folder = tmp_path / str(next(numbers))
        shutil.copytree(like or empty_databases, folder)
        async with open_plane_in(folder, at) as in_memory_plane:
            in_memory_plane.folder = folder
            yield in_memory_plane

    return open_copy


@pytest.fixture
async def in_memory_plane(open_plane_copy):
    async with open_plane_copy() as made:
        yield made
