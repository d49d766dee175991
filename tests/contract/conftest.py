"""The Postgres server that a contract is also kept on."""

import os
from collections.abc import Iterator
from itertools import count

import psycopg
import pytest

POSTGRES = os.environ.get("STORECREW_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
_numbers = count()


@pytest.fixture(scope="session")
def postgres() -> str:
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        pytest.skip(f"no Postgres server at {POSTGRES}: {error}")
    return POSTGRES


@pytest.fixture
def postgres_schema(postgres: str) -> Iterator[str]:
    """The name of a schema of the test's own, gone afterwards."""
    schema = f"test_{os.getpid()}_{next(_numbers)}"
    yield schema
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute("SET client_min_messages TO warning")
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')
