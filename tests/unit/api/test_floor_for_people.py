"""The margin floor holds for people too: what falls below it is done only when confirmed."""

from typing import Any

import httpx
import pytest


def product(price: str, cost: str | None = None, **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"name": "Thing", "price": {"amount": price, "currency": "EUR"}, **more}
    return body | ({"cost": {"amount": cost, "currency": "EUR"}} if cost else {})


@pytest.fixture
async def shop(client: httpx.AsyncClient) -> httpx.AsyncClient:
    for sku in ("A", "B"):
        assert (await client.put(f"/api/products/{sku}", json=product("10.00", "4.50"))).is_success
        assert (await client.put(f"/api/stock/{sku}", json={"on_hand": 9})).is_success
    return client


BELOW = [
    ("PUT", "/api/products/A", product("0.01")),
    ("PUT", "/api/products/A", product("4.99")),
    ("PUT", "/api/products/A", product("10.00", "9.01")),
    ("PUT", "/api/products/A", product("10.00", "400.00")),
    ("PUT", "/api/products/new", product("1.00", "2.00")),
    ("PUT", "/api/products/new", product("2.00", "2.00")),
    ("POST", "/api/discounts", {"code": "C", "percent": "99.99", "products": ["A"], "days": 1}),
    ("POST", "/api/discounts", {"code": "C", "percent": "50.01", "products": ["B"], "days": 9}),
    ("POST", "/api/bundles", {"name": "set", "products": ["A", "B"], "price": "0.01"}),
    ("POST", "/api/bundles", {"name": "set", "products": ["A", "B"], "price": "9.99"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), BELOW)
async def test_a_person_confirms_what_falls_below_the_floor(shop, method, path, body):
    asked = await shop.request(method, path, json=body)
    assert asked.status_code == 409
    assert asked.json()["code"] == "confirmation_required"
    assert "`anyway`" in asked.json()["message"]
    confirmed = await shop.request(method, path, json=body | {"anyway": True})
    assert confirmed.status_code in (200, 201)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/products/A", product("5.00")),
        ("PUT", "/api/products/A", product("10.00", "9.00")),
        ("PUT", "/api/products/new", product("0.01")),
        ("POST", "/api/discounts", {"code": "C", "percent": "50", "products": ["A"], "days": 1}),
        ("POST", "/api/bundles", {"name": "set", "products": ["A", "B"], "price": "10.00"}),
    ],
)
async def test_what_leaves_the_margin_is_done_without_a_question(shop, method, path, body):
    assert (await shop.request(method, path, json=body)).status_code in (200, 201)


async def test_a_discount_in_force_counts_in_a_new_price(shop):
    body = {"code": "C", "percent": "40", "products": ["A"], "days": 9}
    assert (await shop.post("/api/discounts", json=body)).status_code == 201
    assert (await shop.put("/api/products/A", json=product("8.00"))).status_code == 409
    assert (await shop.put("/api/products/A", json=product("8.40"))).status_code == 200


async def test_what_is_below_the_floor_already_may_be_renamed(shop):
    low = product("1.00", anyway=True)
    assert (await shop.put("/api/products/A", json=low)).status_code == 200
    renamed = product("1.00") | {"name": "Other"}
    assert (await shop.put("/api/products/A", json=renamed)).status_code == 200


async def test_what_has_no_price_cannot_be_ordered(shop):
    assert (await shop.put("/api/stock/unpriced", json={"on_hand": 9})).is_success
    refused = await shop.post("/api/orders", json={"text": "unpriced:1, A:1"})
    assert refused.status_code == 409
    assert refused.json()["code"] == "unpriced"
    assert (await shop.get("/api/orders")).json()["total"] == 0


async def test_a_retired_product_cannot_be_ordered_until_it_is_for_sale_again(shop):
    retired = product("10.00", "4.50", retired=True)
    assert (await shop.put("/api/products/A", json=retired)).json()["retired"] is True
    refused = await shop.post("/api/orders", json={"text": "A:1"})
    assert (refused.status_code, refused.json()["code"]) == (409, "retired")
    assert (await shop.put("/api/products/A", json=product("10.00"))).json()["retired"] is True
    again = product("10.00", retired=False)
    assert (await shop.put("/api/products/A", json=again)).status_code == 200
    assert (await shop.post("/api/orders", json={"text": "A:1"})).status_code == 201
