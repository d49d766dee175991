"""The HTTP door over a real ledger in memory."""

from collections.abc import AsyncIterator

import httpx
import pytest
from fake_plane import (
    NO_LIMITS,
    PROPOSAL,
    Door,
    FakePlane,
    FixedClock,
    Place,
    a_question,
    settings_of,
)

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.stores.sql import SqlStore, open_store


@pytest.fixture
async def store() -> AsyncIterator[SqlStore]:
    store = await open_store("sqlite://", clock=FixedClock(), currency="EUR", inline=True)
    for name in ("Product A", "Product B"):
        await store.apply(
            UpsertProduct(sku=name, name=name, price=Money.of("10.00", "EUR")), key=f"test/{name}"
        )
    levels = tuple(StockCount(sku=name, on_hand=100) for name in ("Product A", "Product B"))
    await store.apply(SetStock(levels=levels), key="test/levels")
    yield store
    await store.close()


@pytest.fixture
async def door(store: SqlStore) -> AsyncIterator[Door]:
    plane = FakePlane(settings_of(**NO_LIMITS), store)
    plane.journal.questions[PROPOSAL] = a_question()
    await plane.crew.health.heartbeat(list(plane.agents), plane.clock.now())
    door = Door(plane)
    yield door
    for client in door.clients:
        await client.aclose()
    await plane.close()


@pytest.fixture
def client(door: Door) -> httpx.AsyncClient:
    return door.client()


@pytest.fixture
def place(client: httpx.AsyncClient) -> Place:
    async def place(text: str = "Product A:2", **headers: str) -> httpx.Response:
        return await client.post("/api/orders", json={"text": text}, headers=headers)

    return place
