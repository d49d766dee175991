"""Tickets, returns, payments set aside, holds, anomalies and the goal over HTTP."""

from datetime import UTC, datetime

import httpx
import pytest
from fake_plane import NOW, Door, Place

from storecrew.domain.actions import Command
from storecrew.domain.control.agents import AssignTask, GoalSet
from storecrew.domain.control.incidents import IncidentKind, OpenIncident
from storecrew.domain.control.proposals import (
    Decision,
    Outcome,
    Proposal,
    ProposalRecord,
    Result,
    Verdict,
)
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.shop.returns import ReturnRequested
from storecrew.journal.control_actions import OperationContext, SqlControlActions


async def test_a_ticket_is_opened_answered_rated_and_closed(client: httpx.AsyncClient) -> None:
    opened = await client.post("/api/tickets", json={"text": "Where is it?", "id": "mail/<7@x>"})
    assert (opened.status_code, opened.json()) == (
        201,
        {"ticket_id": "mail/<7@x>", "status": "open"},
    )
    path = "/api/tickets/mail/%3C7@x%3E"
    assert (await client.get(path)).json()["text"] == "Where is it?"
    said = await client.post(f"{path}/reply", json={"text": "It left us."})
    assert said.json() == {"ticket_id": "mail/<7@x>", "status": "answered"}
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
    client: httpx.AsyncClient, door: Door, place: Place
) -> None:
    number = (await place()).json()["id"]
    body = {"lines": [{"product": "Product A", "quantity": 1}], "reason": "too small"}
    path, headers = f"/api/orders/{number}/return-requests", {"Idempotency-Key": "r1"}
    first = await client.post(path, json=body, headers=headers)
    await client.post(path, json=body, headers=headers)
    assert first.status_code == 202
    events = [recorded.event for recorded in door.plane.journal.recorded]
    assert [type(event) for event in events] == [ReturnRequested]
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
async def trouble(door: Door) -> str:
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
    await SqlControlActions(door.plane.incidents.database).apply(keyed, scene)
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
    client: httpx.AsyncClient, door: Door, trouble: str
) -> None:
    kind = IncidentKind.AGENT_ERROR
    await door.plane.incidents.open_agent_incident("pricing", kind, "no luck", NOW)
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


async def test_a_goal_is_recorded_once_per_key(client: httpx.AsyncClient, door: Door) -> None:
    body = {"goal": "clear_stock", "until": "2026-12-31T00:00:00+00:00"}
    for _ in range(2):
        answer = await client.post("/api/goal", json=body, headers={"Idempotency-Key": "g"})
        assert answer.status_code == 202
    [recorded] = door.plane.journal.recorded
    until = datetime(2026, 12, 31, tzinfo=UTC)
    assert recorded.event == GoalSet(goal="clear_stock", until=until)
    assert (await client.post("/api/goal", json={"goal": "fame"})).status_code == 400
    assert (
        await client.post("/api/goal", json={"goal": "profit", "until": "soon"})
    ).status_code == (400)


async def test_the_plan_says_who_does_what_by_when(client: httpx.AsyncClient, door: Door) -> None:
    assert (await client.get("/api/plan")).json()["steps"] == []
    await client.post("/api/goal", json={"goal": "service"})
    journal = door.plane.journal
    journal.run_list.append(
        Run(
            id="coordinator@1",
            agent="coordinator",
            actor="agent:coordinator",
            status=RunStatus.DONE,
            attempt=1,
            created_at=NOW,
            proposals=1,
        )
    )
    action = AssignTask(agent="customer_support", task="answer open tickets", due_at=NOW)
    evidence = {"why": "3 customers wait for an answer", "at_most_costs": "refunds"}
    filed = ProposalRecord(
        id="coordinator@1/0",
        run="coordinator@1",
        agent="coordinator",
        proposal=Proposal(action=action, reason="r", evidence=evidence),
    )
    decision = Decision(verdict=Verdict.ALLOW, reason="r", rule="delegation")
    outcome = Outcome(key=filed.id, result=Result.APPLIED)
    journal.stories.append(
        ProposalHistory(filed=filed, at=NOW, decision=decision, outcome=outcome, approval=None)
    )

    plan = (await client.get("/api/plan")).json()

    assert plan["goal"] == "service"
    [step] = plan["steps"]
    assert (step["agent"], step["status"]) == ("customer_support", "given")
    assert step["why"] == "3 customers wait for an answer"
    assert step["at_most_costs"] == "refunds"
