"""The shop's books alone: what a command needs that wakes no agent, in a fraction of the time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from storecrew.app.clocks import SystemClock
from storecrew.app.database_urls import database_url
from storecrew.app.settings import Settings
from storecrew.app.shop_folder import make_folder
from storecrew.domain.ports.clock import Clock
from storecrew.stores.sql import SqlStore, open_store


@dataclass(frozen=True, kw_only=True)
class ShopBooks:
    """The store, with the settings and the clock that belong to it."""

    settings: Settings
    clock: Clock
    store: SqlStore


@asynccontextmanager
async def open_books(settings: Settings) -> AsyncIterator[ShopBooks]:
    """Open the store and nothing else, beside whatever runs on it."""
    make_folder(settings.data_dir)
    clock = SystemClock()
    url = database_url(settings, "orders.db")
    store = await open_store(url, clock=clock, currency=settings.store.currency)
    try:
        yield ShopBooks(settings=settings, clock=clock, store=store)
    finally:
        await store.close()
