"""What has to be packed, the tracking number, and returns in part."""

import httpx
import pytest
from in_memory_api import Api, Place

from storecrew.agents.communications.wording import OrderFacts, OrderNews, about_order
from storecrew.domain.money import Money


async def paid(client: httpx.AsyncClient, place: Place, text: str = "Product A:2") -> int:
    """Place an order, approve it, and pay it."""
    number = (await place(text)).json()["id"]
    await client.post(f"/api/orders/{number}/approve")
    total = (await client.get(f"/api/orders/{number}")).json()["total"]["amount"]
    body = {"reference": f"pi-{number}", "amount": total}
    assert (await client.post(f"/api/orders/{number}/payments", json=body)).status_code == 200
    return int(number)


async def to_pack(client: httpx.AsyncClient) -> list[int]:
    return [order["id"] for order in (await client.get("/api/orders/to-pack")).json()]


async def test_paid_orders_wait_to_be_packed_until_they_are_sent(
    client: httpx.AsyncClient, place: Place
) -> None:
    unpaid = (await place()).json()["id"]
    await client.post(f"/api/orders/{unpaid}/approve")
    first, second = await paid(client, place), await paid(client, place, "Product B:1")
    assert await to_pack(client) == [first, second]
    await client.post(f"/api/orders/{first}/hold", json={"reason": "odd address"})
    assert await to_pack(client) == [second]
    await client.post(f"/api/orders/{second}/fulfil")
    assert await to_pack(client) == []
    await client.post(f"/api/orders/{first}/release")
    assert await to_pack(client) == [first]


async def test_the_tracking_number_stays_with_the_order(
    api: Api, client: httpx.AsyncClient, place: Place
) -> None:
    number, other = await paid(client, place, "Product A:1, Product B:2"), await paid(client, place)
    sent = await client.post(f"/api/orders/{number}/fulfil", json={"tracking": "JD0146 0001"})
    await client.post(f"/api/orders/{other}/fulfil")
    assert sent.status_code == 200
    assert (await client.get(f"/api/orders/{number}")).json()["tracking"] == "JD0146 0001"
    assert (await client.get(f"/api/orders/{other}")).json()["tracking"] == ""
    assert not await api.plane.verify()


@pytest.mark.parametrize("tracking", ["x" * 201, "a\nb", "\x1b[2J", 7])
async def test_what_is_no_tracking_number_is_refused_and_nothing_is_sent(
    client: httpx.AsyncClient, place: Place, tracking: object
) -> None:
    number = await paid(client, place)
    refused = await client.post(f"/api/orders/{number}/fulfil", json={"tracking": tracking})
    assert refused.status_code in (400, 422)
    assert await to_pack(client) == [number]


@pytest.mark.parametrize("locale", ["en", "de", "fr"])
def test_the_customer_is_told_the_tracking_number_when_the_parcel_leaves(locale: str) -> None:
    facts = OrderFacts(name="Ada", number=7, total=Money.of(10, "EUR"), tracking="JD0146")
    for news in OrderNews:
        _, body = about_order(news, facts, locale)
        assert ("JD0146" in body) is (news is OrderNews.SHIPPED)


async def test_a_part_of_an_order_comes_back(client: httpx.AsyncClient, place: Place) -> None:
    number = await paid(client, place, "Product A:2, Product B:1")
    await client.post(f"/api/orders/{number}/fulfil")
    await client.post(f"/api/orders/{number}/deliver")
    body = {"lines": [{"product": "Product A", "quantity": 1}], "reason": "too small"}
    assert (await client.post(f"/api/orders/{number}/returns", json=body)).status_code == 200
    order = (await client.get(f"/api/orders/{number}")).json()
    assert order["returned"] == [{"sku": "Product A", "quantity": 1}]
    assert order["paid"]["amount"] == "20.00"
