"""The daily briefing: yesterday beside its weekdays, what was done, what waits."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_memory_api import CREW, NOW, Api, ManualClock, open_api

from storecrew.app.briefing import daily_briefing
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.reports.briefing import lines

YESTERDAY = NOW - timedelta(days=1)


@pytest.fixture
async def shop(tmp_path: Path) -> Any:
    autonomy = {"STORECREW_POLICY__AUTONOMY": json.dumps({"*.SetPrice": "limits"})}
    clock = ManualClock(NOW - timedelta(weeks=10))
    async with open_api(tmp_path, *CREW, clock=clock, **autonomy) as api:
        product = UpsertProduct(
            sku="Product A", name="Product A", price=Money.of(10, "EUR"), cost=Money.of(4, "EUR")
        )
        await api.plane.store.apply(product, key="product")
        stock = SetStock(levels=(StockCount(sku="Product A", on_hand=900),))
        await api.plane.store.apply(stock, key="stock")
        yield api


async def order(api: Api, at: datetime, quantity: int) -> int:
    """Place an order at a moment."""
    api.plane.clock.at = at  # type: ignore[attr-defined]
    text = f"Product A:{quantity}"
    response = await api.client().post("/api/orders", json={"text": text})
    return int(response.json()["id"])


async def test_yesterday_stands_beside_its_own_weekdays(shop: Api) -> None:
    for week, quantity in enumerate((3, 5, 4, 4, 3, 5, 4, 4), start=1):
        await order(shop, YESTERDAY - timedelta(weeks=week), quantity)
        await order(shop, YESTERDAY - timedelta(weeks=week, days=2), 90)  # another weekday
    await order(shop, YESTERDAY, 9)
    shop.plane.clock.at = NOW  # type: ignore[attr-defined]

    found = (await daily_briefing(shop.plane)).yesterday

    assert (found.day, found.orders) == (YESTERDAY.date(), 1)
    assert found.sales == Money.of(90, "EUR")
    assert found.usual_low is not None
    assert found.usual_high is not None
    assert Money.of(28, "EUR") < found.usual_low < Money.of(32, "EUR")  # 40 ± 1.28 · 7.6 · 1.06
    assert Money.of(48, "EUR") < found.usual_high < Money.of(52, "EUR")


async def test_three_such_days_are_too_few_to_state_a_range(shop: Api) -> None:
    for week in (1, 2, 3):
        await order(shop, YESTERDAY - timedelta(weeks=week), 3)
    shop.plane.clock.at = NOW  # type: ignore[attr-defined]
    found = await daily_briefing(shop.plane)
    assert (found.yesterday.usual_low, found.yesterday.usual_high) == (None, None)
    assert "too few such weekdays" in lines(found)[0][1]


async def test_a_day_is_the_shops_own(tmp_path: Path) -> None:
    zone = {"STORECREW_POLICY__ZONE": "Asia/Tokyo"}
    clock = ManualClock(NOW.replace(hour=16))  # the second of March has begun in Tokyo at 15:00
    async with open_api(tmp_path, *CREW, clock=clock, **zone) as api:
        found = await daily_briefing(api.plane)
    assert found.yesterday.day == NOW.date()


async def test_what_was_done_alone_and_what_waits_are_told(shop: Api) -> None:
    client: httpx.AsyncClient = shop.client()
    number = await order(shop, NOW, 2)
    await client.post(f"/api/orders/{number}/hold", json={"reason": "odd address"})
    other = await order(shop, NOW, 1)
    await client.post(f"/api/orders/{other}/approve")
    await client.post(f"/api/orders/{other}/payments", json={"reference": "b", "amount": "10.00"})
    await client.post("/api/agents/pricing/execute", json={"price": "10.20"})
    await shop.settle()
    await client.post("/api/agents/pricing/execute", json={"price": "99.00"})
    await shop.settle()

    found = (await client.get("/api/briefing")).json()

    assert [(w["agent"], w["action"], w["count"]) for w in found["done"]] == [
        ("pricing", "SetPrice", 1)
    ]
    assert found["waiting"] == {
        "approvals": 1,
        "held_orders": 1,
        "orders_to_pack": 1,
        "tickets": 0,
    }
    undone = await client.post(f"/api/proposals/{found['done'][0]['proposals'][0]}/undo")
    assert undone.status_code == 200
    text = "\n".join(text for _, text in lines(await daily_briefing(shop.plane)))
    assert "1 question: storecrew approvals list" in text
    assert "1 held order: storecrew orders list --held" in text
    assert "1 paid order to pack: " in text


async def test_an_empty_shop_has_a_briefing(tmp_path: Path) -> None:
    async with open_api(tmp_path, *CREW) as api:
        found = await daily_briefing(api.plane)
    assert (found.done, found.incidents, found.failed_runs) == ([], [], 0)
    assert [heading for heading, _ in lines(found)] == ["Sunday 2026-03-01", "the crew"]
