"""Books that are locked or full: 503, nothing half done, and all is well when that is over."""

import contextlib
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa
from in_memory_api import Api, named, open_api

from storecrew.app import Settings
from storecrew.app.bootstrap import ControlPlane
from storecrew.database import Database, Durability
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import Clock
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.journal import SqlJournal, open_journal
from storecrew.stores.sql import SqlStore, open_store

HASTY = Durability(synchronous="OFF", busy_seconds=0.05)


async def open_on_disk(
    settings: Settings, clock: Clock, stack: AsyncExitStack
) -> tuple[SqlStore, SqlJournal]:
    folder, currency = settings.data_dir, settings.store.currency
    store = await open_store(
        f"sqlite:///{folder}/orders.db", clock=clock, currency=currency, durability=HASTY
    )
    stack.push_async_callback(store.close)
    journal = open_journal(f"sqlite:///{folder}/registry.db", durability=HASTY)
    stack.push_async_callback(journal.close)
    return store, journal


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with open_api(tmp_path, named("pricing"), databases=open_on_disk) as api:
        store = api.plane.store
        levels = (StockCount(sku="Product A", on_hand=100),)
        await store.apply(SetStock(levels=levels), key="levels")
        await store.apply(SetPrice(sku="Product A", price=Money.of(10, "EUR")), key="price")
        yield api
        assert list(await api.plane.verify()) == []


@pytest.fixture
def plane(api: Api) -> ControlPlane:
    return api.plane


@contextlib.contextmanager
def locked(database: Database) -> Iterator[None]:
    """Hold the database as another process would."""
    path = str(database.engine.url.database)
    with contextlib.closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.rollback()


@contextlib.contextmanager
def full(database: Database) -> Iterator[None]:
    """Leave the database no more pages than it has."""

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1")

    def lift(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA max_page_count=1000000")

    sa.event.listen(database.engine, "checkout", limit)
    yield
    sa.event.remove(database.engine, "checkout", limit)
    sa.event.listen(database.engine, "checkout", lift)


async def refused(response: httpx.Response) -> None:
    assert response.status_code == 503
    assert int(response.headers["retry-after"]) > 0
    assert "database" not in response.text


WRITES = {
    "order": ("store", "/api/orders", {"text": "Product A:1"}),
    "event": ("journal", "/api/events", {"event_type": "order_created", "id": "e", "data": {}}),
    "run": ("journal", "/run_agent/pricing", None),
    "pause": ("journal", "/api/orchestrator/pause", None),
}


@pytest.mark.parametrize("name", WRITES)
async def test_a_write_to_locked_books_is_answered_503_and_succeeds_unchanged_later(
    plane: ControlPlane, client: httpx.AsyncClient, name: str
) -> None:
    where, path, body = WRITES[name]
    headers = {"Idempotency-Key": "k"}
    before = await counts(plane)

    with locked(getattr(plane, where).database):
        await refused(await client.post(path, json=body, headers=headers))
        assert (await client.get("/healthz")).status_code == 200

    assert await counts(plane) == before
    again = await client.post(path, json=body, headers=headers)
    assert again.status_code in (200, 201, 202)
    assert await counts(plane) != before


async def test_an_event_on_a_full_disk_is_answered_503_and_recorded_later(
    plane: ControlPlane, client: httpx.AsyncClient
) -> None:
    report = {"event_type": "order_created", "id": "e", "data": {"text": "x" * 100_000}}
    before = await counts(plane)

    with full(plane.journal.database):
        await refused(await client.post("/api/events", json=report))

    assert await counts(plane) == before
    assert (await client.post("/api/events", json=report)).json()["duplicate"] is False


async def test_orders_on_a_full_disk_are_answered_503_and_none_that_was_answered_is_lost(
    plane: ControlPlane, client: httpx.AsyncClient
) -> None:
    body, answered = {"text": "Product A:1"}, 0

    with full(plane.store.database):
        while (last := await client.post("/api/orders", json=body)).status_code == 201:
            answered += 1  # there is room left on pages that the file has
        await refused(last)
        assert (await client.get("/api/orders")).json()["total"] == answered

    assert (await client.post("/api/orders", json=body)).status_code == 201
    assert (await counts(plane))[0] == answered + 1


async def counts(plane: ControlPlane) -> tuple[object, ...]:
    return (
        sum((await plane.store.order_counts()).values()),
        (await plane.journal.events(page=1, per_page=1)).total,
        await plane.journal.paused(),
    )


@pytest.mark.parametrize("name", ["store", "journal"])
async def test_r004_health_is_503_when_a_database_cannot_be_written(
    plane: ControlPlane, client: httpx.AsyncClient, name: str
) -> None:
    database = getattr(plane, name).database
    with locked(database):
        ill = await client.get("/health")
        assert (ill.status_code, ill.json()["status"]) == (503, "degraded")
        checks = {check["name"]: check for check in ill.json()["checks"]}
        assert not checks[name]["ok"]
        assert "locked" in checks[name]["detail"]
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert (await client.get("/healthz")).status_code == 200
    assert {check.name: check.ok for check in await plane.checks()}[name]


async def test_r004_a_full_disk_is_ill_health(
    plane: ControlPlane, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _place: usage._replace(free=1000))
    checks = {check.name: check for check in await plane.checks()}
    assert not checks["disk"].ok
    assert (await client.get("/health")).status_code == 503
