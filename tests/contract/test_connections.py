"""Connections to a Postgres server that ends some of them."""

import pytest
import sqlalchemy as sa

from storecrew.database import Database, connect, engine as engines
from storecrew.domain.errors import Retryable

_ME = sa.text("SELECT pg_backend_pid()")
_END = sa.text("SELECT pg_terminate_backend(:pid, 10000)")


@pytest.fixture
async def database(postgres):
    database = Database(connect(postgres, pool_size=1), name="x")
    yield database
    await database.close()


async def ended_by_the_server(database, postgres) -> int:
    """End the only connection of the database, and return which it was."""
    pid = await database.read(lambda c: c.execute(_ME).scalar_one())
    other = connect(postgres)
    with other.begin() as connection:
        assert connection.execute(_END, {"pid": pid}).scalar_one()
    other.dispose()
    return pid


async def test_a_connection_that_rested_is_replaced_before_it_is_used(
    database, postgres, monkeypatch
):
    monkeypatch.setattr(engines, "_IDLE_SECONDS", 0.0)
    pid = await ended_by_the_server(database, postgres)

    assert await database.read(lambda c: c.execute(_ME).scalar_one()) != pid


async def test_one_that_did_not_fails_once_and_is_tried_again_later(
    database, postgres, monkeypatch
):
    monkeypatch.setattr(engines, "_IDLE_SECONDS", 3600.0)
    pid = await ended_by_the_server(database, postgres)

    with pytest.raises(Retryable):
        await database.read(lambda c: c.execute(_ME).scalar_one())
    assert await database.read(lambda c: c.execute(_ME).scalar_one()) != pid


async def test_reads_see_one_moment_and_change_nothing(database):
    with pytest.raises(Exception, match="read-only"):
        await database.read(lambda c: c.execute(sa.text("CREATE TABLE nothing (n INTEGER)")))

    level = sa.text("SHOW transaction_isolation")
    assert await database.read(lambda c: c.execute(level).scalar_one()) == "repeatable read"
    assert await database.write(lambda c: c.execute(level).scalar_one()) == "read committed"
