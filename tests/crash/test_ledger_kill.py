"""kill -9 of a process that sells: what it answered is there, and the books add up."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest

from storecrew.domain.shop.orders import OrderStatus
from storecrew.stores.sql import SqlStore, open_store

SELLER = Path(__file__).with_name("ledger_seller.py")
POSTGRES = os.environ.get("STORECREW_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")
_numbers = count()


class Noon:
    def now(self) -> datetime:
        return datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(params=["file", pytest.param("postgres", marks=pytest.mark.postgres)])
def location(request, tmp_path):
    schema = f"test_kill_{os.getpid()}_{next(_numbers)}"
    if request.param == "file":
        yield f"sqlite:///{tmp_path}/orders.db", schema
        return
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError as error:
        pytest.skip(f"no Postgres server at {POSTGRES}: {error}")
    yield POSTGRES, schema
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute("SET client_min_messages TO warning")
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema}" CASCADE')


async def _open(location: tuple[str, str]) -> SqlStore:
    url, schema = location
    return await open_store(url, clock=Noon(), currency="EUR", schema=schema)


def _sell_until(location: tuple[str, str], answers: int, run: str) -> list[dict]:
    """Let a process sell, kill it after so many answers, and return all that it answered."""
    command = [sys.executable, str(SELLER), *location, run]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as seller:
        said = [seller.stdout.readline() for _ in range(answers)]
        seller.kill()
        said += seller.stdout.readlines()
    whole = []
    for line in said:
        with contextlib.suppress(json.JSONDecodeError):  # the last one may be cut off
            whole.append(json.loads(line))
    return whole


async def test_r107_answered_order_survives_kill(location):
    for run in range(4):
        answered = await asyncio.to_thread(_sell_until, location, 10 + 7 * run, f"run{run}")
        store = await _open(location)

        assert len(answered) >= 10 + 7 * run - 1
        for answer in answered:
            outcome = await store.outcome(answer["key"])
            assert outcome is not None
            assert outcome.detail["order_id"] == answer["order_id"]
            moves = await store.order_transitions([answer["order_id"]])
            assert OrderStatus(answer["status"]) in {move.status for move in moves}
        assert list(await store.verify()) == []
        await store.close()
