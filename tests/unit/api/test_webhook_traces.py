"""One trace leads from a signed delivery to the audit of what the shop changed."""

import hmac
import json
from pathlib import Path
from typing import Any

from in_memory_api import open_api

from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.sdk import Context, Proposal, agent

SECRET = "shop-secret-of-32-characters-0001"  # noqa: S105 - of this test
BODY = json.dumps({"event_type": "season_started", "data": {"sku": "Product A"}}).encode()


@agent(name="seasonal", on=ExternalEventReceived, allowed_actions=[SetPrice])
async def seasonal(event: ExternalEventReceived, ctx: Context) -> Any:
    """Propose the season's price of the product that a delivery names."""
    action = SetPrice(sku=str(event.data["sku"]), price=Money.of("10.20", "EUR"))
    yield Proposal(action=action, reason="the season has begun")


async def test_r144_one_trace_from_webhook_to_audit(tmp_path: Path) -> None:
    secret = {
        "STORECREW_WEBHOOKS__SHOP__SECRET": SECRET,
        "STORECREW_POLICY__AUTONOMY": json.dumps({"*.SetPrice": "auto"}),
    }
    async with open_api(tmp_path, seasonal, **secret) as api:
        product = UpsertProduct(
            sku="Product A",
            name="Product A",
            price=Money.of(10, "EUR"),
            cost=Money.of(5, "EUR"),
        )
        await api.plane.store.apply(product, key="product")
        client = api.client()
        signature = hmac.digest(SECRET.encode(), BODY, "sha256").hex()
        headers = {"X-Signature": signature, "Content-Type": "application/json"}
        delivered = await client.post("/webhooks/shop", content=BODY, headers=headers)
        await api.settle()

        trace = (await client.get(f"/api/traces/e{delivered.json()['event_id']}")).json()
        (event,), (run,), (story,) = trace["events"], trace["runs"], trace["stories"]
        (entry,) = trace["audit"]
        assert event["source"] == "webhook:shop"
        assert (run["agent"], run["status"]) == ("seasonal", "done")
        assert story["filed"]["run"] == run["id"]
        assert (entry["subject"], entry["result"]) == (story["filed"]["id"], "applied")
        assert entry["after"]["price"]["amount"] == "10.20"
        (listed,) = await api.plane.store.products(["Product A"])
        assert listed.price == Money.of("10.20", "EUR")
        for name in (run["id"], story["filed"]["id"]):
            assert (await client.get(f"/api/traces/{name}")).json() == trace
