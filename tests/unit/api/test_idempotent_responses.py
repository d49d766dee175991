"""Responses under an Idempotency-Key, by themselves: once, while under way, and after a restart."""

import asyncio
import logging
from datetime import UTC, datetime

import pytest
from fastapi import Response
from starlette.exceptions import HTTPException

from storecrew.api import idempotency
from storecrew.api.idempotency import MAX_KEY, IdempotentResponses, check_key
from storecrew.domain.control.idempotency import StoredResponse
from storecrew.domain.errors import InvalidInput, KeyReused, StorageBusy

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Noon:
    def now(self) -> datetime:
        return NOON


class Stored(dict[str, StoredResponse]):
    """What the journal would keep, and when it was handed over."""

    kept_at: datetime | None = None
    busy = False

    async def find(self, key: str) -> StoredResponse | None:
        return self.get(key)

    async def keep(self, key: str, reply: StoredResponse, now: datetime) -> None:
        if self.busy:
            raise StorageBusy("the journal")
        self.kept_at = now
        self.setdefault(key, reply)


class Handler:
    """A handler that counts how often it was run."""

    runs = 0

    async def __call__(self) -> Response:
        self.runs += 1
        return Response(f'{{"run": {self.runs}}}', 201, media_type="application/json")


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def responses(stored: Stored) -> IdempotentResponses:
    return IdempotentResponses(stored, Noon())


@pytest.mark.parametrize("keep", [True, False])
async def test_a_key_runs_its_handler_once(
    responses: IdempotentResponses, stored: Stored, keep: bool
) -> None:
    handler = Handler()
    first = await responses.once("k", "f", handler, keep=keep)
    again = await responses.once("k", "f", handler, keep=keep)
    other = await responses.once("other", "f", handler, keep=keep)
    assert (first.body, first.status_code) == (b'{"run": 1}', 201)
    assert again is first
    assert other.body == b'{"run": 2}'
    assert stored.keys() == ({"k", "other"} if keep else set())


async def test_what_is_kept_survives_a_restart(
    responses: IdempotentResponses, stored: Stored
) -> None:
    await responses.once("k", "f", Handler(), keep=True)
    assert stored["k"] == StoredResponse(fingerprint="f", status=201, body='{"run": 1}')
    assert stored.kept_at == NOON
    restarted, handler = IdempotentResponses(stored, Noon()), Handler()
    again = await restarted.once("k", "f", handler, keep=True)
    assert handler.runs == 0
    assert (again.body, again.status_code) == (b'{"run": 1}', 201)
    assert again.headers["content-type"] == "application/json"
    with pytest.raises(KeyReused):
        await IdempotentResponses(stored, Noon()).once("k", "g", handler, keep=True)


async def test_what_the_ledger_keeps_is_not_looked_for_in_the_journal(
    responses: IdempotentResponses, stored: Stored
) -> None:
    stored["k"] = StoredResponse(fingerprint="f", status=200, body="{}")
    handler = Handler()
    await responses.once("k", "f", handler, keep=False)
    assert handler.runs == 1


async def test_a_key_stands_for_one_request(responses: IdempotentResponses) -> None:
    handler = Handler()
    await responses.once("k", "f", handler, keep=True)
    with pytest.raises(KeyReused, match="'k'"):
        await responses.once("k", "g", handler, keep=True)
    assert handler.runs == 1
    await responses.once("k", "f", handler, keep=True)
    assert handler.runs == 1


async def test_another_request_under_a_key_of_the_ledger_is_left_to_the_ledger(
    responses: IdempotentResponses,
) -> None:
    handler = Handler()
    await responses.once("k", "f", handler, keep=False)
    await responses.once("k", "g", handler, keep=False)
    assert handler.runs == 2


async def test_a_key_that_is_worked_on_is_a_conflict(responses: IdempotentResponses) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> Response:
        reached.set()
        await go_on.wait()
        return Response("done")

    first = asyncio.create_task(responses.once("k", "f", slow, keep=False))
    await reached.wait()
    with pytest.raises(HTTPException) as refused:
        async with asyncio.timeout(10):  # were it not refused, it would wait for ever
            await responses.once("k", "f", slow, keep=False)
    assert refused.value.status_code == 409
    assert refused.value.detail == "a request with this Idempotency-Key is being worked on"
    go_on.set()
    answered = await first
    assert await responses.once("k", "f", Handler(), keep=False) is answered


async def test_a_handler_that_failed_is_run_again(responses: IdempotentResponses) -> None:
    async def failing() -> Response:
        raise LookupError

    for _ in range(2):
        with pytest.raises(LookupError):
            await responses.once("k", "f", failing, keep=True)
    handler = Handler()
    await responses.once("k", "f", handler, keep=True)
    assert handler.runs == 1


async def test_a_busy_journal_loses_no_response(
    responses: IdempotentResponses, stored: Stored, caplog: pytest.LogCaptureFixture
) -> None:
    stored.busy, handler = True, Handler()
    with caplog.at_level(logging.WARNING):
        first = await responses.once("k", "f", handler, keep=True)
    assert await responses.once("k", "f", handler, keep=True) is first
    [record] = caplog.records
    assert record.getMessage() == (
        f"the answer under a key could not be kept: {StorageBusy('the journal')}"
    )


async def test_memory_holds_the_newest(
    responses: IdempotentResponses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "_REMEMBERED", 2)
    handler = Handler()
    for key in ("a", "b", "c"):
        await responses.once(key, "f", handler, keep=False)
    for key in ("c", "b"):
        await responses.once(key, "f", handler, keep=False)
    assert handler.runs == 3
    await responses.once("a", "f", handler, keep=False)
    assert handler.runs == 4


@pytest.mark.parametrize("key", ["k", "!~ ", "x" * MAX_KEY])
def test_a_key_is_printable_ascii(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize("key", ["", "x" * (MAX_KEY + 1), "é", "a\tb", "\x7f"])
def test_what_is_no_key_is_refused(key: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        check_key(key)
    assert refused.value.field == "Idempotency-Key"
    assert refused.value.problem == "must be 1 to 200 printable ASCII characters"
