"""Idempotency keys of one caller and route are no keys of another, and none can be guessed."""

import json
import random
from datetime import timedelta
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from in_memory_api import NO_LIMITS, NOW, Api, settings_of

from storecrew.api.requests import _canonical_json
from storecrew.domain.control.access import Role

KEYS = [
    "1",
    "~",
    "~1",
    "order-1",
    "http/1",
    "person:anna/1",
    "é".encode().hex(),
    "a/b/../c",
    "0" * 200,
]


@pytest.fixture
async def tills(api: Api) -> list[httpx.AsyncClient]:
    """Two callers, each with a key of its own."""
    environ = settings_of(API_KEY_ROYALGPT="k" * 32, **NO_LIMITS)
    tokens = [
        await api.plane.access.add_key(name, Role.OPERATOR, by="person:t") for name in ("a", "b")
    ]
    return [api.client(environ, headers={"authorization": f"Bearer {token}"}) for token in tokens]


@pytest.mark.parametrize("key", KEYS)
async def test_two_callers_may_use_the_same_key(
    api: Api, tills: list[httpx.AsyncClient], key: str
) -> None:
    headers = {"Idempotency-Key": key}
    answers = [
        await till.post("/api/orders", json={"text": text}, headers=headers)
        for till, text in [
            (tills[0], "Product A:1"),
            (tills[1], "Product A:1"),
            (tills[1], "Product A:2"),
            (tills[0], "Product A:1"),
        ]
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 422, 201]
    mine, theirs, _, again = (answer.json().get("id") for answer in answers)
    assert mine == again != theirs
    assert await api.plane.store.verify() == []


async def test_the_id_of_a_request_to_come_blocks_no_order(
    api: Api, tills: list[httpx.AsyncClient]
) -> None:
    first = await tills[0].post("/api/orders", json={"text": "Product A:1"})
    start, _, number = first.headers["x-request-id"].rpartition("-")
    for n in range(1, 20):
        guess = f"{start}-{int(number, 16) + n:x}"
        for key in (guess, f"~{guess}", f"http/~{guess}", f"once/{guess}"):
            headers = {"Idempotency-Key": key}
            answer = await tills[1].post(
                "/api/orders", json={"text": "Product B:1"}, headers=headers
            )
            assert answer.status_code == 201, answer.text
    answer = await tills[0].post("/api/orders", json={"text": "Product A:3"})
    assert answer.status_code == 201
    order = await api.plane.store.order(answer.json()["id"])
    assert [(line.sku, line.quantity) for line in order.lines] == [("Product A", 3)]


BROWSED = {"event_type": "user_browsing", "data": {"a": 1}}
WRITES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("POST", "/api/events", BROWSED, BROWSED | {"data": {"a": 2}}),
    ("POST", "/api/goal", {"goal": "profit"}, {"goal": "growth"}),
    ("POST", "/api/tickets", {"text": "Where is it?"}, {"text": "Do you ship to Austria?"}),
    ("PUT", "/api/stock/Product A", {"on_hand": 7}, {"on_hand": 8}),
    ("POST", "/agent/1/mail", {"mail": "Product A:1"}, {"mail": "Product A:2"}),
]


@pytest.mark.parametrize(("method", "path", "one", "other"), WRITES, ids=lambda v: str(v)[:30])
async def test_each_write_keeps_the_keys_of_callers_apart(
    tills: list[httpx.AsyncClient], method: str, path: str, one: Any, other: Any
) -> None:
    headers = {"Idempotency-Key": "1"}
    first = await tills[0].request(method, path, json=one, headers=headers)
    second = await tills[1].request(method, path, json=other, headers=headers)
    again = await tills[0].request(method, path, json=one, headers=headers)
    assert first.status_code == second.status_code != 422, (first.text, second.text)
    assert again.json() == first.json()
    if "event_id" in first.json():
        assert first.json()["event_id"] != second.json()["event_id"]
    refused = await tills[0].request(method, path, json=other, headers=headers)
    assert refused.status_code == 422


async def test_a_key_of_one_route_is_no_key_of_another(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "1"}
    order = await client.post("/api/orders", json={"text": "Product A:1"}, headers=headers)
    other = await client.post("/api/orders", json={"text": "Product A:1"})
    held, elsewhere = (f"/api/orders/{each.json()['id']}/hold" for each in (order, other))
    answers = [
        await client.post(path, json={"reason": "check"}, headers=headers)
        for path in (held, elsewhere, held)
    ]
    assert [answer.status_code for answer in answers] == [200, 422, 200]


async def test_a_retry_at_another_time_is_the_same_request(api: Api) -> None:
    body = {"code": "SPRING", "percent": "10", "products": ["Product A"], "days": 14}
    headers = {"Idempotency-Key": "1"}
    answers = []
    for _ in range(3):
        answers.append(await api.client().post("/api/discounts", json=body, headers=headers))
        api.plane.clock.at += timedelta(minutes=5)  # type: ignore[attr-defined]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len(await api.plane.store.discounts(ending_after=NOW)) == 1


ORDER = {"text": "Product A:2", "customer": "anna"}
SPELLINGS = [
    json.dumps(ORDER),
    json.dumps(dict(reversed(ORDER.items()))),
    json.dumps(ORDER, indent=4),
    json.dumps(ORDER, separators=(",", ":")),
    json.dumps(ORDER).replace("anna", "\\u0061nna"),
    " \n" + json.dumps(ORDER) + "\t",
]


@pytest.mark.parametrize("path", ["/api/orders", "/api/tickets"])
@pytest.mark.parametrize("restarts", [True, False])
async def test_one_content_in_any_spelling_is_one_request(
    api: Api, path: str, restarts: bool
) -> None:
    client, answers = api.client(), []
    await client.put("/api/customers/anna", json={"name": "Anna"})
    headers = {"Idempotency-Key": "k", "content-type": "application/json"}
    for text in SPELLINGS:
        client = api.client() if restarts else client
        answers.append(await client.post(path, content=text, headers=headers))
    assert [answer.status_code for answer in answers] == [201] * len(SPELLINGS)
    assert all(answer.json() == answers[0].json() for answer in answers)


FINITE = st.floats(allow_nan=False, allow_infinity=False)
TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | TEXT,
    lambda each: st.lists(each, max_size=4) | st.dictionaries(TEXT, each, max_size=4),
    max_leaves=12,
)


def shuffled(value: Any, chance: random.Random) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(inner, chance)) for key, inner in value.items()]
        chance.shuffle(items)
        return dict(items)
    return [shuffled(inner, chance) for inner in value] if isinstance(value, list) else value


class _Request:
    headers: ClassVar = {"content-type": "application/json"}


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(JSON, st.randoms(use_true_random=False), st.booleans(), st.sampled_from([None, 2]))
def test_the_canonical_form_ignores_order_and_spelling(
    value: Any, chance: random.Random, ascii_only: bool, indent: int | None
) -> None:
    request: Any = _Request()
    one = json.dumps(value).encode()
    other = json.dumps(shuffled(value, chance), ensure_ascii=ascii_only, indent=indent).encode(
        "utf-8", "surrogatepass"
    )
    assert _canonical_json(request, one) == _canonical_json(request, other)
    assert _canonical_json(request, _canonical_json(request, one)) == _canonical_json(request, one)
