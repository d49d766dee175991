"""The house that every test here is given, empty and in memory."""

import pytest
from house import START, House

from storecrew.database import DISPOSABLE
from storecrew.journal import open_journal
from storecrew.stores.simulated.clock import VirtualClock
from storecrew.stores.sql import open_store


@pytest.fixture
async def house():
    clock = VirtualClock(START)
    store = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    journal = open_journal("sqlite://", durability=DISPOSABLE, inline=True)
    yield House(store, journal, clock)
    await store.close()
    await journal.close()
