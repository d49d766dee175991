"""The crew over HTTP: probes, agents, runs, events, questions and the emergency stop."""

import re
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from in_memory_api import Api, named, open_api, settings_of

from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.control.incidents import IncidentKind, OpenIncident
from storecrew.domain.errors import StorageFull
from storecrew.domain.money import Money
from storecrew.domain.shop.messages import MailReceived
from storecrew.journal import SqlJournal
from storecrew.sdk import every

REPORTED = [
    "order_created", "cart_updated", "inventory_low", "payment_failed", "shipping_delayed",
    "user_browsing", "supply_chain_disruption",
]  # fmt: skip


async def test_r001_the_root_says_who_we_are_and_sends_browsers_to_the_dashboard(
    client: httpx.AsyncClient,
) -> None:
    root = (await client.get("/")).json()
    assert (root["service"], root["status"]) == ("orchestrator", "ok")
    assert isinstance(root["version"], str)
    assert (await client.head("/")).status_code == 200
    browser = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
    page = await client.get("/", headers=browser)
    assert (page.status_code, page.headers["location"]) == (307, "/dashboard/")
    start = await client.get(page.headers["location"])
    assert start.status_code == 200
    for link in re.findall(r'href="([^"]+)"', start.text):
        assert (await client.get(link)).status_code == 200, link
    curl = await client.get("/", headers={"accept": "text/html;q=0.5, application/json"})
    assert curl.status_code == 200


async def test_p04_service_version_is_shown_instead_of_the_package_version(api: Api) -> None:
    api.plane = replace(api.plane, settings=settings_of(SERVICE_VERSION="9.9-rc1"))
    assert (await api.client().get("/")).json()["version"] == "9.9-rc1"


async def test_r002_the_favicon_is_empty(client: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        response = await client.request(method, "/favicon.ico")
        assert (response.status_code, response.content) == (204, b"")


async def test_r005_r006_r007_probes_answer(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/liveness"):
        assert (await client.get(path)).json() == {"status": "healthy"}
    for path in ("/readyz", "/readiness"):
        ready = (await client.get(path)).json()
        assert ready["ready"] is True
        assert {check["name"]: check["ok"] for check in ready["checks"]} == dict.fromkeys(
            ("store", "journal", "disk", "scheduler", "background"), True
        )


def make_unwritable(journal: SqlJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    async def refuse() -> None:
        raise StorageFull("registry")

    monkeypatch.setattr(journal.database, "check_writable", refuse)


async def test_r006_readyz_is_503_without_its_database(
    api: Api, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_unwritable(api.plane.journal, monkeypatch)
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)
    failed = [check for check in response.json()["checks"] if not check["ok"]]
    assert [check["name"] for check in failed] == ["journal"]
    assert "no space left" in failed[0]["detail"]


async def test_r003_r004_health_is_503_when_the_journal_cannot_be_written(
    api: Api, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = await client.get("/health")
    assert healthy.json().keys() >= {
        "status", "version", "uptime_seconds", "agents", "services", "checks", "service",
        "timestamp",
    }  # fmt: skip
    assert (healthy.status_code, healthy.json()["status"]) == (200, "healthy")
    make_unwritable(api.plane.journal, monkeypatch)
    ill = await client.get("/health")
    assert (ill.status_code, ill.json()["status"]) == (503, "degraded")


async def test_input_that_fails_again_and_again_is_a_warning_until_it_is_over(
    api: Api, client: httpx.AsyncClient
) -> None:
    trouble = OpenIncident(
        incident="mail/mailbox",
        title="the mailbox is not read",
        cause="",
        observed="5 looks in a row failed",
        expected="each look reads the mailbox",
        kind=IncidentKind.INPUT,
    )
    now = api.plane.clock.now()
    await api.plane.incidents.report_incident(trouble, now=now)
    ill = await client.get("/health")
    assert (ill.status_code, ill.json()["status"]) == (200, "warning")
    await api.plane.incidents.resolve_incident("mail/mailbox", reason="read again", now=now)
    assert (await client.get("/health")).json()["status"] == "healthy"


async def test_one_failing_agent_is_a_warning_and_not_an_outage(tmp_path: Path) -> None:
    crew = (named("pricing", schedule=every(hours=1)), named("inventory"))
    async with open_api(tmp_path, *crew) as api:
        client = api.client()
        await client.post("/run_agent/pricing", json={"fail": True})
        await api.settle()
        health = await client.get("/health")
        status = (await client.get("/agents/status")).json()
        same = (await client.get("/api/agents/status")).json()

    assert (health.status_code, health.json()["status"]) == (200, "warning")
    assert health.json()["agents"]["overall_status"] == "degraded"
    assert (status["error"], status["total"]) == (1, 2)
    assert status == same
    (failed,) = [agent for agent in status["agents"] if agent["agent_id"] == "pricing"]
    assert (failed["error_count"], failed["interval"]) == (1, 3600)


async def test_agents_are_found_by_capability(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/agents")).json()["total"] == 2
    found = (await client.get("/api/agents?capability=pricing")).json()["agents"]
    assert [agent["agent_id"] for agent in found] == ["pricing"]


async def test_agents_run_on_demand(api: Api, client: httpx.AsyncClient) -> None:
    one = (await client.post("/run_agent/pricing", json={"depth": 2})).json()
    assert one["status"] == "scheduled"
    await api.settle()
    shown = (await client.get(f"/api/runs/{one['run_id']}")).json()
    assert (shown["agent"], shown["status"]) == ("pricing", "done")
    unknown = await client.post("/run_agent/none")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Agent not found")
    everyone = (await client.post("/run_all")).json()
    assert everyone["status"] == "all scheduled"
    assert len(everyone["runs"]) == 2
    await api.settle()
    runs = (await client.get("/api/runs?agent=pricing")).json()
    assert (runs["total"], runs["pages"]) == (2, 1)


async def test_an_event_is_recorded_once(tmp_path: Path) -> None:
    body = {"event_type": "mail_received", "id": "m1", "data": {"mail": "Product A:1"}}
    async with open_api(tmp_path, named("pricing", on=MailReceived)) as api:
        client = api.client()
        first = await client.post("/api/events", json=body)
        again = await client.post("/api/events", json={**body, "event_type": "MailReceived"})
        recorded = await api.recorded()
        listed = (await client.get("/api/events")).json()

    assert first.status_code == 202
    assert first.json() == {"event_id": 1, "duplicate": False, "wakes": ["pricing"]}
    assert again.json() == {"event_id": 1, "duplicate": True, "wakes": []}
    assert [each.event for each in recorded] == [MailReceived(mail="Product A:1")]
    assert listed["items"][0]["event"]["type"] == "MailReceived"


@pytest.mark.parametrize("event_type", REPORTED)
async def test_seed_event_types_are_kept_as_reported(
    api: Api, client: httpx.AsyncClient, event_type: str
) -> None:
    response = await client.post("/api/events", json={"event_type": event_type, "data": {"x": 1}})
    assert response.status_code == 202
    [kept] = await api.recorded()
    assert kept.event == ExternalEventReceived(event_type=event_type, data={"x": 1})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"event_type": "nonsense"}, "event_type"),
        ({"event_type": "run_requested", "data": {"agent": "a", "by": "root"}}, "event_type"),
        ({"event_type": "ClockTicked"}, "event_type"),
        ({"event_type": "mail_received", "data": {}}, "data.mail"),
        ({"event_type": "mail_received", "data": {"mail": "a", "b": 1}}, "data.b"),
        ({"event_type": "order_created", "source": "store"}, "source"),
        ({"event_type": "order_created", "source": "A B"}, "source"),
        ({"data": {}}, "event_type"),
    ],
)
async def test_an_event_that_is_none_is_refused(
    client: httpx.AsyncClient, body: dict[str, object], field: str
) -> None:
    response = await client.post("/api/events", json=body)
    assert (response.status_code, list(response.json()["fields"])) == (400, [field])


@pytest.fixture
async def question(api: Api, client: httpx.AsyncClient) -> str:
    """Have an agent propose a price, which its owner is asked about; return the proposal's id."""
    run = (await client.post("/run_agent/pricing", json={"price": "11.00"})).json()["run_id"]
    await api.settle()
    return f"{run}/0"


async def price(api: Api) -> Money:
    return (await api.plane.store.product("Product A")).price


async def test_a_question_is_shown_and_answered_once(
    api: Api, client: httpx.AsyncClient, question: str
) -> None:
    listed = (await client.get("/api/approvals")).json()
    assert [each["filed"]["id"] for each in listed] == [question]
    shown = (await client.get(f"/api/approvals/{question}")).json()
    action = shown["filed"]["proposal"]["action"]
    assert action["price"] == {"amount": "11.00", "currency": "EUR"}
    assert await price(api) == Money.of(10, "EUR")
    changed = {**action, "price": {"amount": "10.50", "currency": "EUR"}}
    said = await client.post(
        f"/api/approvals/{question}/approve", json={"note": "less", "action": changed}
    )
    await api.settle()
    assert (await client.get(f"/api/runs/{said.json()['run_id']}")).json()["status"] == "done"
    assert await price(api) == Money.of("10.50", "EUR")
    decided = (await client.get(f"/api/approvals/{question}")).json()
    assert (decided["decided_by"], decided["note"]) == ("person:local", "less")
    for verb in ("approve", "reject"):
        again = await client.post(f"/api/approvals/{question}/{verb}")
        assert again.status_code == 409
        assert "approved" in again.json()["message"]
    assert (await client.get("/api/approvals")).json() == []


async def test_a_question_is_rejected_with_a_note(
    api: Api, client: httpx.AsyncClient, question: str
) -> None:
    said = await client.post(f"/api/approvals/{question}/reject", json={"note": "no"})
    await api.settle()
    assert said.json()["status"] == "rejected"
    assert (await client.get(f"/api/approvals/{question}")).json()["note"] == "no"
    assert await price(api) == Money.of(10, "EUR")


async def test_an_approval_with_an_action_that_is_none_is_refused(
    client: httpx.AsyncClient, question: str
) -> None:
    response = await client.post(
        f"/api/approvals/{question}/approve", json={"action": {"type": "Nonsense"}}
    )
    assert (response.status_code, list(response.json()["fields"])) == (400, ["type"])


async def test_what_was_done_is_undone_and_what_was_not_says_why(
    api: Api, client: httpx.AsyncClient, question: str
) -> None:
    early = await client.post(f"/api/proposals/{question}/undo")
    assert early.status_code == 409
    assert "nothing was done" in early.json()["message"]
    await client.post(f"/api/approvals/{question}/approve")
    await api.settle()
    assert await price(api) == Money.of(11, "EUR")

    undone = await client.post(f"/api/proposals/{question}/undo")
    await api.settle()

    assert undone.status_code == 200
    assert await price(api) == Money.of(10, "EUR")
    unknown = await client.post("/api/proposals/nothing@1/0/undo")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "Proposal not found")


async def test_the_emergency_stop_is_pulled_and_released(
    api: Api, client: httpx.AsyncClient
) -> None:
    assert (await client.post("/api/orchestrator/pause")).json() == {"paused": True}
    await client.post("/run_agent/pricing")
    await api.settle()
    assert (await client.get("/api/runs")).json()["total"] == 0
    assert (await client.post("/api/orchestrator/resume")).json() == {"paused": False}
    await api.settle()
    assert (await client.get("/api/runs")).json()["total"] == 1


async def test_audit_and_proposals_are_paged(client: httpx.AsyncClient) -> None:
    for path in ("/api/audit", "/api/proposals"):
        assert (await client.get(path)).json() == {
            "items": [], "page": 1, "per_page": 50, "total": 0, "pages": 0,
        }  # fmt: skip


async def test_what_happened_is_in_the_audit_and_among_the_proposals(
    client: httpx.AsyncClient, question: str
) -> None:
    await client.post(f"/api/approvals/{question}/reject")
    proposals = (await client.get("/api/proposals")).json()
    assert [each["filed"]["id"] for each in proposals["items"]] == [question]
    audit = (await client.get("/api/audit?per_page=1")).json()
    assert audit["pages"] == audit["total"] > 1
    [newest] = audit["items"]
    assert (newest["actor"], newest["subject"]) == ("agent:pricing", question)
    assert (newest["result"], newest["approved_by"]) == ("rejected", "person:local")


async def test_a_proposal_is_explained(client: httpx.AsyncClient, question: str) -> None:
    said = (await client.get(f"/api/proposals/{question}/explanation")).json()

    assert said["line"] == "policy.default_autonomy"
    assert [opinion["rule"] for opinion in said["opinions"]] == ["margin_floor", "price_change"]
    assert said["changes"]
    assert (await client.get("/api/proposals/nothing@1/0/explanation")).status_code == 404
