"""The order system's own paths, as its first clients know them: five agents by number."""

from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from in_memory_api import Api, Place

from storecrew.stores.sql import SqlStore


async def rows(store: SqlStore, statement: str) -> list[tuple[Any, ...]]:
    """Ask the database itself, past everything that the product reads with."""
    return await store.database.read(lambda c: [tuple(r) for r in c.execute(sa.text(statement))])


async def test_r099_r110_a_mail_becomes_an_order_with_its_units_reserved(
    client: httpx.AsyncClient, store: SqlStore
) -> None:
    mail = {"mail": "Product A:5, Product B:10"}
    response = await client.post("/agent/1/mail", json=mail)

    assert response.status_code == 200
    order = response.json()
    assert order.keys() == {"response", "order_id", "status", "stock_check"}
    assert (order["order_id"] > 0, order["status"]) == (True, "received")
    assert order["stock_check"] == {"Product A": "reserved", "Product B": "reserved"}
    lines = await rows(store, "SELECT order_id, product, quantity FROM order_items ORDER BY id")
    number = order["order_id"]
    assert lines == [(number, "Product A", 5), (number, "Product B", 10)]
    reserved = {level.sku: level.reserved for level in await store.stock()}
    assert reserved == {"Product A": 5, "Product B": 10}


async def test_r099_short_stock_names_the_missing_units_and_nothing_is_saved(
    client: httpx.AsyncClient, store: SqlStore
) -> None:
    response = await client.post("/agent/1/mail", json={"mail": "Product A:101, Product B:1"})

    assert (response.status_code, response.json()["error"]) == (409, "Short stock")
    assert response.json()["missing"] == {"Product A": 1}
    for table in ("orders", "order_items", "reservations"):
        assert await rows(store, f"SELECT * FROM {table}") == []  # noqa: S608 - named above
    assert {level.reserved for level in await store.stock()} == {0}


async def test_r100_warehouse_update_is_all_or_nothing(
    client: httpx.AsyncClient, place: Place, store: SqlStore
) -> None:
    await place("Product A:5")
    before = await rows(store, "SELECT * FROM stock_history")
    refused = await client.post("/agent/2/warehouse", json={"stock": "Product B:7, Product A:4"})
    assert (refused.status_code, refused.json()["error"]) == (409, "Below reserved")
    levels = {i["product"]: i["on_hand"] for i in (await client.get("/api/stock")).json()["items"]}
    assert levels == {"Product A": 100, "Product B": 100}
    assert await rows(store, "SELECT * FROM stock_history") == before

    done = await client.post("/agent/2/warehouse", json={"stock": "Product A:50units, New one:3"})

    assert done.json() == {
        "message": "2 stock levels set",
        "updated_items": {"Product A": 50, "New one": 3},
        "current_stock": {"Product A": 50, "New one": 3},
    }
    added = "SELECT product, quantity_change, new_quantity FROM stock_history ORDER BY id"
    assert (await rows(store, added))[len(before) :] == [("Product A", -50, 50), ("New one", 3, 3)]


async def test_r101_an_approval_asks_for_the_payment_and_refuses_another_text(
    client: httpx.AsyncClient, place: Place
) -> None:
    number = (await place("Product A:2")).json()["id"]
    wrong = await client.post("/agent/3/approve", json={"order_id": number, "order": "Product A:3"})
    assert (wrong.status_code, list(wrong.json()["fields"])) == (400, ["order"])
    assert (await client.get(f"/api/orders/{number}")).json()["status"] == "received"

    right = await client.post(
        "/agent/3/approve", json={"order_id": number, "order": "Product A:1, Product A:1"}
    )

    assert right.status_code == 200
    approved = right.json()
    assert approved.keys() == {"response", "payment_order", "order_id", "status"}
    assert (approved["order_id"], approved["status"]) == (number, "awaiting_payment")
    assert str(number) in approved["payment_order"]


async def test_r102_r103_an_order_is_sent_once_paid_and_delivered_once(
    client: httpx.AsyncClient, place: Place
) -> None:
    number = {"order_id": (await place("Product A:5, Product B:10")).json()["id"]}
    await client.post("/agent/3/approve", json=number)
    unpaid = await client.post("/agent/4/fulfilled", json=number)
    assert (unpaid.status_code, unpaid.json()["error"]) == (409, "Unpaid")
    payment = {"reference": "bank-1", "amount": "150.00"}
    await client.post(f"/api/orders/{number['order_id']}/payments", json=payment)

    sent = (await client.post("/agent/4/fulfilled", json=number)).json()
    assert sent.keys() == {"confirmation", "updated_stock", "status"}
    assert sent["updated_stock"] == {"Product A": 95, "Product B": 90}
    assert sent["status"] == "awaiting_delivery"
    done = await client.post("/agent/4/delivery-complete", json=number)
    assert done.json() == {"success": True, "status": "delivered"}
    again = await client.post("/agent/4/delivery-complete", json=number)
    assert (again.status_code, again.json()["from"]) == (409, "delivered")
    unknown = await client.post("/agent/4/delivery-complete", json={"order_id": 77})
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Order not found")


async def test_r112_oversight_counts_equal_sql(
    client: httpx.AsyncClient, place: Place, store: SqlStore
) -> None:
    numbers = [(await place("Product A:1")).json()["id"] for _ in range(6)]
    for number in numbers[:4]:
        await client.post("/agent/3/approve", json={"order_id": number})
    await client.post(f"/api/orders/{numbers[0]}/payments", json={"reference": "r"})
    await client.post(f"/api/orders/{numbers[5]}/cancel")
    await client.put("/api/stock/Product B", json={"on_hand": 2})

    seen = (await client.get("/agent/5/oversight")).json()

    assert seen.keys() == {"metrics", "insights", "status"}
    metrics = seen["metrics"]
    states = dict(await rows(store, "SELECT status, count(*) FROM orders GROUP BY status"))
    assert {state: n for state, n in metrics["orders"].items() if n} == states
    assert states == {"received": 1, "awaiting_payment": 4, "cancelled": 1}
    paid = "SELECT count(*) FROM orders WHERE status = 'awaiting_payment' AND paid_minor > 0"
    assert [(metrics["paid_not_sent"],)] == await rows(store, paid) == [(1,)]
    low = "SELECT product, on_hand - reserved FROM stock WHERE on_hand - reserved < 5"
    named = [(each["sku"], each["available"]) for each in metrics["low_stock"]]
    assert named == await rows(store, low) == [("Product B", 2)]
    assert [(metrics["total_orders"],)] == await rows(store, "SELECT count(*) FROM orders")


async def test_r113_each_recommendation_stands_with_its_evidence(
    client: httpx.AsyncClient, place: Place
) -> None:
    assert (await client.get("/agent/5/recommendations")).json()["recommendations"] == []
    for _ in range(3):
        await place("Product A:1")
    await client.put("/api/stock/Product B", json={"on_hand": 2})

    advice = (await client.get("/agent/5/recommendations")).json()

    assert advice.keys() == {"recommendations", "metrics"}
    assert advice["metrics"]["pending_approvals"] == 3
    by_title = {each["title"]: each["evidence"] for each in advice["recommendations"]}
    assert by_title["Approve waiting orders"]["count"] == 3
    assert len(by_title) == 2
    assert all(by_title.values())


async def test_p13_the_five_agents_describe_themselves(client: httpx.AsyncClient) -> None:
    for number in "12345":
        assert set((await client.get(f"/agent/{number}")).json()) == {"name", "description"}
    sixth = await client.get("/agent/6")
    assert (sixth.status_code, sixth.json()["error"]) == (404, "Agent not found")


async def test_r111_pages_tile_without_overlap(client: httpx.AsyncClient, place: Place) -> None:
    placed = [(await place("Product A:1")).json()["id"] for _ in range(7)]
    for path, name in (("/api/orders", "items"), ("/api/logs", "orders")):
        pages = [
            (await client.get(path, params={"page": page, "per_page": 3})).json()
            for page in (1, 2, 3, 4)
        ]
        seen = [order["id"] for page in pages for order in page[name]]
        assert seen == sorted(placed, reverse=True)
        assert {(page["total"], page["pages"]) for page in pages} == {(7, 3)}
        whole = (await client.get(path)).json()
        assert (whole["page"], whole["per_page"], len(whole[name])) == (1, 50, 7)


LISTS = {
    "/api/orders": "items", "/api/logs": "orders", "/api/products": "items",
    "/api/customers": "items", "/api/events": "items", "/api/runs": "items",
    "/api/audit": "items", "/api/proposals": "items",
    "/api/stock": "items", "/api/v2/products": "items", "/api/inventory/status": "items",
}  # fmt: skip


async def test_r111_the_total_is_that_of_all_pages(
    api: Api, client: httpx.AsyncClient, place: Place
) -> None:
    for n in range(3):
        await place("Product A:1")
        await client.put(f"/api/customers/c{n}", json={"name": f"C{n}"})
        await client.post("/api/events", json={"event_type": "user_browsing", "data": {"n": n}})
        await api.plane.request_run("pricing", by="person:t", parameters={"price": f"10.{n}0"})
    await api.settle()
    seen = {}
    for path, name in LISTS.items():
        first = (await client.get(path, params={"per_page": 1})).json()
        if "total" not in first:
            continue
        whole = (await client.get(path, params={"per_page": 200})).json()
        assert (len(first[name]), first["per_page"]) == (1, 1), path
        assert first["total"] == first["pages"] == len(whole[name]) == whole["total"], path
        seen[path] = first["total"]
    assert seen.keys() >= {"/api/orders", "/api/logs", "/api/products", "/api/runs", "/api/audit"}
    assert min(seen.values()) > 1


@pytest.mark.parametrize("query", ["per_page=0", "per_page=201", "page=0", "page=x"])
async def test_r111_a_page_out_of_bounds_is_refused(client: httpx.AsyncClient, query: str) -> None:
    for path in ("/api/orders", "/api/logs", "/api/runs", "/api/audit", "/api/products"):
        response = await client.get(f"{path}?{query}")
        assert response.status_code == 400
        assert list(response.json()["fields"]) == [query.partition("=")[0]]
