"""Every route that writes leaves a row of the audit which names the caller."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from in_memory_api import Api, named, open_api
from route_paths import ROUTES

from storecrew.domain.actions import Command
from storecrew.domain.control.agents import Budget
from storecrew.domain.control.incidents import OpenIncident
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.messages import SuppressAddress
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.journal.control_actions import OperationContext, SqlControlActions

READS = {
    "POST /api/store/queries/{question}",
    "POST /api/intents",
    "POST /api/product-pages",
}
"""Questions with a body: they change nothing."""
REPORTS = {
    "POST /api/agents/{agent_id}/heartbeat",
    "POST /api/services/{service}/health",
    "POST /api/services/{service}/deregister",
}
"""What programs say of themselves, many times an hour."""
ELSEWHERE = {
    "POST /api/services", "POST /api/services/announce", "PUT /api/services/{service}/start",
    "PUT /api/services/{service}/stop", "PUT /api/services/{service}/restart",
    "POST /webhooks/{source}", "POST /unsubscribe/{token}", "POST /api/session",
    "DELETE /api/session",
}  # fmt: skip
"""Audited in tests of their own: services by the registry, webhooks and letters by their source.
Sessions begin and end without a row; what is done in them is audited."""

Step = tuple[str, str, Any]
SCRIPT: list[Step] = [
    (
        "PUT /api/products/{sku:path}",
        "/api/products/P9",
        {"name": "P9", "price": {"amount": "9", "currency": "EUR"}},
    ),
    (
        "PUT /api/products/{sku:path}",
        "/api/products/P9",
        {"name": "P9 new", "price": {"amount": "9", "currency": "EUR"}},
    ),
    ("PUT /api/stock/{product:path}", "/api/stock/Product A", {"on_hand": 90}),
    (
        "PUT /api/customers/{customer:path}",
        "/api/customers/anna",
        {"name": "Anna", "email": "anna@example.com"},
    ),
    (
        "PUT /api/customers/{customer:path}",
        "/api/customers/anna",
        {"name": "Anna", "email": "other@example.com"},
    ),
    ("PATCH /api/customers/{customer:path}", "/api/customers/anna", {"name": "Anna B."}),
    ("DELETE /api/mail/suppressions/{address:path}", "/api/mail/suppressions/a@example.com", None),
    (
        "PUT /api/customers/{customer:path}/consent",
        "/api/customers/anna/consent",
        {"marketing": True},
    ),
    ("POST /api/orders", "/api/orders", {"text": "Product A:2", "customer": "anna"}),
    ("POST /api/orders/{order_id}/hold", "/api/orders/1/hold", {"reason": "odd"}),
    ("POST /api/orders/{order_id}/release", "/api/orders/1/release", None),
    (
        "POST /api/orders/{order_id}/authorizations",
        "/api/orders/1/authorizations",
        {"reference": "pi_1", "amount": "20.00"},
    ),
    ("POST /api/orders/{order_id}/approve", "/api/orders/1/approve", None),
    (
        "POST /api/orders/{order_id}/payments",
        "/api/orders/1/payments",
        {"reference": "pi_1", "amount": "20.00"},
    ),
    ("POST /api/orders/{order_id}/fulfil", "/api/orders/1/fulfil", None),
    ("POST /api/orders/{order_id}/deliver", "/api/orders/1/deliver", None),
    (
        "POST /api/orders/{order_id}/return-requests",
        "/api/orders/1/return-requests",
        {"reason": "too small"},
    ),
    ("POST /api/orders/{order_id}/returns", "/api/orders/1/returns", {"reason": "damaged"}),
    ("POST /api/orders", "/api/orders", {"text": "Product A:1"}),
    ("POST /api/orders/{order_id}/cancel", "/api/orders/2/cancel", {"reason": "no"}),
    ("POST /agent/1/mail", "/agent/1/mail", {"mail": "Product A:1"}),
    ("POST /agent/2/warehouse", "/agent/2/warehouse", {"stock": "Product B:50 units"}),
    ("POST /agent/3/approve", "/agent/3/approve", {"order_id": 3}),
    (
        "POST /api/orders/{order_id}/payments",
        "/api/orders/3/payments",
        {"reference": "bank-3", "amount": "10.00"},
    ),
    ("POST /agent/4/fulfilled", "/agent/4/fulfilled", {"order_id": 3}),
    ("POST /agent/4/delivery-complete", "/agent/4/delivery-complete", {"order_id": 3}),
    ("POST /api/events", "/api/events", {"event_type": "user_browsing", "data": {}}),
    ("POST /api/goal", "/api/goal", {"goal": "growth"}),
    ("POST /api/orchestrator/pause", "/api/orchestrator/pause", None),
    ("POST /api/orchestrator/resume", "/api/orchestrator/resume", None),
    ("POST /api/agents/{agent_id}/pause", "/api/agents/pricing/pause", None),
    ("POST /api/agents/{agent_id}/resume", "/api/agents/pricing/resume", None),
    ("POST /api/agents/{agent_id}/execute", "/api/agents/inventory/execute", None),
    ("POST /run_agent/{name}", "/run_agent/inventory", None),
    ("POST /run_all", "/run_all", None),
    ("POST /api/tasks", "/api/tasks", {"capability": "inventory", "parameters": {}}),
    ("POST /api/agents", "/api/agents", {"agent_id": "far", "endpoint": "http://127.0.0.1:9/"}),
    ("DELETE /api/agents/{agent_id}", "/api/agents/far", None),
    ("POST /api/models/{skill}/train", "/api/models/demand/train", None),
    (
        "POST /api/tickets",
        "/api/tickets",
        {"id": "t1", "text": "Where is my order?", "customer": "anna"},
    ),
    ("POST /api/tickets/{ticket_id:path}/reply", "/api/tickets/t1/reply", {"text": "It left."}),
    ("POST /api/tickets/{ticket_id:path}/rating", "/api/tickets/t1/rating", {"rating": 5}),
    ("POST /api/tickets/{ticket_id:path}/close", "/api/tickets/t1/close", None),
    ("POST /api/incidents/{incident:path}/close", "/api/incidents/i1/close", {"reason": "over"}),
    ("POST /api/anomalies/{incident:path}/close", "/api/anomalies/i2/close", {"reason": "over"}),
    (
        "POST /api/discounts",
        "/api/discounts",
        {"code": "SPRING", "percent": "10", "products": ["Product A"], "days": 14},
    ),
    ("POST /api/discounts/{code:path}/end", "/api/discounts/SPRING/end", None),
    (
        "POST /api/bundles",
        "/api/bundles",
        {"name": "set", "products": ["Product A", "Product B"], "price": "17.90"},
    ),
    ("POST /api/bundles/{name:path}/withdraw", "/api/bundles/set/withdraw", None),
    ("PUT /api/placements/{place:path}", "/api/placements/home", {"products": ["Product B"]}),
    (
        "POST /api/customer-activity",
        "/api/customer-activity",
        {"customer": "anna", "kind": "viewed", "product": "Product A"},
    ),
    ("PUT /api/payment-methods/{method:path}", "/api/payment-methods/card", {"enabled": False}),
    (
        "POST /api/back-in-stock-subscriptions",
        "/api/back-in-stock-subscriptions",
        {"customer": "anna", "product": "P9"},
    ),
    (
        "POST /api/purchase-orders/{purchase_id}/delay",
        "/api/purchase-orders/1/delay",
        {"due_at": "2026-12-24T12:00:00+00:00"},
    ),
    (
        "POST /api/purchase-orders/{purchase_id}/receive",
        "/api/purchase-orders/1/receive",
        {"quantity": 5},
    ),
    ("POST /api/purchase-orders/{purchase_id}/cancel", "/api/purchase-orders/2/cancel", None),
    ("POST /api/purchase-orders", "/api/purchase-orders", {"product": "Product B", "quantity": 5}),
    (
        "POST /api/approvals/{proposal_id:path}/approve",
        "/api/approvals/{question}/approve",
        {"note": "yes"},
    ),
    ("POST /api/proposals/{proposal_id:path}/undo", "/api/proposals/{question}/undo", None),
    (
        "POST /api/approvals/{proposal_id:path}/reject",
        "/api/approvals/{question}/reject",
        {"note": "no"},
    ),
    (
        "POST /api/approvals/bulk-decision",
        "/api/approvals/bulk-decision?approve={question}",
        {"decision": "reject", "all_matching": True},
    ),
]
LAST: list[Step] = [
    ("POST /api/keys", "/api/keys", {"name": "till", "role": "admin"}),
    (
        "POST /api/users",
        "/api/users",
        {"name": "ben", "role": "viewer", "password": "a long enough password"},
    ),
    ("DELETE /api/users/{name}", "/api/users/ben", None),
    ("DELETE /api/keys/{name}", "/api/keys/till", None),
]


def test_every_route_that_writes_is_in_the_script() -> None:
    writing = {route for route in ROUTES if not route.startswith(("GET ", "HEAD "))}
    tried = {route for route, _, _ in [*SCRIPT, *LAST]}
    assert tried.isdisjoint(READS | REPORTS | ELSEWHERE)
    assert tried | READS | REPORTS | ELSEWHERE == writing


@pytest.fixture
async def shop(tmp_path: Path) -> AsyncIterator[Api]:
    crew = (named("pricing", budget=Budget(runs=50)), named("inventory"))
    allow = {"STORECREW_REMOTE_AGENTS__ALLOW_PRIVATE": "true"}
    async with open_api(tmp_path, *crew, **allow) as api:
        store = api.plane.store
        for name in ("Product A", "Product B"):
            put = UpsertProduct(
                sku=name, name=name, price=Money.of(10, "EUR"), cost=Money.of(5, "EUR")
            )
            await store.apply(put, key=f"test/{name}")
        levels = tuple(StockCount(sku=name, on_hand=100) for name in ("Product A", "Product B"))
        await store.apply(SetStock(levels=levels), key="test/levels")
        for name in ("Product A", "Product B"):
            buy = CreatePurchaseOrder(sku=name, quantity=5)
            assert (await store.apply(buy, key=f"test/buy/{name}")).applied
        suppress = SuppressAddress(address="a@example.com", reason="no such mailbox")
        await store.apply(suppress, key="test/suppress")
        control = SqlControlActions(api.plane.journal.database)
        scene = OperationContext(
            now=api.plane.clock.now(), agents=("pricing",), subscribers_of=lambda _: ()
        )
        for incident in ("i1", "i2"):
            opened = OpenIncident(
                incident=incident, title="t", cause="c", observed="1", expected="2"
            )
            await control.apply(Command(key=incident, action=opened, actor="agent:resolver"), scene)
        yield api


async def question_of(api: Api, price: str) -> str:
    """Return a proposal that waits for a person."""
    await api.plane.request_run("pricing", by="person:test", parameters={"price": price})
    await api.settle()
    found = (await api.plane.journal.approvals(page=1, per_page=9)).items
    return found[0].filed.id


async def test_every_write_leaves_a_row_that_names_the_caller(shop: Api) -> None:
    client, question, silent = shop.client(), "", []
    callers = {"person:local"}
    for route, path, body in [*SCRIPT, *LAST]:
        if "{question}" in path and "undo" not in path:
            question = await question_of(shop, "12.00" if "approve" in path else "13.00")
        before = (await shop.plane.journal.audit(page=1, per_page=1)).total
        method = route.partition(" ")[0]
        answer = await client.request(method, path.replace("{question}", question), json=body)
        assert answer.status_code < 300, (route, answer.text)
        if route == "POST /api/keys":  # from now on every caller needs one
            client.headers["authorization"] = f"Bearer {answer.json()['key']}"
            callers.add("person:till")
        await shop.settle()
        rows = (await shop.plane.journal.audit(page=1, per_page=50)).items
        fresh = [row for row in rows if row.seq > before]
        if callers.isdisjoint(name for row in fresh for name in (row.actor, row.approved_by)):
            silent.append((route, [(row.actor, row.kind, row.reason) for row in fresh]))
    assert silent == []
    assert await shop.plane.verify() == []
