"""A caller that goes away takes nobody else's writes with it."""

import asyncio
import threading

import pytest
import sqlalchemy as sa

from storecrew.database import Database, connect


@pytest.fixture
async def database(tmp_path):
    database = Database(connect(f"sqlite:///{tmp_path}/x.db"), name="x")
    await database.write(lambda c: c.execute(sa.text("CREATE TABLE t (n INTEGER)")))
    yield database
    await database.close()


def adding(n: int, *, begun: threading.Event | None = None, go: threading.Event | None = None):
    def work(connection):
        if begun and go:
            begun.set()
            assert go.wait(30)
        connection.execute(sa.text("INSERT INTO t VALUES (:n)"), {"n": n})

    return work


async def rows(database) -> list[int]:
    return await database.read(
        lambda c: list(c.execute(sa.text("SELECT n FROM t ORDER BY n")).scalars())
    )


async def test_a_write_that_is_cancelled_under_way_leaves_the_writer_alive(database):
    begun, go = threading.Event(), threading.Event()
    first = asyncio.create_task(database.write(adding(1, begun=begun, go=go)))
    assert await asyncio.to_thread(begun.wait, 30)
    waiting = asyncio.create_task(database.write(adding(2)))
    gone = asyncio.create_task(database.write(adding(3)))
    await asyncio.sleep(0)  # both stand in the queue
    first.cancel()
    gone.cancel()
    await asyncio.gather(first, gone, return_exceptions=True)
    go.set()

    await waiting
    await database.write(adding(4))
    assert await rows(database) == [1, 2, 4]
