"""What is not named of a customer stays, by every way in; a change is audited without content."""

import json

import pytest


@pytest.fixture
async def shop(client):
    body = {"name": "Ann", "email": "ann@example.com", "locale": "de"}
    assert (await client.put("/api/customers/ann", json=body)).status_code == 200
    return client


async def known(client):
    (found,) = (await client.get("/api/customers")).json()["items"]
    return found["name"], found["email"], found["locale"]


@pytest.mark.parametrize(
    ("method", "body", "expected"),
    [
        ("PUT", {"name": "Anna"}, ("Anna", "ann@example.com", "de")),
        ("PUT", {"name": "Anna", "locale": "fr"}, ("Anna", "ann@example.com", "fr")),
        ("PUT", {"name": "Ann", "email": "a@b.example"}, ("Ann", "a@b.example", "de")),
        ("PUT", {"name": "Ann", "email": None}, ("Ann", None, "de")),
        ("PATCH", {"name": "Anna"}, ("Anna", "ann@example.com", "de")),
        ("PATCH", {"email": "a@b.example"}, ("Ann", "a@b.example", "de")),
        ("PATCH", {"email": None}, ("Ann", None, "de")),
        ("PATCH", {"locale": "fr"}, ("Ann", "ann@example.com", "fr")),
        ("PATCH", {}, ("Ann", "ann@example.com", "de")),
    ],
)
async def test_what_is_not_named_stays(shop, method, body, expected):
    answer = await shop.request(method, "/api/customers/ann", json=body)
    assert answer.status_code == 200
    assert await known(shop) == expected


async def test_a_customer_who_is_not_known_cannot_be_changed(client):
    assert (await client.patch("/api/customers/nobody", json={"name": "N"})).status_code == 404
    assert (await client.put("/api/customers/new", json={"name": "New"})).status_code == 200


async def test_a_change_leaves_an_event_that_names_fields_and_no_content(api, shop):
    await shop.patch("/api/customers/ann", json={"email": "secret@example.com"})
    outbox = [each for _, each in await api.plane.store.outbox(0)]
    changes = [each.event for each in outbox if type(each.event).__name__ == "CustomerChanged"]
    assert [change.fields for change in changes] == [("email", "locale", "name"), ("email",)]
    assert "secret" not in json.dumps([repr(change) for change in changes])
