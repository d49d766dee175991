"""The database locked, full, damaged, or left in the middle of its migration."""

import asyncio
import contextlib
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from ledger_actions import KINDS, prepare_actions
from ledger_shop import Clock, Shop, lines
from reflected_schema import described, reflect

from storecrew.database import connect, migrate
from storecrew.domain.actions import Command
from storecrew.domain.errors import Retryable, StorageBusy, StorageDamaged, StorageFull
from storecrew.domain.shop.inventory import AdjustStock
from storecrew.domain.shop.orders import OrderQuery, PlaceOrder
from storecrew.stores.sql import SqlStore, open_store
from storecrew.stores.sql.schema.columns import METADATA
from storecrew.stores.sql.schema.tables import COUNTED
from storecrew.stores.sql.store import MIGRATIONS

LONG = "x" * 100_000
"""An actor's name that fits no page already there: writing it needs space."""
_ROOMY = Command(key="beside", action=AdjustStock(sku="B", change=1, reason="found"), actor=LONG)
"""Whatever is applied with it needs space."""


@pytest.fixture
async def hasty(shared_location, clock: Clock) -> AsyncIterator[Shop]:
    """A shop that waits for a lock for a twentieth of a second."""
    store = await shared_location.open(clock, busy_seconds=0.05)
    yield Shop(store, clock)
    wrong = await store.verify()
    await store.close()
    assert list(wrong) == []


@contextlib.contextmanager
def _held(location) -> Iterator[None]:
    """Hold the database as another process would."""
    if location.url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(location.url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.rollback()
        return
    with psycopg.connect(location.url) as other:
        for table in METADATA.tables:
            other.execute(f'LOCK TABLE "{location.schema}"."{table}" IN ACCESS EXCLUSIVE MODE')
        yield
        other.rollback()


@pytest.mark.parametrize("kind", KINDS)
async def test_an_action_on_a_locked_ledger_says_so_and_works_later(
    hasty: Shop, shared_location, kind: str
):
    action = (await prepare_actions(hasty))[kind]
    before = await hasty.facts()

    with _held(shared_location), pytest.raises(StorageBusy):
        await hasty.do(action, key="held")

    assert await hasty.facts() == before
    assert await hasty.store.outcome("held") is None
    assert (await hasty.do(action, key="held")).applied


@pytest.mark.parametrize("kind", KINDS)
async def test_an_action_on_a_full_disk_leaves_nothing_and_works_later(
    file_location, clock: Clock, kind: str
):
    store = await file_location.open(clock)
    shop = Shop(store, clock)
    action = (await prepare_actions(shop))[kind]
    before = await shop.facts()
    room = _limit_pages(store)

    room["pages"] = 1  # SQLite takes it as: no more than there are now
    batch = [Command(key="full", action=action, actor=LONG), _ROOMY]
    with pytest.raises(StorageFull):
        await store.apply_batch(batch)

    assert await shop.facts() == before
    assert await store.outcome("full") is None
    room["pages"] = 1_000_000
    assert all(outcome.applied for outcome in await store.apply_batch(batch))
    assert list(await store.verify()) == []
    await store.close()


def _limit_pages(store: SqlStore) -> dict[str, int]:
    room = {"pages": 1_000_000}

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count={room['pages']}")

    sa.event.listen(store.database.engine, "checkout", limit)
    return room


async def test_on_a_full_disk_others_of_the_same_commit_hear_of_it_too(file_location, clock: Clock):
    store = await file_location.open(clock)
    shop = Shop(store, clock)
    await shop.stocked(A=100)
    room = _limit_pages(store)
    room["pages"] = 1

    answers = await asyncio.gather(
        *(shop.do(PlaceOrder(lines=lines(A=1)), key=f"f{n}", actor=LONG) for n in range(10)),
        return_exceptions=True,
    )

    assert {type(answer) for answer in answers} == {StorageFull}
    room["pages"] = 1_000_000
    assert await shop.level("A") == (100, 0)
    await store.close()


READS = {
    "product": lambda s, c: s.product("A"),
    "products": lambda s, c: s.products(),
    "stock": lambda s, c: s.stock(),
    "stock_movements": lambda s, c: s.stock_movements(),
    "order": lambda s, c: s.order(1),
    "orders": lambda s, c: s.orders(OrderQuery()),
    "open_orders": lambda s, c: s.open_orders(),
    "order_counts": lambda s, c: s.order_counts(),
    "order_transitions": lambda s, c: s.order_transitions([1]),
    "daily_sales": lambda s, c: s.daily_sales(c.now().date(), c.now().date()),
    "price_changes": lambda s, c: s.price_changes(c.now()),
    "purchase_orders": lambda s, c: s.purchase_orders(),
    "suppliers": lambda s, c: s.suppliers(),
    "competitor_prices": lambda s, c: s.competitor_prices(),
    "customer": lambda s, c: s.customer("ann"),
    "messages_sent": lambda s, c: s.messages_sent(["ann"], c.now()),
    "outbox": lambda s, c: s.outbox(0),
    "outcome": lambda s, c: s.outcome("k0"),
    "applied_keys": lambda s, c: s.applied_keys(),
    "verify": lambda s, c: s.verify(),
}


@pytest.mark.parametrize("name", READS)
async def test_a_locked_ledger_is_read_or_says_that_it_cannot_be(
    hasty: Shop, shared_location, name: str
):
    await prepare_actions(hasty)
    free = await READS[name](hasty.store, hasty.clock)

    with _held(shared_location):
        try:
            assert await READS[name](hasty.store, hasty.clock) == free
        except Retryable:
            assert not hasty.store.database.is_sqlite  # where readers never wait for a writer

    assert await READS[name](hasty.store, hasty.clock) == free


@pytest.mark.parametrize("name", READS)
async def test_a_full_disk_can_still_be_read(file_location, clock: Clock, name: str):
    store = await file_location.open(clock)
    shop = Shop(store, clock)
    await prepare_actions(shop)
    free = await READS[name](store, clock)
    _limit_pages(store)["pages"] = 1

    assert await READS[name](store, clock) == free
    await store.close()


async def test_a_damaged_file_is_told_when_it_is_opened(tmp_path: Path, clock: Clock):
    (tmp_path / "orders.db").write_bytes(b"this was a ledger once" * 1000)

    with pytest.raises(StorageDamaged):
        await open_store(f"sqlite:///{tmp_path}/orders.db", clock=clock, currency="EUR")


async def test_a_ledger_opened_again_is_the_same_ledger(shared_location, clock: Clock):
    first = await shared_location.open(clock)
    await Shop(first, clock).stocked(A=5)
    await first.close()

    second = await shared_location.open(clock)

    assert (await second.stock(["A"]))[0].on_hand == 5
    await second.close()


async def test_a_migration_killed_half_way_is_made_again(shared_location, clock: Clock):
    engine = connect(shared_location.url, schema=shared_location.schema)

    def crash(_connection: object) -> None:
        raise KeyboardInterrupt

    sa.event.listen(engine, "commit", crash)
    with pytest.raises(KeyboardInterrupt):
        migrate(engine, MIGRATIONS, name=shared_location.schema)
    engine.dispose()

    store = await shared_location.open(clock)
    await Shop(store, clock).stocked(A=5)
    assert list(await store.verify()) == []
    await store.close()


async def test_processes_that_start_at_once_migrate_once(shared_location, clock: Clock):
    child = "import asyncio, sys; from ledger_buyer import buy; "
    child += "asyncio.run(buy(sys.argv[1], sys.argv[2], sys.argv[3], 0))"
    children = [
        subprocess.Popen(  # noqa: ASYNC220 - all children must start before any is waited for
            [sys.executable, "-c", child, shared_location.url, shared_location.schema, str(n)],
            cwd=Path(__file__).parent,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(4)
    ]
    await asyncio.gather(*(asyncio.to_thread(c.communicate, "go\n") for c in children))

    assert [c.returncode for c in children] == [0] * 4
    store = await shared_location.open(clock)
    versioned = f"{shared_location.schema}_version"
    versions = await store.database.read(
        lambda c: c.execute(sa.select(sa.table(versioned, sa.column("version_num")))).all()
    )
    assert len(versions) == 1
    await store.close()


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection")  # indexes are read as text
async def test_the_migrations_make_the_tables_that_the_statements_know(
    shared_location, clock: Clock
):
    store = await shared_location.open(clock)

    migrated = await store.database.read(reflect)

    assert migrated == described(shared_location.url, METADATA, COUNTED)
    await store.close()
