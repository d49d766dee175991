"""Mail over HTTP: what became of messages, and the page that unsubscribes."""

from datetime import UTC, datetime

import httpx
import pytest
from in_memory_api import NO_LIMITS, Api, settings_of

from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import SendMessage, SuppressAddress
from storecrew.domain.shop.orders import ShippingDelayed
from storecrew.stores.sql import SqlStore

ENVIRON = {
    "API_KEY_ROYALGPT": "k" * 32,
    "STORECREW_MAIL__SHOP": "Tea <&> Co",
    "STORECREW_MAIL__SENDER": "shop@shop.example",
    "STORECREW_MAIL__PUBLIC_URL": "https://shop.example",
    **NO_LIMITS,
}


@pytest.fixture
async def people(store: SqlStore) -> SqlStore:
    known = [
        Customer(id="anna", name="Anna", email="anna@c.example", marketing_consent=True),
        Customer(id="ben", name="Ben", email="b@c.example", marketing_consent=True, locale="de"),
    ]
    await store.put_customers(known)
    return store


@pytest.fixture
def stranger(api: Api) -> httpx.AsyncClient:
    """Somebody outside, without a key, who found a link in a letter."""
    return api.client(settings_of(**ENVIRON), peer="192.0.2.7")


def link(api: Api, customer: str) -> str:
    return f"/unsubscribe/{api.plane.mail.seals.unsubscribe_token(customer)}"


async def agrees(store: SqlStore, customer: str) -> bool:
    return (await store.customer(customer)).marketing_consent


async def test_opening_the_link_asks_and_changes_nothing(api, people, stranger):
    for _ in range(2):
        response = await stranger.get(link(api, "anna"))
        assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/html")
    assert '<form method="post">' in response.text
    assert "script" not in response.text
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["referrer-policy"] == "no-referrer"
    assert await agrees(people, "anna")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        ("multipart/form-data; boundary=x", b"--x\r\n\r\nOne-Click\r\n--x--"),
        ("", b""),
    ],
)
async def test_r135_opt_out_by_one_click_holds_at_once_and_is_told(
    api, people, stranger, kind, body
):
    headers = {"content-type": kind} if kind else {}
    response = await stranger.post(link(api, "anna"), content=body, headers=headers)
    again = await stranger.post(link(api, "anna"), content=body, headers=headers)

    assert (response.status_code, again.status_code) == (200, 200)
    assert not await agrees(people, "anna")
    assert await agrees(people, "ben")
    told = [p for _, p in await people.outbox(0) if type(p.event).__name__ == "ConsentChanged"]
    assert [(p.event.customer, p.event.marketing, p.actor) for p in told] == [
        ("anna", False, "customer:anna")
    ]


async def test_the_page_speaks_the_readers_language(api, people, stranger):
    assert "Abmelden" in (await stranger.get(link(api, "ben"))).text


async def test_a_wrong_token_leads_nowhere(api, people, stranger):
    good = link(api, "anna")
    unknown = link(api, "nobody")
    for wrong in (good[:-1], good + "0", unknown, "/unsubscribe/x", "/unsubscribe/%00"):
        assert (await stranger.get(wrong)).status_code == 404
        assert (await stranger.post(wrong)).status_code == 404
    assert await agrees(people, "anna")


async def test_who_is_logged_in_unsubscribes_like_anybody(api, people, stranger):
    cookie = {"cookie": "storecrew_session=whatever", "authorization": "Bearer wrong"}
    response = await stranger.post(link(api, "anna"), headers=cookie)
    assert response.status_code == 200
    assert not await agrees(people, "anna")


async def test_other_routes_stay_closed_to_strangers(stranger):
    for path in ("/api/messages", "/api/mail/report", "/unsubscribe", "/api/messages/1/preview"):
        assert (await stranger.get(path)).status_code in (401, 404)
    assert (await stranger.delete("/unsubscribe/x")).status_code in (401, 405)


async def test_messages_are_listed_previewed_and_counted(api, people, client):
    said = {"customer": "anna", "purpose": "service", "title": "Your order", "body": "On its way"}
    for number in range(3):
        await people.apply(SendMessage(**said), key=f"m{number}")
    listed = (await client.get("/api/messages", params={"per_page": 2})).json()
    shown = (await client.get("/api/messages/1/preview")).json()
    counted = (await client.get("/api/mail/report")).json()
    none = (await client.get("/api/mail/report", params={"campaign": "spring"})).json()

    assert (listed["total"], listed["pages"]) == (3, 2)
    assert listed["items"][0]["state"] == "waiting"
    assert shown["subject"] == "Your order"
    assert "On its way" in shown["text"]
    assert "<html" in shown["html"]
    assert counted["report"]["queued"] == counted["report"]["waiting"] == 3
    assert counted["sends"] is False
    assert "mail is off" in counted["problem"]
    assert none["report"]["queued"] == 0
    assert (await client.get("/api/messages/99/preview")).status_code == 404
    assert (await client.get("/api/messages", params={"state": "sent"})).json()["total"] == 0
    assert (await client.get("/api/messages", params={"state": "odd"})).status_code == 400


@pytest.mark.parametrize(
    ("data", "event"),
    [
        ({"order_id": 7}, ShippingDelayed(order_id=7)),
        ({"order_id": "7", "carrier": "x"}, ShippingDelayed(order_id=7)),
        (
            {"order_id": 7, "reason": "snow", "expected_at": "2026-03-09T00:00:00+00:00"},
            ShippingDelayed(
                order_id=7, reason="snow", expected_at=datetime(2026, 3, 9, tzinfo=UTC)
            ),
        ),
        ({"order": 7}, ExternalEventReceived(event_type="shipping_delayed", data={"order": 7})),
        (
            {"order_id": "x"},
            ExternalEventReceived(event_type="shipping_delayed", data={"order_id": "x"}),
        ),
    ],
)
async def test_r134_a_reported_delay_is_understood_where_it_names_the_order(
    api, client, data, event
):
    body = {"event_type": "shipping_delayed", "data": data, "id": "d1"}
    first = await client.post("/api/events", json=body)
    again = await client.post("/api/events", json=body)

    assert first.json()["event_id"] == again.json()["event_id"]
    assert again.json()["duplicate"] is True
    assert [found.event for found in await api.recorded()] == [event]


async def test_suppressions_are_listed_and_lifted(api, people):
    bar = SuppressAddress(address="anna@c.example", reason="no such mailbox")
    await people.apply(bar, key="bar")
    client = api.client()
    listed = (await client.get("/api/mail/suppressions")).json()
    assert [(each["address"], each["reason"]) for each in listed["items"]] == [
        ("anna@c.example", "no such mailbox")
    ]
    lifted = await client.delete("/api/mail/suppressions/anna@c.example")
    assert (lifted.status_code, lifted.json()["suppressed"]) == (200, False)
    assert (await client.get("/api/mail/suppressions")).json()["items"] == []
    again = await client.delete("/api/mail/suppressions/anna@c.example")
    assert again.status_code == 404


async def test_what_was_passed_by_is_reported_with_its_reason(api):
    now = api.plane.clock.now()
    await api.plane.skipped.record("mail", "automatic reply", "x@y.example: I am away", now)
    await api.plane.skipped.record("page", "it shows no product", "https://x.example", now)
    client = api.client()
    (mail,) = (await client.get("/api/mail/report")).json()["skipped"]
    assert (mail["reason"], mail["count"]) == ("automatic reply", 1)
    every = (await client.get("/api/skipped-inputs")).json()
    assert {each["source"] for each in every["items"]} == {"mail", "page"}
    metrics = (await client.get("/metrics")).text
    assert 'storecrew_skipped_inputs_total{reason="automatic reply",source="mail"} 1.0' in metrics
