"""Orders over HTTP, from the first mail to the return."""

import httpx
import pytest
from in_memory_api import Api, Place


async def test_an_order_goes_through_its_whole_life(client: httpx.AsyncClient) -> None:
    placed = await client.post("/agent/1/mail", json={"mail": "Product A:5, Product B:10"})
    assert placed.status_code == 200
    order = placed.json()
    assert order["status"] == "received"
    assert order["stock_check"] == {"Product A": "reserved", "Product B": "reserved"}
    number = {"order_id": order["order_id"]}

    approved = (await client.post("/agent/3/approve", json=number)).json()
    assert (approved["status"], approved["order_id"]) == ("awaiting_payment", order["order_id"])
    unpaid = await client.post("/agent/4/fulfilled", json=number)
    assert (unpaid.status_code, unpaid.json()["error"]) == (409, "Unpaid")
    payment = {"reference": "bank-1", "amount": "150.00"}
    paid = await client.post(f"/api/orders/{order['order_id']}/payments", json=payment)
    assert paid.status_code == 200
    sent = (await client.post("/agent/4/fulfilled", json=number)).json()
    assert sent["updated_stock"] == {"Product A": 95, "Product B": 90}
    done = (await client.post("/agent/4/delivery-complete", json=number)).json()
    assert done == {"success": True, "status": "delivered"}
    back = await client.post(f"/api/orders/{order['order_id']}/returns", json={"reason": "broken"})
    assert back.json()["status"] == "returned"
    shown = (await client.get(f"/api/orders/{order['order_id']}")).json()
    assert shown["status"] == "returned"


async def test_json_lines_place_an_order_and_answer_201(client: httpx.AsyncClient) -> None:
    body = {"lines": [{"product": "Product A", "quantity": 2}], "customer": "ada"}
    response = await client.post("/api/orders", json=body)
    assert response.status_code == 201
    assert response.json()["id"] > 0
    assert response.json()["status"] == "received"


async def test_short_stock_is_a_conflict_that_names_the_missing_units(place: Place) -> None:
    response = await place("Product A:101, Product B:1")
    assert response.status_code == 409
    assert response.json()["missing"] == {"Product A": 1}
    assert response.json()["error"] == "Short stock"


async def test_r104_an_illegal_move_names_from_and_to(
    client: httpx.AsyncClient, place: Place
) -> None:
    number = (await place()).json()["id"]
    response = await client.post(f"/api/orders/{number}/deliver")
    assert response.status_code == 409
    assert response.json()["error"] == "Illegal move"
    assert (response.json()["from"], response.json()["to"]) == ("received", "delivered")


async def test_an_unknown_order_is_not_found(client: httpx.AsyncClient) -> None:
    for response in (
        await client.get("/api/orders/77"),
        await client.post("/api/orders/77/approve"),
        await client.post("/agent/4/delivery-complete", json={"order_id": 77}),
    ):
        assert response.status_code == 404
        assert response.json()["error"] == "Order not found"


@pytest.mark.parametrize(
    "text",
    [
        "Product<script>:1",
        "Product A:-5",
        "Product A:0",
        "Product A:+1",
        "Product A:1.5kg",
        "Product A:5units",
        "x'; DROP TABLE orders;--:1",
        "Nobody knows:1",
        "",
        "Product A",
    ],
)
async def test_r032_order_text_that_is_no_order_is_refused(place: Place, text: str) -> None:
    response = await place(text)
    assert response.status_code == 400
    assert response.json()["error"] == "Invalid input"
    assert response.json()["fields"]


@pytest.mark.parametrize(
    "line",
    [{"product": "Product A", "quantity": q} for q in (0, -1, 1.5, "2", True, 10**9)]
    + [{"product": "Product A"}, {"product": "", "quantity": 1}, {"product": "a", "q": 1}],
)
async def test_order_lines_are_checked_strictly(
    client: httpx.AsyncClient, line: dict[str, object]
) -> None:
    response = await client.post("/api/orders", json={"lines": [line]})
    assert response.status_code == 400
    assert any(field.startswith("lines.0") for field in response.json()["fields"])


async def test_the_same_key_and_body_give_the_first_answer(api: Api) -> None:
    first, restarted = api.client(), api.client()  # the second remembers nothing
    body, headers = {"text": "Product A:2"}, {"Idempotency-Key": "k1"}
    answers = [
        await client.post("/api/orders", json=body, headers=headers)
        for client in (first, first, restarted)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_same_key_and_another_body_are_refused(api: Api) -> None:
    first, restarted = api.client(), api.client()
    headers = {"Idempotency-Key": "k1"}
    await first.post("/api/orders", json={"text": "Product A:2"}, headers=headers)
    for client in (first, restarted):
        response = await client.post("/api/orders", json={"text": "Product A:3"}, headers=headers)
        assert response.status_code == 422


async def test_a_key_that_is_no_key_is_refused(place: Place) -> None:
    response = await place(**{"Idempotency-Key": "x" * 201})
    assert response.status_code == 400


async def test_r129_a_level_may_be_set_to_zero_and_for_an_unusual_name(
    client: httpx.AsyncClient,
) -> None:
    zero = await client.put("/api/stock/Product B", json={"on_hand": 0})
    assert zero.json() == {"product": "Product B", "warehouse": "main", "on_hand": 0}
    await client.put("/api/stock/Product B", json={"on_hand": 7, "warehouse": "east"})
    odd = await client.put("/api/stock/Gläser: 6er, blau", json={"on_hand": 4, "warehouse": "east"})
    assert odd.status_code == 200
    items = (await client.get("/api/inventory/status")).json()["items"]
    by_warehouse = {
        item["product"]: {place["warehouse"]: place["on_hand"] for place in item["locations"]}
        for item in items
    }
    assert by_warehouse == {
        "Product A": {"main": 100},
        "Product B": {"main": 0, "east": 7},
        "Gläser: 6er, blau": {"east": 4},
    }
    assert {item["product"]: item["total"] for item in items} == {
        "Product A": 100,
        "Product B": 7,
        "Gläser: 6er, blau": 4,
    }
    history = (await client.get("/api/stock-history?limit=1")).json()["history"]
    assert [entry["on_hand"] for entry in history] == [4]


@pytest.mark.parametrize("amount", ["12.005", "-1", "1e5", "x", 12])
async def test_an_amount_that_is_no_money_is_refused(
    client: httpx.AsyncClient, place: Place, amount: object
) -> None:
    number = (await place()).json()["id"]
    await client.post(f"/api/orders/{number}/approve")
    body = {"reference": "r", "amount": amount}
    response = await client.post(f"/api/orders/{number}/payments", json=body)
    assert (response.status_code, list(response.json()["fields"])) == (400, ["amount"])
