"""The wire to remote agents: what is said arrives, and nothing else is taken for it."""

import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import wire

NOW = datetime(2026, 3, 2, 6, tzinfo=UTC)
LOW = StockRanLow(sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0)
WAKE = wire.AgentRequest(
    run="far@1", attempt=2, agent="far", now=NOW, currency="EUR", events=(LOW,), settings={"a": 1}
)
SAID = wire.AgentResponse(
    proposals=(
        Proposal(
            action=SetPrice(sku="mug", price=Money.of("11.50", "EUR")),
            reason="it sells out",
            evidence={"days": 2.5},
        ),
    ),
    events=(BottleneckDetected(what="stock", count=3, threshold=1, advice="look"),),
    tokens=12,
)


def test_what_is_said_arrives() -> None:
    assert wire.decode_request(wire.encode_request(WAKE)) == WAKE
    assert wire.decode_response(wire.encode_response(SAID)) == SAID
    assert wire.decode_response(b"{}") == wire.AgentResponse()


def test_another_version_is_not_guessed_at() -> None:
    body = wire.encode_request(WAKE).replace(b'"wire":1', b'"wire":2')
    with pytest.raises(InvalidInput, match="wire"):
        wire.decode_request(body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"[", "body"),
        (b"[]", "body"),
        (b'{"usage": {"tokens": NaN}}', "body"),
        (b"[" * 100_000, "body"),
        (b'{"effects": []}', "answer.effects"),
        (b'{"usage": []}', "usage"),
        (b'{"usage": {"euros": 1}}', "usage.euros"),
        (b'{"usage": {"tokens": -1}}', "usage.tokens"),
        (b'{"usage": {"tokens": true}}', "usage.tokens"),
        (b'{"proposals": {}}', "proposals"),
        (b'{"proposals": [{"reason": "r"}]}', "proposals.0.action"),
        (b'{"proposals": [{"reason": "r", "action": {"type": "DropTables"}}]}', "type"),
        (b'{"events": [{"type": "Nonsense"}]}', "type"),
        (b" " * (wire.MAX_ANSWER + 1), "answer"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_answer_that_is_none_is_refused(body: bytes, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        wire.decode_response(body)
    assert caught.value.field == field


def test_events_of_the_plane_itself_cannot_come_from_an_agent() -> None:
    tick = wire.encode_response(wire.AgentResponse(events=(ClockTicked(agent="other", due=NOW),)))
    with pytest.raises(InvalidInput, match="by the plane alone"):
        wire.decode_response(tick)


@given(st.binary(max_size=300))
def test_no_bytes_upset_the_decoder(body: bytes) -> None:
    said = wire.AgentResponse()
    with suppress(InvalidInput):
        said = wire.decode_response(body)
    assert said.tokens >= 0


def test_a_signature_proves_the_caller_the_body_and_the_time() -> None:
    key, body, at = wire.signing_key("token"), wire.encode_request(WAKE), int(NOW.timestamp())
    headers = {
        wire.TIMESTAMP.lower(): str(at),
        wire.SIGNATURE.lower(): wire.sign(key, at, body),
    }
    assert wire.is_signed(key, headers, body, NOW)
    assert not wire.is_signed(wire.signing_key("other"), headers, body, NOW)
    assert not wire.is_signed(key, headers, body + b" ", NOW)
    assert not wire.is_signed(key, headers, body, NOW + timedelta(seconds=301))
    assert not wire.is_signed(key, {**headers, wire.TIMESTAMP.lower(): "x"}, body, NOW)
    assert not wire.is_signed(key, {}, body, NOW)


def test_neither_what_is_kept_nor_the_signing_key_is_the_token() -> None:
    kept = json.dumps([wire.token_hash("secret"), wire.signing_key("secret")])
    assert "secret" not in kept
    assert wire.token_hash("secret") != wire.signing_key("secret")
