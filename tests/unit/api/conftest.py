"""The HTTP API over a shop of two products, its databases in memory."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from in_memory_api import CREW, Api, Place, open_api

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.stores.sql import SqlStore


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path, *CREW) as api:
        await stock(api.plane.store)
        yield api


async def stock(store: SqlStore) -> None:
    """Put a hundred units of two products on the shelf."""
    for name in ("Product A", "Product B"):
        price = Money.of("10.00", "EUR")
        await store.apply(UpsertProduct(sku=name, name=name, price=price), key=f"test/{name}")
    levels = tuple(StockCount(sku=name, on_hand=100) for name in ("Product A", "Product B"))
    await store.apply(SetStock(levels=levels), key="test/levels")


@pytest.fixture
def store(api: Api) -> SqlStore:
    return api.plane.store


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api.client()


@pytest.fixture
def place(client: httpx.AsyncClient) -> Place:
    async def place(text: str = "Product A:2", **headers: str) -> httpx.Response:
        return await client.post("/api/orders", json={"text": text}, headers=headers)

    return place
