"""Responses that the journal keeps under a key, on each database."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from journal_driver import JournalDriver

from storecrew.domain.control.idempotency import StoredResponse
from storecrew.journal.idempotency import SqlIdempotencyStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REPLY = StoredResponse(fingerprint="f", status=201, body='{"a":"\\u0000"}')
OTHER = StoredResponse(fingerprint="g", status=200, body="{}")
KEPT = timedelta(days=2)


@pytest.fixture
def responses(driver: JournalDriver) -> SqlIdempotencyStore:
    return SqlIdempotencyStore(driver.journal.database)


async def test_the_first_response_under_a_key_stays(responses: SqlIdempotencyStore) -> None:
    assert await responses.find("k") is None
    await responses.keep("k", REPLY, NOON)
    await responses.keep("k", OTHER, NOON)
    await responses.keep("l", OTHER, NOON)
    assert await responses.find("k") == REPLY
    assert await responses.find("l") == OTHER
    assert await responses.find("none") is None


async def test_a_response_is_kept_for_two_days(responses: SqlIdempotencyStore) -> None:
    await responses.keep("k", REPLY, NOON)
    await responses.keep("l", OTHER, NOON + KEPT)
    assert await responses.find("k") == REPLY
    await responses.keep("m", OTHER, NOON + KEPT + timedelta(seconds=1))
    assert await responses.find("k") is None
    assert await responses.find("l") == OTHER
    await responses.keep("k", OTHER, NOON + KEPT + timedelta(seconds=2))
    assert await responses.find("k") == OTHER


async def test_of_two_at_once_one_is_kept(responses: SqlIdempotencyStore) -> None:
    await asyncio.gather(*(responses.keep("k", reply, NOON) for reply in (REPLY, OTHER)))
    assert await responses.find("k") in (REPLY, OTHER)
