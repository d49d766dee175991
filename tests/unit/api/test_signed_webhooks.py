"""Deliveries from other systems: signed, stored once, and refused where anything is wrong."""

import base64
import hmac
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest
from in_memory_api import NO_LIMITS, NOW, Api, settings_of

from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.shop.inventory import StockReported

SECRET, OLD = "shop-secret-of-32-characters-0001", "shop-secret-of-32-characters-0000"
BODY = json.dumps({"event_type": "inventory_low", "data": {"sku": "A"}}).encode()


@pytest.fixture
def shop(api: Api) -> httpx.AsyncClient:
    environ = {
        "API_KEY_ROYALGPT": "k" * 32,
        "STORECREW_WEBHOOKS__SHOP__SECRET": SECRET,
        "STORECREW_WEBHOOKS__SHOP__PREVIOUS_SECRET": OLD,
        "STORECREW_WEBHOOKS__SHOP__EVENTS": '["StockReported"]',
        "STORECREW_WEBHOOKS__SHOP__TOPICS": '["orders/create", "orders/paid"]',
        **NO_LIMITS,
    }
    settings = settings_of(**environ)
    api.plane = replace(api.plane, settings=settings)
    return api.client(settings, peer="192.0.2.7", headers={"content-type": "application/json"})


def signed(body: bytes, secret: str = SECRET) -> bytes:
    return hmac.digest(secret.encode(), body, "sha256")


async def delivered(
    shop: httpx.AsyncClient, body: bytes = BODY, source: str = "shop", **headers: str
) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await shop.post(f"/webhooks/{source}", content=body, headers=named)


@pytest.mark.parametrize("header", ["X-Signature", "X-Shopify-Hmac-Sha256", "X-Hub-Signature-256"])
@pytest.mark.parametrize("shape", ["hex", "base64", "prefixed"])
async def test_a_signed_delivery_is_recorded(
    api: Api, shop: httpx.AsyncClient, header: str, shape: str
) -> None:
    mac = signed(BODY)
    text = {
        "hex": mac.hex(),
        "base64": base64.b64encode(mac).decode(),
        "prefixed": f"sha256={mac.hex()}",
    }[shape]
    response = await shop.post("/webhooks/shop", content=BODY, headers={header: text})
    assert response.json() == {"event_id": 1, "duplicate": False}
    (found,) = await api.recorded()
    assert found.source == "webhook:shop"
    assert found.event == ExternalEventReceived(event_type="inventory_low", data={"sku": "A"})


async def test_the_old_secret_counts_while_it_is_replaced(shop: httpx.AsyncClient) -> None:
    response = await delivered(shop, x_signature=signed(BODY, OLD).hex())
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("body", "source", "headers"),
    [
        (BODY, "shop", {}),
        (BODY, "shop", {"x_signature": ""}),
        (BODY, "shop", {"x_signature": "00" * 32}),
        (BODY, "shop", {"x_signature": "é"}),
        (BODY, "shop", {"x_signature": signed(BODY, "another-secret-of-32-characters").hex()}),
        (BODY + b" ", "shop", {"x_signature": signed(BODY).hex()}),
        (BODY, "nobody", {"x_signature": signed(BODY).hex()}),
        (BODY, "shop", {"authorization": "Bearer " + "w" * 32}),
    ],
)
async def test_what_is_not_signed_is_refused_and_audited(
    api: Api,
    shop: httpx.AsyncClient,
    body: bytes,
    source: str,
    headers: dict[str, str],
) -> None:
    raw = {k.replace("_", "-"): v.encode("latin-1") for k, v in headers.items()}
    response = await shop.post(f"/webhooks/{source}", content=body, headers=raw)
    assert (response.status_code, response.json()["error"]) == (401, "Unauthorized")
    assert await api.recorded() == []
    app = shop._transport.app  # type: ignore[attr-defined]
    await app.state.refusals.close()
    entries = await api.plane.access.book.database.read(  # type: ignore[attr-defined]
        lambda c: c.exec_driver_sql("select actor, action from audit").all()
    )
    (row,) = entries
    assert row.actor == "address:192.0.2.7"
    assert f"POST /webhooks/{source}" in row.action


IDS = ("x_event_id", "x_shopify_event_id", "x_shopify_webhook_id", "x_webhook_id")
TOPICS = ("x_event_type", "x_shopify_topic")


@pytest.mark.parametrize("header", [*IDS, *TOPICS])
async def test_signed_content_is_one_event_under_any_unsigned_name(
    api: Api, shop: httpx.AsyncClient, header: str
) -> None:
    mac = signed(BODY).hex()
    answers = [
        await delivered(shop, x_signature=mac),
        await delivered(shop, x_signature=mac, **{header: "e1"}),
        await delivered(shop, x_signature=mac, **{header: "e2"}),
        await delivered(shop, x_signature=signed(BODY, OLD).hex(), **{header: "e3"}),
    ]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert [answer.json()["duplicate"] for answer in answers] == [False, True, True, True]
    assert len(await api.recorded()) == 1


async def test_content_under_a_new_signed_time_is_the_same_event(
    api: Api, shop: httpx.AsyncClient
) -> None:
    for age in (0, 60, 120):
        stamp = str(int(NOW.timestamp()) - age)
        mac = signed(stamp.encode() + b"." + BODY).hex()
        await delivered(shop, x_signature=mac, x_signature_timestamp=stamp, x_event_id=f"e{age}")
    assert len(await api.recorded()) == 1


ORDERS = [
    ("orders/create", "w-1", {"id": 5001, "financial_status": "pending"}),
    ("orders/paid", "w-2", {"id": 5001, "financial_status": "paid"}),
]


@pytest.mark.parametrize("name", ["x_event_id", "x_shopify_event_id"])
@pytest.mark.parametrize("same_content", [True, False])
async def test_two_topics_of_one_event_are_two_events(
    api: Api, shop: httpx.AsyncClient, name: str, same_content: bool
) -> None:
    for topic, delivery, content in [*ORDERS, *ORDERS]:
        body = json.dumps(ORDERS[0][2] if same_content else content).encode()
        headers = {name: "evt-1", "x_webhook_id": delivery, "x_shopify_topic": topic}
        await delivered(shop, body, x_signature=signed(body).hex(), **headers)
    found = [each.event for each in await api.recorded()]
    assert [e.event_type for e in found if isinstance(e, ExternalEventReceived)] == [
        "orders/create",
        "orders/paid",
    ]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("GoalSet", {"goal": "growth"}),
        ("goal_set", {"goal": "clear_stock"}),
        ("MailReceived", {"mail": "Product A:900", "customer": "eve"}),
        ("mail_received", {"mail": "Product A:900"}),
        ("StockRanLow", {"sku": "Product A", "warehouse": "main", "position": 1,
                         "reorder_point": 5, "daily_demand": 1.0}),
        ("payment_failed", {"order_id": 1, "reason": "x"}),
        ("OrderPlaced", {"order_id": 1}),
        ("order_fulfilled", {"order_id": 1}),
        ("RunFailed", {"agent": "pricing", "run": "x", "reason": "y"}),
        ("ServiceFailed", {"service": "x", "reason": "y"}),
        ("RunRequested", {"agent": "pricing", "by": "person:anna"}),
        ("ClockTicked", {"agent": "pricing", "due": NOW.isoformat()}),
        ("IntegrityCheckFailed", {"check": "x"}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("place", ["header", "body"])
async def test_an_event_that_the_source_does_not_declare_stays_in_its_own_words(
    api: Api, shop: httpx.AsyncClient, kind: str, data: dict[str, Any], place: str
) -> None:
    in_header = place == "header"
    body = json.dumps(data if in_header else {"event_type": kind, "data": data}).encode()
    headers = {"x_event_type": kind} if in_header else {}
    response = await delivered(shop, body, x_signature=signed(body).hex(), **headers)
    assert response.status_code == 200
    (found,) = await api.recorded()
    assert found.event == ExternalEventReceived(event_type=kind, data=data)
    (row,) = (await api.plane.journal.audit(page=1, per_page=9)).items
    assert (row.actor, row.reason) == ("webhook:shop", "ExternalEventReceived")
    assert await api.plane.journal.verify([]) == []


@pytest.mark.parametrize(
    "name", ["GoalSet", "MailReceived", "RunRequested", "Nonsense", "goal_set"]
)
def test_a_source_cannot_declare_events_of_the_plane(name: str) -> None:
    environ = {
        "STORECREW_WEBHOOKS__SHOP__SECRET": SECRET,
        "STORECREW_WEBHOOKS__SHOP__EVENTS": json.dumps([name]),
    }
    with pytest.raises(InvalidSettings, match=rf"webhooks\.shop\.events.*'{name}' is none of"):
        settings_of(**environ)


@pytest.mark.parametrize(
    ("age", "status"), [(0, 200), (299, 200), (301, 401), (-299, 200), (-301, 401)]
)
async def test_a_signed_time_bounds_the_age(shop: httpx.AsyncClient, age: int, status: int) -> None:
    stamp = str(int(NOW.timestamp()) - age)
    mac = signed(stamp.encode() + b"." + BODY)
    response = await delivered(shop, x_signature=mac.hex(), x_signature_timestamp=stamp)
    assert response.status_code == status
    without = await delivered(shop, x_signature=mac.hex())
    assert without.status_code == 401


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        (
            {"x_shopify_topic": "orders/create"},
            {"id": 7},
            ExternalEventReceived(event_type="orders/create", data={"id": 7}),
        ),
        (
            {"x_event_type": "stock_reported"},
            {"stock": "Product A:3units"},
            StockReported(stock="Product A:3units"),
        ),
        (
            {"x_event_type": "stock_reported"},
            {"wrong": 1},
            ExternalEventReceived(event_type="stock_reported", data={"wrong": 1}),
        ),
        ({"x_event_type": "x"}, [1], ExternalEventReceived(event_type="x", data={"content": [1]})),
    ],
)
async def test_what_the_product_does_not_know_is_kept_in_the_senders_words(
    api: Api, shop: httpx.AsyncClient, headers: dict[str, str], body: Any, expected: Any
) -> None:
    content = json.dumps(body).encode()
    response = await delivered(shop, content, x_signature=signed(content).hex(), **headers)
    assert response.status_code == 200
    assert (await api.recorded())[0].event == expected


@pytest.mark.parametrize("content", [b"{}", b'{"event_type": ""}', b'{"event_type": 3}', b""])
async def test_a_delivery_that_says_nothing_is_invalid(
    shop: httpx.AsyncClient, content: bytes
) -> None:
    response = await delivered(shop, content, x_signature=signed(content).hex())
    assert (response.status_code, response.json()["error"]) == (400, "Invalid input")
