"""Codes, bundles, places, customers and purchases over HTTP."""

from datetime import timedelta

import httpx
import pytest
from in_memory_api import NOW, Api

from storecrew.domain.shop.purchasing import CreatePurchaseOrder


@pytest.fixture
async def shop(client: httpx.AsyncClient) -> httpx.AsyncClient:
    for sku in ("A", "B"):
        price = {"amount": "10.00", "currency": "EUR"}
        cost = {"amount": "4.00", "currency": "EUR"}
        body = {"name": f"Thing {sku}", "price": price, "cost": cost}
        assert (await client.put(f"/api/products/{sku}", json=body)).is_success
        assert (await client.put(f"/api/stock/{sku}", json={"on_hand": 9})).is_success
    body = {"name": "Anna", "email": "anna@example.com", "locale": "de"}
    assert (await client.put("/api/customers/anna", json=body)).is_success
    return client


async def order(client: httpx.AsyncClient, **offer: str) -> httpx.Response:
    lines = [{"product": sku, "quantity": 1} for sku in ("A", "B")]
    return await client.post("/api/orders", json={"lines": lines, "customer": "anna", **offer})


async def total(client: httpx.AsyncClient, said: httpx.Response) -> str:
    found = (await client.get(f"/api/orders/{said.json()['id']}")).json()
    return str(found["total"]["amount"])


async def test_a_code_is_made_used_and_ended(shop: httpx.AsyncClient) -> None:
    body = {"code": "SPRING", "percent": "10", "products": ["Thing A"], "days": 14}
    assert (await shop.post("/api/discounts", json=body)).status_code == 201
    assert (await shop.post("/api/discounts", json=body)).status_code == 409
    (kept,) = (await shop.get("/api/offers")).json()["discounts"]
    assert (kept["code"], kept["skus"]) == ("SPRING", ["A"])
    assert await total(shop, await order(shop, code="SPRING")) == "19.00"
    assert (await shop.post("/api/discounts/SPRING/end")).json()["status"] == "ended"
    assert (await order(shop, code="SPRING")).status_code == 400
    assert (await shop.post("/api/discounts/NEVER/end")).status_code == 404


async def test_a_bundle_is_offered_bought_and_withdrawn(shop: httpx.AsyncClient) -> None:
    body = {"name": "set", "products": ["A", "Thing B"], "price": "17.50"}
    assert (await shop.post("/api/bundles", json=body)).status_code == 201
    assert await total(shop, await order(shop, bundle="set")) == "17.50"
    assert (await shop.post("/api/bundles/set/withdraw")).status_code == 200
    assert (await shop.get("/api/offers")).json()["bundles"] == []
    assert (await shop.post("/api/bundles/set/withdraw")).status_code == 404


async def test_places_show_what_they_were_told(shop: httpx.AsyncClient) -> None:
    said = await shop.put("/api/placements/product:A", json={"products": ["Thing B"]})
    assert said.json() == {"place": "product:A", "products": ["B"]}
    assert (await shop.get("/api/placements/product:A")).json()["products"] == ["B"]
    assert (await shop.get("/api/placements/home")).json()["products"] == []
    assert (await shop.put("/api/placements/cellar", json={"products": []})).status_code == 400
    assert (await shop.put("/api/placements/home", json={"products": ["ghost"]})).status_code == 400


async def test_customers_are_entered_and_opt_out(shop: httpx.AsyncClient) -> None:
    agreed = await shop.put("/api/customers/anna/consent", json={"marketing": True})
    assert agreed.json() == {"customer": "anna", "marketing": True}
    (found,) = (await shop.get("/api/customers")).json()["items"]
    assert (found["name"], found["locale"], found["marketing_consent"]) == ("Anna", "de", True)
    await shop.put("/api/customers/anna/consent", json={"marketing": False})
    (found,) = (await shop.get("/api/customers")).json()["items"]
    assert found["marketing_consent"] is False
    nobody = await shop.put("/api/customers/nobody/consent", json={"marketing": True})
    assert nobody.status_code == 404
    wrong = await shop.put("/api/customers/x", json={"name": "X", "email": "no address"})
    assert wrong.status_code == 400


async def test_what_customers_do_and_wish_is_noted(shop: httpx.AsyncClient, api: Api) -> None:
    act = {"customer": "anna", "kind": "viewed", "product": "Thing A"}
    assert (await shop.post("/api/customer-activity", json=act)).status_code == 201
    search = {"customer": "anna", "kind": "searched", "text": "blue mug"}
    assert (await shop.post("/api/customer-activity", json=search)).status_code == 201
    assert (
        await shop.post("/api/customer-activity", json={**act, "kind": "sang"})
    ).status_code == 400
    assert (
        await shop.post("/api/customer-activity", json={**search, "text": ""})
    ).status_code == 400
    seen = await api.plane.store.customer_activity(NOW - timedelta(days=1))
    assert [(each.kind, each.sku, each.text) for each in seen] == [
        ("viewed", "A", ""),
        ("searched", "", "blue mug"),
    ]
    wish = {"customer": "anna", "product": "Thing B"}
    assert (await shop.post("/api/back-in-stock-subscriptions", json=wish)).status_code == 201
    assert list(await api.plane.store.back_in_stock_subscribers("B")) == ["anna"]
    nobody = await shop.post(
        "/api/back-in-stock-subscriptions", json={**wish, "customer": "nobody"}
    )
    assert nobody.status_code == 404


async def test_purchases_are_delayed_received_and_called_off(
    shop: httpx.AsyncClient, api: Api
) -> None:
    for n, sku in enumerate(("A", "B")):
        bought = await api.plane.store.apply(
            CreatePurchaseOrder(sku=sku, quantity=20), key=f"buy/{n}"
        )
        assert bought.applied
    first, second = (p["id"] for p in (await shop.get("/api/purchase-orders")).json()["items"])
    due = (NOW + timedelta(days=40)).isoformat()
    late = await shop.post(f"/api/purchase-orders/{first}/delay", json={"due_at": due})
    assert late.json() == {"purchase_id": first, "status": "open"}
    assert (
        await shop.post(f"/api/purchase-orders/{first}/delay", json={"due_at": "?"})
    ).status_code == (400)
    received = await shop.post(f"/api/purchase-orders/{first}/receive", json={"quantity": 15})
    assert received.json()["status"] == "received"
    assert (await shop.post(f"/api/purchase-orders/{first}/receive")).status_code == 409
    assert (await shop.post(f"/api/purchase-orders/{second}/cancel")).json()[
        "status"
    ] == "cancelled"
    assert (await shop.get("/api/purchase-orders")).json()["total"] == 0
    every = (await shop.get("/api/purchase-orders", params={"status": "all"})).json()
    assert [p["status"] for p in every["items"]] == ["received", "cancelled"]
    assert (await shop.get("/api/purchase-orders", params={"status": "lost"})).status_code == 400
    assert (await shop.post("/api/purchase-orders/99/cancel")).status_code == 404
    level = next(s for s in await api.plane.store.stock(["A"]))
    assert level.on_hand == 24


async def test_ways_to_pay_are_switched(shop: httpx.AsyncClient) -> None:
    for method, enabled in (("card", True), ("bank", True), ("card", False)):
        said = await shop.put(f"/api/payment-methods/{method}", json={"enabled": enabled})
        assert said.status_code == 200
    assert (await shop.get("/api/payment-methods")).json() == {
        "methods": {"bank": True, "card": False}
    }
