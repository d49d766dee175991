"""What came of campaigns and prices, and parity, over HTTP."""

from datetime import timedelta

import httpx
import pytest
from in_memory_api import NOW

from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.promotions import StartCampaign
from storecrew.stores.sql import SqlStore


async def test_a_campaign_is_reported_over_http(client: httpx.AsyncClient, store: SqlStore) -> None:
    await store.put_customers(
        [Customer(id=each, name=each, marketing_consent=True) for each in ("anna", "ben", "cem")]
    )
    begun = StartCampaign(
        name="win-back 2026-W10",
        segment="everybody",
        title="Hello",
        body="Hello.",
        recipients=("anna", "ben"),
        holdout=("cem",),
        ends_at=NOW + timedelta(days=14),
    )
    assert (await store.apply(begun, key="test/campaign")).applied

    (listed,) = (await client.get("/api/campaigns")).json()["campaigns"]
    shown = await client.get("/api/campaigns/win-back 2026-W10")
    assert shown.json() == listed
    assert (listed["recipients"], listed["holdout"], listed["over"]) == (2, 1, False)
    assert listed["order_rate"] == 0
    assert (await client.get("/api/campaigns/none")).status_code == 404


async def test_r137_bias_report_over_http(client: httpx.AsyncClient) -> None:
    said = (await client.get("/api/reports/bias?days=30")).json()
    assert {finding["measure"] for finding in said["findings"]} >= {"price_paid", "campaigns"}
    assert not any(finding["gap"] for finding in said["findings"])
    assert said["terms"]["least_ratio"] == 0.8


@pytest.mark.parametrize("days", ["0", "731", "many"])
async def test_a_period_that_is_none_is_refused(client: httpx.AsyncClient, days: str) -> None:
    assert (await client.get(f"/api/reports/bias?days={days}")).status_code == 400


async def test_price_changes_are_followed_up_over_http(client: httpx.AsyncClient) -> None:
    said = (await client.get("/api/reports/prices")).json()
    assert said == {
        "changes": [], "as_expected": 0, "judged": 0, "expected_gain": None, "gain": None
    }  # fmt: skip
