"""The house that every test here is given, empty and on a disk that need not keep it."""

import asyncio
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count

import pytest
from house import START, House

from storecrew.database import DISPOSABLE
from storecrew.journal import open_journal
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import open_store


@pytest.fixture(scope="session")
def foundations(tmp_path_factory):
    """A folder with empty books, their tables made: copying them is faster than making them."""
    folder = tmp_path_factory.mktemp("foundations")

    async def lay():
        async with opened_in(folder):
            pass

    with ThreadPoolExecutor(1) as apart:  # away from the loop that the tests run in
        apart.submit(asyncio.run, lay()).result()
    return folder


@asynccontextmanager
async def opened_in(folder, at=START):
    clock, url = VirtualClock(at), f"sqlite:///{folder}"
    store = await open_store(
        f"{url}/orders.db", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal(f"{url}/registry.db", durability=DISPOSABLE, inline=True)
    yield House(store, journal, clock)
    await store.close()
    await journal.close()


@pytest.fixture
def houses(foundations, tmp_path):
    """Return what opens a house, as often as a test wants one."""
    numbers = count()

    @asynccontextmanager
    async def opened(like=None, at=START):
        """Open a copy of the books in a folder, empty ones where none is given."""
        folder = tmp_path / str(next(numbers))
        shutil.copytree(like or foundations, folder)
        async with opened_in(folder, at) as house:
            house.folder = folder
            yield house

    return opened


@pytest.fixture
async def house(houses):
    async with houses() as made:
        yield made
