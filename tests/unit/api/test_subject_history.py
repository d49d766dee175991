"""What happened to one order or product: the audit, the trace and the list of held orders."""

from typing import Any

import httpx
import pytest
from in_memory_api import Api, Place

from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice


@pytest.fixture
async def shop(api: Api, client: httpx.AsyncClient, place: Place) -> httpx.AsyncClient:
    """A shop with two orders, the first approved, held and released, and a price that moved."""
    assert (await place()).json()["id"] == 1
    assert (await place("Product B:1")).json()["id"] == 2
    await client.post("/api/orders/1/approve")
    await client.post("/api/orders/1/hold", json={"reason": "odd address"})
    price = SetPrice(sku="Product A", price=Money.of("10.40", "EUR"))
    await api.plane.store.apply(price, key="price", actor="person:ada")
    await api.settle()
    return client


async def audited(client: httpx.AsyncClient, query: str) -> list[dict[str, Any]]:
    """Return the audit's entries of a query."""
    response = await client.get(f"/api/audit?per_page=200&{query}")
    assert response.status_code == 200, response.text
    return response.json()["items"]


async def test_the_audit_of_an_order_holds_all_and_only_what_was_done_to_it(
    shop: httpx.AsyncClient,
) -> None:
    found = await audited(shop, "subject=order:1")
    kinds = [entry["action"]["type"] for entry in found]
    assert kinds == ["OrderHeld", "OrderApproved", "OrderPlaced"]
    assert {entry["action"]["order_id"] for entry in found} == {1}
    assert await audited(shop, "subject=order:11") == []


async def test_a_product_is_found_by_its_whole_name(shop: httpx.AsyncClient) -> None:
    found = await audited(shop, "subject=product:Product A")
    assert found[0]["action"]["type"] == "PriceChanged"
    assert {entry["action"]["sku"] for entry in found if "sku" in entry["action"]} == {"Product A"}
    assert await audited(shop, "subject=product:Product") == []
    assert await audited(shop, "subject=product:%25") == []


async def test_filters_are_combined(shop: httpx.AsyncClient) -> None:
    by_ada = await audited(shop, "actor=person:ada")
    assert [entry["action"]["type"] for entry in by_ada] == ["PriceChanged"]
    assert await audited(shop, "actor=person:ada&subject=order:1") == []
    assert await audited(shop, "since=2999-01-01T00:00:00Z") == []
    everything = await audited(shop, "")
    assert await audited(shop, "since=2000-01-01T00:00:00Z") == everything


@pytest.mark.parametrize(
    ("query", "field"),
    [("subject=order", "subject"), ("subject=thing:1", "subject"), ("since=2026-01-01", "since")],
)
async def test_a_filter_that_cannot_be_meant_is_refused(
    shop: httpx.AsyncClient, query: str, field: str
) -> None:
    response = await shop.get(f"/api/audit?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


async def test_a_page_of_a_subject_is_counted_by_itself(shop: httpx.AsyncClient) -> None:
    path = "/api/audit?subject=order:1&per_page=2"
    first, second = [(await shop.get(f"{path}&page={n}")).json() for n in (1, 2)]
    assert (first["total"], first["pages"], second["total"]) == (3, 2, 3)
    assert (len(first["items"]), len(second["items"])) == (2, 1)


async def test_the_trace_of_an_order_is_of_all_its_events(shop: httpx.AsyncClient) -> None:
    trace = (await shop.get("/api/traces/order:1")).json()
    assert [event["event"]["type"] for event in trace["events"]] == [
        "OrderPlaced",
        "OrderApproved",
        "OrderHeld",
    ]
    assert (await shop.get("/api/traces/order:99")).status_code == 404


async def test_held_orders_are_listed_until_they_are_released(shop: httpx.AsyncClient) -> None:
    held = (await shop.get("/api/orders?held=true")).json()
    assert (held["total"], held["items"][0]["id"]) == (1, 1)
    assert held["items"][0]["held"] == "odd address"
    others = (await shop.get("/api/orders?held=false")).json()
    assert [order["id"] for order in others["items"]] == [2]
    assert (await shop.get("/api/orders?held=true&status=received")).json()["total"] == 0
    await shop.post("/api/orders/1/release")
    assert (await shop.get("/api/orders?held=true")).json()["items"] == []
