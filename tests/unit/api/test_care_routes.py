"""Tickets, returns, payments set aside, holds, anomalies and the goal over HTTP."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from in_memory_api import NOW, Api, Place, named, open_api

from storecrew.domain.actions import Command
from storecrew.domain.control.agents import AssignTask, GoalSet
from storecrew.domain.control.incidents import IncidentKind, OpenIncident
from storecrew.domain.events import Event
from storecrew.domain.shop.returns import ReturnRequested
from storecrew.journal.control_actions import OperationContext, SqlControlActions
from storecrew.sdk import Context, Proposal, agent


async def test_a_ticket_is_opened_answered_rated_and_closed(client: httpx.AsyncClient) -> None:
    opened = await client.post("/api/tickets", json={"text": "Where is it?", "id": "mail/<7@x>"})
    assert (opened.status_code, opened.json()) == (
        201,
        {"ticket_id": "mail/<7@x>", "status": "open"},
    )
    path = "/api/tickets/mail/%3C7@x%3E"
    assert (await client.get(path)).json()["text"] == "Where is it?"
    said = await client.post(f"{path}/reply", json={"text": "It left us."})
    assert said.json() == {
        "ticket_id": "mail/<7@x>",
        "status": "answered",
        "no_letter": "the ticket names no customer and no address",
    }
    again = await client.post(f"{path}/reply", json={"text": "It left us."})
    assert again.status_code == 409
    assert (await client.post(f"{path}/rating", json={"rating": 5})).json()["rating"] == 5
    assert (await client.post(f"{path}/rating", json={"rating": 6})).status_code == 400
    assert (await client.post(f"{path}/close")).json()["status"] == "closed"

    found = (await client.get("/api/tickets", params={"status": "closed"})).json()
    assert [ticket["replies"] for ticket in found["items"]] == [["It left us."]]
    assert found["figures"]["answered_share"] == 1.0
    assert found["figures"]["rating"] == 5.0
    assert (await client.get("/api/tickets/none")).status_code == 404


async def test_the_same_key_opens_one_ticket(client: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k1"}
    first = await client.post("/api/tickets", json={"text": "Hello"}, headers=headers)
    second = await client.post("/api/tickets", json={"text": "Hello"}, headers=headers)
    assert first.json() == second.json()
    assert len((await client.get("/api/tickets")).json()["items"]) == 1


async def test_a_wish_to_return_is_noted_once_per_key(
    client: httpx.AsyncClient, api: Api, place: Place
) -> None:
    number = (await place()).json()["id"]
    body = {"lines": [{"product": "Product A", "quantity": 1}], "reason": "too small"}
    path, headers = f"/api/orders/{number}/return-requests", {"Idempotency-Key": "r1"}
    first = await client.post(path, json=body, headers=headers)
    await client.post(path, json=body, headers=headers)
    assert first.status_code == 202
    assert [type(recorded.event) for recorded in await api.recorded()] == [ReturnRequested]
    assert (await client.post("/api/orders/77/return-requests")).status_code == 404


async def test_a_payment_is_set_aside_once_per_reference(
    client: httpx.AsyncClient, place: Place
) -> None:
    number = (await place()).json()["id"]
    path = f"/api/orders/{number}/authorizations"
    body = {"reference": "pi_1", "amount": "20.00", "method": "paypal"}
    first = await client.post(path, json=body)
    assert (first.status_code, first.json()["method"]) == (201, "paypal")
    again = await client.post(path, json=body)
    assert (again.status_code, again.json()["error"]) == (409, "Duplicate reference")
    assert (await client.post(path, json={**body, "amount": "1.001"})).status_code == 400


async def test_a_held_order_waits_until_it_is_released(
    client: httpx.AsyncClient, place: Place
) -> None:
    number = (await place()).json()["id"]
    held = await client.post(f"/api/orders/{number}/hold", json={"reason": "odd address"})
    assert held.json() == {"order_id": number, "held": "odd address"}
    assert (await client.get(f"/api/orders/{number}")).json()["held"] == "odd address"
    assert (await client.post(f"/api/orders/{number}/release")).json()["held"] == ""
    assert (await client.post(f"/api/orders/{number}/hold", json={})).status_code == 400


@pytest.fixture
async def trouble(api: Api) -> str:
    action = OpenIncident(
        incident="payments/card",
        title="Payments by card fail",
        cause="provider: no answer",
        observed="9 of 9 payments failed",
        expected="about 5%",
        plan=({"type": "SetPaymentMethod", "method": "card", "enabled": False},),
    )
    scene = OperationContext(now=NOW, agents=(), subscribers_of=lambda _event: ())
    keyed = Command(key="k", action=action, actor="agent:anomaly_resolver")
    await SqlControlActions(api.plane.incidents.database).apply(keyed, scene)
    return action.incident


async def test_r140_an_anomaly_has_its_cause_and_a_plan_of_typed_actions(
    client: httpx.AsyncClient, trouble: str
) -> None:
    shown = (await client.get(f"/api/anomalies/{trouble}")).json()
    assert shown["cause"] == "provider: no answer"
    assert shown["plan"] == [{"type": "SetPaymentMethod", "method": "card", "enabled": False}]
    assert (shown["observed"], shown["expected"]) == ("9 of 9 payments failed", "about 5%")
    listed = (await client.get("/api/anomalies", params={"status": "open"})).json()
    assert [each["id"] for each in listed["items"]] == [trouble]


async def test_an_anomaly_is_closed_by_a_person(client: httpx.AsyncClient, trouble: str) -> None:
    path = f"/api/anomalies/{trouble}"
    assert (await client.post(f"{path}/close", json={"reason": "it works"})).json() == {
        "id": trouble,
        "status": "closed",
    }
    assert (await client.get(path)).json()["resolution"] == "it works"
    assert (await client.get("/api/anomalies", params={"status": "open"})).json()["total"] == 0
    assert (await client.post("/api/anomalies/other/close")).status_code == 404
    assert (await client.get("/api/anomalies/other")).status_code == 404


async def test_incidents_show_agents_that_fail_and_anomalies_do_not(
    client: httpx.AsyncClient, api: Api, trouble: str
) -> None:
    kind = IncidentKind.AGENT_ERROR
    await api.plane.incidents.open_agent_incident("pricing", kind, "no luck", NOW)
    listed = (await client.get("/api/incidents")).json()
    assert [(each["id"], each["kind"]) for each in listed["items"]] == [
        (trouble, "anomaly"),
        ("pricing/1", "agent_error"),
    ]
    anomalies = (await client.get("/api/anomalies")).json()
    assert [each["id"] for each in anomalies["items"]] == [trouble]
    assert (await client.get("/api/incidents/pricing/1")).json()["observed"] == "no luck"
    await client.post("/api/incidents/pricing/1/close")
    still_open = (await client.get("/api/incidents", params={"status": "open"})).json()
    assert [each["id"] for each in still_open["items"]] == [trouble]


async def test_a_goal_is_recorded_once_per_key(client: httpx.AsyncClient, api: Api) -> None:
    body = {"goal": "clear_stock", "until": "2026-12-31T00:00:00+00:00"}
    for _ in range(2):
        answer = await client.post("/api/goal", json=body, headers={"Idempotency-Key": "g"})
        assert answer.status_code == 202
    [recorded] = await api.recorded()
    until = datetime(2026, 12, 31, tzinfo=UTC)
    assert recorded.event == GoalSet(goal="clear_stock", until=until)
    assert (await client.post("/api/goal", json={"goal": "fame"})).status_code == 400
    assert (
        await client.post("/api/goal", json={"goal": "profit", "until": "soon"})
    ).status_code == (400)


@agent(name="coordinator", on=GoalSet, allowed_actions=[AssignTask])
async def planner(event: Event, ctx: Context) -> Any:
    """Give one agent work and ask for another one that nobody has."""
    evidence = {"why": "3 customers wait for an answer", "at_most_costs": "refunds"}
    for name in ("customer_support", "nobody"):
        task = AssignTask(agent=name, task="answer open tickets", due_at=NOW + timedelta(days=1))
        yield Proposal(action=task, reason="the goal is service", evidence=evidence)


async def test_the_plan_says_who_does_what_by_when(tmp_path: Path) -> None:
    async with open_api(tmp_path, planner, named("customer_support")) as api:
        client = api.client()
        assert (await client.get("/api/plan")).json()["steps"] == []
        await client.post("/api/goal", json={"goal": "service"})
        await api.settle()

        plan = (await client.get("/api/plan")).json()
        given = (await client.get("/api/runs?agent=customer_support")).json()

    assert plan["goal"] == "service"
    steps = [(step["agent"], step["status"]) for step in plan["steps"]]
    assert steps == [("customer_support", "given"), ("nobody", "denied")]
    assert plan["steps"][0]["why"] == "3 customers wait for an answer"
    assert plan["steps"][0]["at_most_costs"] == "refunds"
    assert given["total"] == 1
