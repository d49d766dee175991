"""Many requests answered together: what a filter means, what it comes to, and what failed."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_memory_api import Api, open_api

from storecrew.domain.control.events import RunRequested
from storecrew.domain.control.proposals import Effect
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.sdk import Context, Proposal, agent


@agent(name="buyer", allowed_actions=[CreatePurchaseOrder])
async def buyer(event: RunRequested, ctx: Context) -> Any:
    """Propose to buy units of three products at 2.00 each, worth four times their number."""
    for sku, quantity in (("A", 2), ("B", 5), ("C", 50)):
        worth = Money.of(4 * quantity, "EUR")
        yield Proposal(
            action=CreatePurchaseOrder(sku=sku, quantity=quantity),
            reason="it runs low",
            effect=Effect(low=worth, expected=worth, high=worth),
        )


@agent(name="pricer", allowed_actions=[SetPrice])
async def pricer(event: RunRequested, ctx: Context) -> Any:
    """Propose a price, whose benefit is not stated."""
    yield Proposal(
        action=SetPrice(sku="A", price=Money.of("10.10", "EUR")), reason="it sells too fast"
    )


@pytest.fixture
async def asked(tmp_path: Path) -> AsyncIterator[Api]:
    """A shop where four questions wait: three purchases and a price."""
    autonomy = {"STORECREW_POLICY__AUTONOMY": '{"*.*": "ask"}'}
    async with open_api(tmp_path, buyer, pricer, **autonomy) as api:
        for sku in ("A", "B", "C"):
            product = UpsertProduct(
                sku=sku, name=sku, price=Money.of(10, "EUR"), cost=Money.of(2, "EUR")
            )
            await api.plane.store.apply(product, key=f"put/{sku}")
        for name in ("buyer", "pricer"):
            await api.plane.request_run(name, by="person:owner")
        await api.settle()
        yield api


@pytest.fixture
def client(asked: Api) -> httpx.AsyncClient:
    return asked.client()


def quantities(listed: list[dict[str, Any]]) -> list[int | None]:
    """Return what the listed requests would buy, None for one that is no purchase."""
    return [each["filed"]["proposal"]["action"].get("quantity") for each in listed]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("order=benefit", [50, 5, 2, None]),
        ("agent=buyer&order=benefit", [50, 5, 2]),
        ("agent=pricer", [None]),
        ("action=CreatePurchaseOrder&order=benefit", [50, 5, 2]),
        ("action=SetPrice", [None]),
        ("max_cash_out=10&order=benefit", [5, 2, None]),
        ("max_cash_out=9.99&agent=buyer", [2]),
        ("max_cash_out=0", [None]),
        ("agent=pricer&action=CreatePurchaseOrder", []),
    ],
)
async def test_a_filter_narrows_and_the_benefit_sorts(
    client: httpx.AsyncClient, query: str, expected: list[int | None]
) -> None:
    response = await client.get(f"/api/approvals?{query}")
    assert quantities(response.json()) == expected
    assert response.headers["X-Total-Count"] == str(len(expected))


async def test_a_page_of_a_filter_holds_its_part(client: httpx.AsyncClient) -> None:
    path = "/api/approvals?agent=buyer&order=benefit&per_page=1"
    pages = [(await client.get(f"{path}&page={n}")).json() for n in (1, 2, 3, 4)]
    assert [quantities(page) for page in pages] == [[50], [5], [2], []]


@pytest.mark.parametrize(
    ("query", "field"),
    [("agent=buyr", "agent"), ("action=BuyAll", "action"), ("max_cash_out=-1", "max_cash_out")],
)
async def test_a_filter_that_means_nothing_is_refused(
    client: httpx.AsyncClient, query: str, field: str
) -> None:
    response = await client.get(f"/api/approvals?{query}")
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


async def test_a_dry_run_sums_up_and_answers_nothing(client: httpx.AsyncClient) -> None:
    body = {"decision": "approve", "agent": "buyer", "dry_run": True}
    found = (await client.post("/api/approvals/bulk-decision", json=body)).json()
    assert (len(found["matched"]), found["decided"]) == (3, [])
    assert found["cash_out"] == {"amount": "114.00", "currency": "EUR"}
    assert found["benefit"] == {"amount": "228", "currency": "EUR"}
    assert len((await client.get("/api/approvals")).json()) == 4


async def test_what_is_approved_together_is_carried_out_once_each(
    asked: Api, client: httpx.AsyncClient
) -> None:
    body = {"decision": "approve", "agent": "buyer", "max_cash_out": "10.00", "note": "small"}
    found = (await client.post("/api/approvals/bulk-decision", json=body)).json()
    assert (len(found["decided"]), found["failed"]) == (2, [])
    await asked.settle()
    bought = await asked.plane.store.purchase_orders()
    assert sorted((each.sku, each.quantity) for each in bought) == [("A", 2), ("B", 5)]
    again = (await client.post("/api/approvals/bulk-decision", json=body)).json()
    assert (again["matched"], again["decided"]) == ([], [])
    assert not await asked.plane.verify()


async def test_all_can_be_rejected_when_the_caller_says_all(client: httpx.AsyncClient) -> None:
    vague = await client.post("/api/approvals/bulk-decision", json={"decision": "reject"})
    assert (vague.status_code, list(vague.json()["fields"])) == (400, ["all_matching"])
    body = {"decision": "reject", "all_matching": True}
    found = (await client.post("/api/approvals/bulk-decision", json=body)).json()
    assert len(found["decided"]) == 4
    assert (await client.get("/api/approvals")).json() == []
