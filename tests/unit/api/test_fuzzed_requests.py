"""Requests that no client sends: whatever the body, the answer is one of ours and no 500."""

import hmac
import json
import random
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st
from in_memory_api import NO_LIMITS, Api, settings_of
from route_paths import WRITES

from storecrew.domain.errors import InvalidInput
from storecrew.sdk import wire

ROUNDS = 12
"""Bodies per route."""
WORDS = (
    "sku", "name", "price", "amount", "currency", "lines", "product", "quantity", "text", "mail",
    "customer", "order_id", "reference", "reason", "action", "type", "event_type", "data", "id",
    "source", "percent", "days", "products", "on_hand", "note", "parameters", "capability",
    "due_at", "until", "goal", "email", "password", "role", "rating", "executable", "environment",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**63, -(2**70), 10**400, 0.5, 1e308, -0.0, "", " ", "EUR", "\x1b[2J",
    "\u202e", "é", "0" * 400, "9" * 40, "1e9", "NaN", "2026-13-45", "Product A", "../..", "%00",
    "٣", "<b>", "${HOME}", "{{x}}", "😀" * 50, [], {}, [[]], "SetPrice", "person:local",
)  # fmt: skip


def value(chance: random.Random, depth: int = 0) -> Any:
    """Return JSON that means little, of words that mean something here."""
    kind = chance.random()
    if depth < 4 and kind < 0.35:
        return {chance.choice(WORDS): value(chance, depth + 1) for _ in range(chance.randrange(5))}
    if depth < 4 and kind < 0.5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return chance.choice(ODD)


def mangled(text: bytes, chance: random.Random) -> bytes:
    """Return the body with a few bytes that are others, are missing or stand twice."""
    found = bytearray(text)
    for _ in range(chance.randrange(4)):
        if not found:
            break
        at = chance.randrange(len(found))
        what: Callable[[], None] = chance.choice(
            (
                lambda at=at: found.__setitem__(at, chance.randrange(256)),
                lambda at=at: found.__delitem__(at),
                lambda at=at: found.extend(found[at:]),
            )
        )
        what()
    return bytes(found)


def body(chance: random.Random) -> bytes:
    text = json.dumps(value(chance), ensure_ascii=chance.random() < 0.5).encode()
    return mangled(text, chance) if chance.random() < 0.3 else text


@pytest.mark.parametrize("route", WRITES)
async def test_no_body_upsets_a_route(api: Api, client: httpx.AsyncClient, route: str) -> None:
    method, _, path = route.partition(" ")
    chance = random.Random(route)
    for _ in range(ROUNDS):
        content = body(chance)
        headers = {"content-type": "application/json"}
        response = await client.request(method, path, content=content, headers=headers)
        assert response.status_code < 500, (content, response.text)
    assert await api.plane.verify() == []


@pytest.mark.parametrize("seed", range(60))
async def test_no_signed_delivery_upsets_the_webhook(api: Api, seed: int) -> None:
    secret = "shop-secret-of-32-characters-0001"  # noqa: S105 - of this test alone
    environ = {"STORECREW_WEBHOOKS__SHOP__SECRET": secret, **NO_LIMITS}
    environ["STORECREW_WEBHOOKS__SHOP__EVENTS"] = '["StockReported", "StockRanLow"]'
    settings = settings_of(**environ)
    api.plane = api.plane.__class__(**{**vars(api.plane), "settings": settings})
    client, chance = api.client(settings), random.Random(seed)
    for _ in range(ROUNDS):
        content = body(chance)
        headers = {
            "content-type": "application/json",
            "x-signature": hmac.digest(secret.encode(), content, "sha256").hex(),
        }
        topic = chance.choice(
            ["", "StockReported", "orders/paid", "x" * 300, "GoalSet", "stock_ran_low"]
        )
        if topic:
            headers["x-event-type"] = topic
        response = await client.post("/webhooks/shop", content=content, headers=headers)
        assert response.status_code < 500, (content, response.text)
    assert await api.plane.verify() == []


@hypothesis_settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**32))
def test_no_answer_of_a_remote_agent_upsets_the_wire(seed: int) -> None:
    chance = random.Random(seed)
    names = ("proposals", "events", "usage", "type")
    content: Any = {chance.choice(names): value(chance) for _ in range(chance.randrange(4))}
    text = mangled(json.dumps(content).encode(), chance)
    with suppress(InvalidInput):
        wire.decode_response(text)
