"""An agent in its own process: it answers the plane, and nobody else."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from storecrew.domain.control.proposals import Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import ObservationRejected, Product, SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import AgentSettings, agent, wire
from storecrew.sdk.remote import RemoteAgent
from storecrew.testing.fake_store import FakeStore

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEY = wire.signing_key("token")
LOW = StockRanLow(sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0)


class ScarcitySettings(AgentSettings):
    why: str = "it runs low"


@agent(
    on=StockRanLow,
    allowed_actions=[SetPrice],
    publishes=[ObservationRejected],
    settings=ScarcitySettings,
)
async def scarcity(event, ctx):
    """Raise the price of what runs low."""
    product = await ctx.store.product(event.sku)
    price = Money.of("12.00", ctx.currency)
    yield Proposal(action=SetPrice(sku=product.sku, price=price), reason=ctx.settings.why)
    yield ObservationRejected(sku=product.sku, what="price", value="0", reason="odd")


@pytest.fixture
def served() -> RemoteAgent:
    mug = Product(sku="mug", name="Mug", price=Money.of("10.00", "EUR"))
    store = FakeStore(product_list=[mug])
    return RemoteAgent(agent=scarcity, key=KEY, store=store, now=lambda: NOW)


@pytest.fixture
async def plane(served):
    """Return a caller who signs with a key at a time."""
    transport = httpx.ASGITransport(app=served)
    wake = wire.AgentRequest(
        run="scarcity@1",
        attempt=1,
        agent="scarcity",
        now=NOW,
        currency="EUR",
        events=(LOW,),
        settings={"why": "it sells out"},
    )
    body = wire.encode_request(wake)
    async with httpx.AsyncClient(transport=transport, base_url="http://agent") as client:

        async def call(key=KEY, at=NOW, sent=body, signed=None):
            stamp = int(at.timestamp())
            signature = wire.sign(key, stamp, sent if signed is None else signed)
            headers = {wire.TIMESTAMP: str(stamp), wire.SIGNATURE: signature}
            return await client.post("/", content=sent, headers=headers)

        call.client = client  # type: ignore[attr-defined]
        yield call


async def test_what_the_agent_yields_travels_back(plane):
    answer = await plane()

    said = wire.decode_response(answer.content)
    [proposal] = said.proposals
    assert answer.status_code == 200
    assert proposal.action == SetPrice(sku="mug", price=Money.of("12.00", "EUR"))
    assert proposal.reason == "it sells out"
    assert said.events == (ObservationRejected(sku="mug", what="price", value="0", reason="odd"),)


async def test_a_call_that_the_plane_did_not_sign_is_refused(plane):
    assert (await plane(key=wire.signing_key("another"))).status_code == 401
    assert (await plane(at=NOW - timedelta(minutes=6))).status_code == 401
    assert (await plane(signed=b"something else")).status_code == 401
    assert (await plane.client.post("/", content=b"{}")).status_code == 401


async def test_a_signed_call_that_makes_no_sense_is_told_why(plane):
    answer = await plane(sent=b'{"wire": 2}')
    assert (answer.status_code, "wire" in answer.json()["error"]) == (400, True)


async def test_it_tells_that_it_is_alive_and_takes_nothing_else(plane):
    alive = await plane.client.get("/health")
    assert json.loads(alive.content) == {
        "status": "healthy",
        "service": "scarcity",
        "timestamp": NOW.isoformat(),
    }
    assert (await plane.client.put("/")).status_code == 405


async def test_a_call_without_end_is_not_read_to_its_end(served, monkeypatch):
    monkeypatch.setattr("storecrew.sdk.remote._MAX_CALL", 1000)
    read, sent = [], []

    async def receive():
        read.append(1)
        return {"type": "http.request", "body": bytes(400), "more_body": True}

    async def send(message):
        sent.append(message)

    await served({"type": "http", "method": "POST", "headers": []}, receive, send)
    assert (len(read), sent[0]["status"]) == (3, 401)
