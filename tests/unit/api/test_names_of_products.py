"""A product that may be put may be ordered, whatever its name is written in."""

import httpx
import pytest

NAMES = [
    "コーヒー", "お茶", "緑茶ティー", "コーヒー豆", "茶", "ｺｰﾋｰ", "아메리카노", "김치 kimchi",
    "Nº5 soap", "Granny’s tea", "50% dark", "Café crème", "T-shirt (M)", "Tea, green",
    "Tea: green", '12" pan', "Mug 0.5 l", "½ l mug", "Zubehör №3", "Чай black", "Kaffee™",
    "3×Tee", "ชาเขียว", "शहद", "قهوة", "A/B test #1", "C♯ guitar", "vitamin B₁₂", "μ-sensor",
    "α-Tocopherol", "Tee & mehr!", "Œuf", "Crème brûlée 100 g", "Tシャツ", "A, B, C", "1:72 tank",
    "Käse~stück", "x*y", "[set]", "🎁 box", "e\u0301clair", "می‌خواهم", "Tea;loose", "=SUM(A1)",
    "x" * 200,
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
async def test_what_may_be_put_can_be_ordered(client: httpx.AsyncClient, name: str) -> None:
    body = {"name": name, "price": {"amount": "100", "currency": "EUR"}}
    assert (await client.put("/api/products/P1", json=body)).status_code == 201
    assert (await client.put("/api/stock/P1", json={"on_hand": 5})).status_code == 200
    text = f"{name}:2, Product A:1"
    assert (await client.post("/api/orders", json={"text": text})).status_code == 201
    lines = [{"product": name, "quantity": 1}]
    assert (await client.post("/api/orders", json={"lines": lines})).status_code == 201


@pytest.mark.parametrize(
    "name", ["Prоduct", "Αlpha", "my Теa", "pаypal card", "A\u200bB", "a\u202eb"]
)
async def test_what_looks_like_another_name_can_be_neither(client: httpx.AsyncClient, name: str):
    body = {"name": name, "price": {"amount": "100", "currency": "EUR"}}
    refused = await client.put("/api/products/P1", json=body)
    assert refused.status_code == 400
    assert "name" in refused.json()["message"]
    assert (await client.post("/api/orders", json={"text": f"{name}:1"})).status_code == 400
