"""The crew over HTTP: probes, agents, runs, events, questions and the emergency stop."""

import httpx
import pytest
from fake_crew import note_failure
from fake_plane import PROPOSAL, Door, settings_of

from storecrew.app import ReadinessCheck
from storecrew.domain.control.events import ExternalEventReceived
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.messages import MailReceived

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
    curl = await client.get("/", headers={"accept": "text/html;q=0.5, application/json"})
    assert curl.status_code == 200


async def test_p04_service_version_is_shown_instead_of_the_package_version(door: Door) -> None:
    door.plane.settings = settings_of(SERVICE_VERSION="9.9-rc1")
    assert (await door.client().get("/")).json()["version"] == "9.9-rc1"


async def test_r002_the_favicon_is_empty(client: httpx.AsyncClient) -> None:
    for method in ("GET", "HEAD"):
        response = await client.request(method, "/favicon.ico")
        assert (response.status_code, response.content) == (204, b"")


async def test_r005_r006_r007_probes_answer(client: httpx.AsyncClient) -> None:
    for path in ("/healthz", "/liveness"):
        assert (await client.get(path)).json() == {"status": "healthy"}
    for path in ("/readyz", "/readiness"):
        ready = (await client.get(path)).json()
        assert ready == {"ready": True, "checks": [{"name": "journal", "ok": True, "detail": ""}]}


async def test_r006_readyz_is_503_without_its_database(
    door: Door, client: httpx.AsyncClient
) -> None:
    door.plane.check_list = [ReadinessCheck(name="journal", ok=False, detail="cannot be written")]
    response = await client.get("/readyz")
    assert (response.status_code, response.json()["ready"]) == (503, False)


async def test_r003_r004_health_is_503_when_the_journal_cannot_be_written(
    door: Door, client: httpx.AsyncClient
) -> None:
    healthy = await client.get("/health")
    assert healthy.json().keys() >= {
        "status", "version", "uptime_seconds", "agents", "services", "checks", "service",
        "timestamp",
    }  # fmt: skip
    assert (healthy.status_code, healthy.json()["status"]) == (200, "healthy")
    door.plane.check_list = [ReadinessCheck(name="journal", ok=False)]
    ill = await client.get("/health")
    assert (ill.status_code, ill.json()["status"]) == (503, "degraded")


async def test_one_failing_agent_is_a_warning_and_not_an_outage(
    door: Door, client: httpx.AsyncClient
) -> None:
    await note_failure(door.plane.crew, "pricing", door.plane.clock.now())
    health = await client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "warning")
    assert health.json()["agents"]["overall_status"] == "degraded"
    status = (await client.get("/agents/status")).json()
    assert (status["error"], status["total"]) == (1, 2)
    assert status == (await client.get("/api/agents/status")).json()
    assert status["agents"][0]["error_count"] == 1
    assert status["agents"][0]["interval"] == 3600


async def test_agents_are_found_by_capability(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/agents")).json()["total"] == 2
    found = (await client.get("/api/agents?capability=pricing")).json()["agents"]
    assert [agent["agent_id"] for agent in found] == ["pricing"]


async def test_agents_run_on_demand(client: httpx.AsyncClient) -> None:
    one = (await client.post("/run_agent/pricing", json={"depth": 2})).json()
    assert one["status"] == "scheduled"
    shown = await client.get(f"/api/runs/{one['run_id']}")
    assert shown.json()["agent"] == "pricing"
    unknown = await client.post("/run_agent/none")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Agent not found")
    everyone = (await client.post("/run_all")).json()
    assert everyone["status"] == "all scheduled"
    assert len(everyone["runs"]) == 2
    runs = (await client.get("/api/runs?agent=pricing")).json()
    assert (runs["total"], runs["pages"]) == (2, 1)


async def test_an_event_is_recorded_once(door: Door, client: httpx.AsyncClient) -> None:
    body = {"event_type": "mail_received", "id": "m1", "data": {"mail": "Product A:1"}}
    first = await client.post("/api/events", json=body)
    assert first.status_code == 202
    assert first.json() == {"event_id": 1, "duplicate": False, "wakes": ["pricing"]}
    again = await client.post("/api/events", json={**body, "event_type": "MailReceived"})
    assert again.json() == {"event_id": 1, "duplicate": True, "wakes": []}
    assert door.plane.journal.recorded[0].event == MailReceived(mail="Product A:1")
    listed = (await client.get("/api/events")).json()
    assert listed["items"][0]["event"]["type"] == "MailReceived"


@pytest.mark.parametrize("event_type", REPORTED)
async def test_seed_event_types_are_kept_as_reported(
    door: Door, client: httpx.AsyncClient, event_type: str
) -> None:
    response = await client.post("/api/events", json={"event_type": event_type, "data": {"x": 1}})
    assert response.status_code == 202
    kept = door.plane.journal.recorded[0].event
    assert kept == ExternalEventReceived(event_type=event_type, data={"x": 1})


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


async def test_a_question_is_shown_and_answered_once(door: Door, client: httpx.AsyncClient) -> None:
    listed = (await client.get("/api/approvals")).json()
    assert [question["filed"]["id"] for question in listed] == [PROPOSAL]
    shown = (await client.get(f"/api/approvals/{PROPOSAL}")).json()
    assert shown["filed"]["proposal"]["action"]["price"] == {"amount": "11.00", "currency": "EUR"}
    changed = {
        **shown["filed"]["proposal"]["action"],
        "price": {"amount": "10.50", "currency": "EUR"},
    }
    said = await client.post(
        f"/api/approvals/{PROPOSAL}/approve", json={"note": "less", "action": changed}
    )
    assert said.json()["run_id"] == f"settle:{PROPOSAL}"
    assert door.plane.approved_as == SetPrice(sku="Product A", price=Money.of("10.50", "EUR"))
    assert door.plane.journal.questions[PROPOSAL].decided_by == "person:local"
    for verb in ("approve", "reject"):
        again = await client.post(f"/api/approvals/{PROPOSAL}/{verb}")
        assert again.status_code == 409
        assert "approved" in again.json()["message"]
    assert (await client.get("/api/approvals")).json() == []


async def test_a_question_is_rejected_with_a_note(door: Door, client: httpx.AsyncClient) -> None:
    said = await client.post(f"/api/approvals/{PROPOSAL}/reject", json={"note": "no"})
    assert said.json()["status"] == "rejected"
    assert door.plane.journal.questions[PROPOSAL].note == "no"


async def test_an_approval_with_an_action_that_is_none_is_refused(
    client: httpx.AsyncClient,
) -> None:
    response = await client.post(
        f"/api/approvals/{PROPOSAL}/approve", json={"action": {"type": "Nonsense"}}
    )
    assert (response.status_code, list(response.json()["fields"])) == (400, ["type"])


async def test_what_cannot_be_undone_says_why(client: httpx.AsyncClient) -> None:
    response = await client.post(f"/api/proposals/{PROPOSAL}/undo")
    assert response.status_code == 409
    assert "the parcel has left" in response.json()["message"]


async def test_the_emergency_stop_is_pulled_and_released(
    door: Door, client: httpx.AsyncClient
) -> None:
    assert (await client.post("/api/orchestrator/pause")).json() == {"paused": True}
    assert door.plane.is_paused
    assert (await client.post("/api/orchestrator/resume")).json() == {"paused": False}
    assert not door.plane.is_paused


async def test_audit_and_proposals_are_paged(client: httpx.AsyncClient) -> None:
    for path in ("/api/audit", "/api/proposals"):
        assert (await client.get(path)).json() == {
            "items": [], "page": 1, "per_page": 50, "total": 0, "pages": 0,
        }  # fmt: skip


async def test_a_proposal_is_explained(client: httpx.AsyncClient) -> None:
    said = (await client.get(f"/api/proposals/{PROPOSAL}/explanation")).json()

    assert said["line"] == "policy.default_autonomy"
    assert [opinion["rule"] for opinion in said["opinions"]] == ["margin_floor"]
    assert said["changes"]
    assert (await client.get("/api/proposals/nothing@1/0/explanation")).status_code == 404
