"""Products over HTTP: what the owner sees, creates and prices."""

from typing import Any

import httpx
import pytest
from in_memory_api import Api

from storecrew.domain.errors import StorageBusy
from storecrew.domain.shop.catalog import CostChanged, PriceChanged
from storecrew.stores.sql import SqlStore


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


LAMP = {"name": "Lamp", "price": eur("9.90")}


async def test_a_product_is_created_shown_and_listed(client: httpx.AsyncClient) -> None:
    body = {**LAMP, "cost": eur("4.20"), "supplier": "acme", "pack_size": 6}

    made = await client.put("/api/products/lamp-1", json=body)

    assert made.status_code == 201
    assert made.json() == {"sku": "lamp-1", **body, "stocked": True, "retired": False}
    shown = (await client.get("/api/products/lamp-1")).json()
    assert shown == {"sku": "lamp-1", **body, "stocked": True, "retired": False, "assumed": []}
    listed = (await client.get("/api/products", params={"per_page": 2, "page": 2})).json()
    assert ([p["sku"] for p in listed["items"]], listed["total"], listed["pages"]) == (
        ["lamp-1"], 3, 2
    )  # fmt: skip


async def test_a_change_tells_of_its_price_and_cost_and_keeps_what_is_left_out(
    client: httpx.AsyncClient, store: SqlStore
) -> None:
    await client.put("/api/products/lamp", json={**LAMP, "pack_size": 6, "supplier": "acme"})
    before = len(await store.outbox(0))

    changed = await client.put(
        "/api/products/lamp", json={"name": "Lantern", "price": eur("11.50"), "cost": eur("5.00")}
    )

    assert changed.status_code == 200
    assert changed.json() == {
        "sku": "lamp", "name": "Lantern", "price": eur("11.50"), "cost": eur("5.00"),
        "supplier": "acme", "pack_size": 6, "stocked": True, "retired": False,
    }  # fmt: skip
    told = [published.event for _, published in (await store.outbox(0))[before:]]
    assert [type(e) for e in told if isinstance(e, CostChanged | PriceChanged)] == [
        CostChanged, PriceChanged
    ]  # fmt: skip


async def test_the_price_a_stock_report_left_open_is_set(client: httpx.AsyncClient) -> None:
    await client.put("/api/stock/Product C", json={"on_hand": 4})
    assert (await client.get("/api/products/Product C")).json()["price"] == eur("0.00")

    await client.put("/api/products/Product C", json={"name": "Product C", "price": eur("3.00")})

    placed = await client.post("/api/orders", json={"text": "Product C:2"})
    assert placed.json()["total"] == eur("6.00")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"price": None}, "price"),
        ({"price": eur("0")}, "price.amount"),
        ({"price": eur("-1")}, "price.amount"),
        ({"price": eur("1.005")}, "price.amount"),
        ({"price": {"amount": 9.9, "currency": "EUR"}}, "price.amount"),
        ({"price": {"amount": "9.90", "currency": "USD"}}, "price.currency"),
        ({"price": {"amount": "9.90"}}, "price.currency"),
        ({"cost": eur("x")}, "cost.amount"),
        ({"supplier": ""}, "supplier"),
        ({"pack_size": 0}, "pack_size"),
        ({"stocked": "yes"}, "stocked"),
        ({"colour": "red"}, "colour"),
    ],
)
async def test_a_product_that_cannot_be_is_refused_by_field(
    client: httpx.AsyncClient, wrong: dict[str, Any], field: str
) -> None:
    response = await client.put("/api/products/lamp", json={**LAMP, **wrong})

    assert (response.status_code, list(response.json()["fields"])) == (400, [field])
    assert (await client.get("/api/products/lamp")).status_code == 404


async def test_goods_do_not_become_a_service_and_nothing_else_changes(
    client: httpx.AsyncClient,
) -> None:
    await client.put("/api/products/lamp", json=LAMP)

    body = {"name": "Lamp", "price": eur("1.00"), "cost": eur("0.50"), "stocked": False}
    refused = await client.put("/api/products/lamp", json=body)

    assert (refused.status_code, list(refused.json()["fields"])) == (400, ["stocked"])
    known = (await client.get("/api/products/lamp")).json()
    assert (known["price"], known["cost"]) == (eur("9.90"), None)


async def test_a_key_puts_a_product_once_also_after_a_restart(api: Api) -> None:
    first, restarted = api.client(), api.client()
    headers = {"Idempotency-Key": "p1"}
    made = await first.put("/api/products/lamp", json=LAMP, headers=headers)
    await first.put("/api/products/lamp", json={**LAMP, "price": eur("20.00")})

    again = await restarted.put("/api/products/lamp", json=LAMP, headers=headers)

    assert (again.status_code, again.json()) == (made.status_code, made.json())
    assert (await first.get("/api/products/lamp")).json()["price"] == eur("20.00")
    for other in ({**LAMP, "cost": eur("1.00")}, {**LAMP, "price": eur("1.00")}):
        reused = await api.client().put("/api/products/lamp", json=other, headers=headers)
        assert reused.status_code == 422


async def test_an_unknown_product_is_not_found(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/products/nothing")
    assert (response.status_code, response.json()["error"]) == (404, "Product not found")


async def test_r057_older_clients_get_products_as_json(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v2/products", params={"limit": 1})

    content = answer.json()
    assert [item["sku"] for item in content["items"]] == ["Product A"]
    assert content.keys() == {"items", "count", "generatedAt", "source"}
    for limit in ("0", "251", "all"):
        refused = await client.get("/api/v2/products", params={"limit": limit})
        assert (refused.status_code, list(refused.json()["fields"])) == (400, ["limit"])


async def test_r057_a_shop_that_is_away_is_no_empty_list(api: Api, monkeypatch) -> None:
    async def away(*_args: Any, **_named: Any) -> Any:
        raise StorageBusy("store")

    monkeypatch.setattr(SqlStore, "product_page", away)
    answer = await api.client().get("/api/v2/products")
    assert (answer.status_code, "items" in answer.json()) == (503, False)
