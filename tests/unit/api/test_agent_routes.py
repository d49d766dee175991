"""The agents over HTTP: registered, found, woken, watched, stopped and dismissed."""

import asyncio
import json

import pytest
from in_memory_api import serve_api

from storecrew.domain.events import Event
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import Budget, agent, every, wire

PRIVATE = {"STORECREW_REMOTE_AGENTS__ALLOW_PRIVATE": "true"}
FAR = {
    "agent_id": "far",
    "endpoint": "http://127.0.0.1:9/wake",
    "purpose": "Looks from afar.",
    "on": ["StockRanLow"],
    "allowed_actions": ["SetPrice"],
    "capabilities": ["pricing"],
    "tags": ["remote"],
    "priority": 9,
    "max_concurrent_tasks": 2,
    "budget": {"runs": 10, "tokens": 1000, "money": "50"},
}


def one(name, **options):
    @agent(on=StockRanLow, name=name, **options)
    async def work(event: Event, ctx):
        """Do nothing, or as bidden."""
        parameters = getattr(event, "parameters", {})
        ctx.meter.add(int(parameters.get("tokens", 0)))
        await asyncio.sleep(float(parameters.get("sleep", 0)))
        if parameters.get("fail"):
            raise ValueError("as bidden")
        for nothing in ():
            yield nothing

    return work


CREW = [
    one("minor", capabilities=["pricing"], tags=["a"], schedule=every(hours=1)),
    one("major", capabilities=["pricing", "stock"], priority=5, budget=Budget(runs=100)),
]


async def until(look, wanted):
    """Ask until the answer is the wanted one."""
    async with asyncio.timeout(20):
        while (found := await look()) != wanted:  # noqa: ASYNC110 - an answer tells
            await asyncio.sleep(0.01)
    return found


@pytest.fixture
async def api(tmp_path):
    async with serve_api(tmp_path, *CREW, **PRIVATE) as api:
        yield api


@pytest.fixture
def client(api):
    return api.client()


async def test_an_agent_is_registered_once_and_found_again(api, client):
    made = await client.post("/api/agents", json=FAR)
    assert made.status_code == 201
    token = made.json().pop("token")
    assert token.startswith("agent_")
    assert made.json()["max_concurrent_tasks"] == 2

    again = await client.post("/api/agents", json=FAR)
    assert (again.status_code, "token" in again.json()) == (200, False)
    other = await client.post("/api/agents", json={**FAR, "priority": 1})
    assert other.status_code == 409
    crew = await client.post("/api/agents", json={**FAR, "agent_id": "minor"})
    assert crew.status_code == 409

    shown = (await client.get("/api/agents/far")).json()
    assert (shown["status"], shown["priority"], shown["on"]) == ("unknown", 9, ["StockRanLow"])
    assert "far" in api.plane.agents
    audit = (await client.get("/api/audit")).json()["items"]
    assert [(e["action"]["type"], e["actor"]) for e in audit] == [
        ("register_agent", "person:local")
    ]
    kept = json.dumps([str(row) for row in await api.plane.crew.book.registered()])
    assert token not in kept
    assert token not in json.dumps(audit)


async def test_a_dismissed_agent_is_gone_and_its_name_free(client):
    await client.post("/api/agents", json=FAR)
    assert (await client.delete("/api/agents/far")).status_code == 200
    assert (await client.get("/api/agents/far")).status_code == 404
    assert (await client.delete("/api/agents/far")).status_code == 404
    assert (await client.delete("/api/agents/minor")).status_code == 404
    assert (await client.post("/api/agents", json={**FAR, "priority": 1})).status_code == 201


async def test_a_declaration_that_is_none_is_refused_with_its_field(client):
    for wrong in ({"on": ["Nonsense"]}, {"endpoint": "ftp://a/"}, {"agent_id": "A b"}, {"x": 1}):
        response = await client.post("/api/agents", json={**FAR, **wrong})
        assert (response.status_code, bool(response.json()["fields"])) == (400, True), wrong


async def test_endpoints_on_this_machine_are_closed_by_default(tmp_path):
    async with serve_api(tmp_path, *CREW) as api:
        response = await api.client().post("/api/agents", json=FAR)
        assert response.status_code == 400
        assert "allow_private" in response.json()["fields"]["endpoint"]


# --- health ----------------------------------------------------------------------------------


async def test_an_agents_own_token_and_nothing_else_beats_for_it(api, client):
    token = (await client.post("/api/agents", json=FAR)).json()["token"]
    beat = "/api/agents/far/heartbeat"
    stranger = api.client(headers={"Authorization": "Bearer agent_wrong"})
    assert (await stranger.post(beat)).status_code == 403
    assert (await client.post(beat)).status_code == 401
    assert (await client.get("/api/agents/far/health")).json()["status"] == "unknown"

    proven = api.client(headers={"Authorization": f"Bearer {token}"})
    assert (await proven.post(beat)).json() == {"agent_id": "far", "status": "ok"}
    assert (await client.get("/api/agents/far/health")).json()["status"] == "healthy"
    assert (await proven.post("/api/agents/minor/heartbeat")).status_code == 403


async def test_with_a_key_the_agents_token_opens_the_heartbeat_alone(tmp_path):
    async with serve_api(tmp_path, *CREW, API_KEY_ROYALGPT="k" * 40, **PRIVATE) as api:
        owner = api.client(headers={"Authorization": "Bearer " + "k" * 40})
        token = (await owner.post("/api/agents", json=FAR)).json()["token"]
        far = api.client(headers={"Authorization": f"Bearer {token}"})
        assert (await far.post("/api/agents/far/heartbeat")).status_code == 200
        assert (await far.get("/api/agents")).status_code == 401
        assert (await far.post("/run_agent/minor")).status_code == 401
        wrong = api.client(headers={"Authorization": "Bearer wrong"})
        assert (await wrong.post("/api/agents/far/heartbeat")).status_code == 403
        assert (await wrong.post("/api/agents/nobody/heartbeat")).status_code == 403
        await until(lambda: is_audited(owner, "POST /api/agents/nobody/heartbeat"), True)


async def is_audited(client, what):
    return what in (await client.get("/api/audit")).text


async def test_r055_status_has_its_shape_under_both_paths(client):
    found = (await client.get("/api/agents/status")).json()
    assert found.keys() == {"agents", "total", "healthy", "stale", "error", "unknown"}
    assert (found["total"], found["healthy"]) == (2, 2)
    assert found["agents"][0].keys() >= {
        "agent_id", "name", "status", "interval", "last_run", "next_run", "heartbeat_age",
        "error_count", "tags",
    }  # fmt: skip
    other = (await client.get("/agents/status")).json()
    assert other.keys() == found.keys()


async def test_one_agent_shows_its_status_capabilities_and_health(client):
    await client.post("/api/agents/major/execute?wait=10", json={"tokens": 7})
    status = (await client.get("/api/agents/major/status")).json()
    assert status["today"]["runs"] == {"used": 1, "budget": 100}
    assert status["today"]["tokens"] == {"used": 7, "budget": None}
    assert status["status"] == "healthy"
    shown = (await client.get("/api/agents/major/capabilities")).json()
    assert shown == {
        "agent_id": "major",
        "capabilities": ["pricing", "stock"],
        "allowed_actions": [],
    }
    assert (await client.get("/api/agents/major/health")).json()["error_count"] == 0
    for part in ("", "/status", "/capabilities", "/health"):
        unknown = await client.get(f"/api/agents/nobody{part}")
        assert (unknown.status_code, unknown.json()["error"]) == (404, "Agent not found")


# --- waking ----------------------------------------------------------------------------------


async def test_r046_p01_an_agent_is_triggered_on_demand(api, client):
    made = await client.post("/run_agent/major", json={"depth": 2})
    assert (made.status_code, made.json()["status"]) == (200, "scheduled")
    run = made.json()["run_id"]
    await until(lambda: status_of(api, run), "completed")
    unknown = await client.post("/run_agent/none")
    assert (unknown.status_code, unknown.json()["detail"]) == (404, "Agent not found")


async def status_of(api, run):
    return (await api.plane.crew.execution(run))["status"]


async def test_p01_p02_outside_the_scope_nobody_is_triggered(tmp_path):
    async with serve_api(tmp_path, *CREW, AUTHORIZED_AGENTS_SCOPE="major") as api:
        client = api.client()
        assert (await client.post("/run_agent/minor")).status_code == 403
        assert (await client.post("/api/agents/minor/execute")).status_code == 403
        found = (await client.post("/run_all")).json()
        assert [run.partition("@")[0] for run in found["runs"]] == ["major"]
        task = await client.post("/api/tasks", json={"capability": "pricing"})
        assert task.json()["agent_id"] == "major"


async def test_p02_all_are_triggered(client):
    found = (await client.post("/run_all")).json()
    assert found["status"] == "all scheduled"
    assert [run.partition("@")[0] for run in found["runs"]] == ["minor", "major"]


async def test_p08_execute_answers_in_its_shape_once_per_key(client):
    key = {"Idempotency-Key": "one"}
    first = await client.post("/api/agents/major/execute", json={"sku": "mug"}, headers=key)
    assert first.status_code == 200
    assert first.json().keys() >= {
        "executionId", "agentId", "status", "startedAt", "parameters", "message",
    }  # fmt: skip
    assert (first.json()["status"], first.json()["parameters"]) == ("started", {"sku": "mug"})
    again = await client.post("/api/agents/major/execute", json={"sku": "mug"}, headers=key)
    assert again.json() == first.json()
    unknown = await client.post("/api/agents/nobody/execute")
    assert (unknown.status_code, list(unknown.json()["fields"])) == (400, ["agent_id"])


async def test_p08_names_of_before_mean_the_agents_of_today(tmp_path):
    async with serve_api(tmp_path, one("pricing_optimizer"), one("analytics")) as api:
        for alias in ("inventory_pricing", "production-analytics"):
            made = await api.client().post(f"/api/agents/{alias}/execute?wait=10")
            assert (made.json()["agentId"], made.json()["status"]) == (alias, "completed")


async def test_p08_who_waits_gets_the_result_or_is_told_that_it_goes_on(client):
    ended = (await client.post("/api/agents/major/execute?wait=10")).json()
    assert (ended["status"], ended["result"]["proposals"]) == ("completed", 0)
    going = (await client.post("/api/agents/major/execute?wait=0.05", json={"sleep": 0.5})).json()
    assert (going["status"], "result" in going) == ("started", False)


async def test_p09_execution_status_is_shown_from_the_journal(api, client):
    made = (await client.post("/api/agents/major/execute", json={"tokens": 5})).json()
    path = f"/api/agents/executions/{made['executionId']}"
    await until(lambda: status_of(api, made["executionId"]), "completed")
    shown = (await client.get(path)).json()
    assert shown.keys() >= {
        "execution_id", "agent_id", "status", "started_at", "progress", "result",
    }  # fmt: skip
    assert (shown["progress"], shown["result"]["tokens"]) == (100, 5)
    for unknown in ("major@999999", "major@1~alone", "nonsense", "@1", "minor@1"):
        response = await client.get(f"/api/agents/executions/{unknown}")
        assert (response.status_code, response.json()["error"]) == (404, "Execution not found")


async def test_r058_a_task_goes_to_the_agent_with_the_capability(api, client):
    given = await client.post("/api/tasks", json={"capability": "pricing", "parameters": {"a": 1}})
    assert (given.status_code, given.json()["agent_id"]) == (202, "major")
    await until(lambda: status_of(api, given.json()["execution_id"]), "completed")
    listed = (await client.get("/api/agents?capability=pricing")).json()["agents"]
    assert [found["agent_id"] for found in listed] == ["minor", "major"]
    tagged = (await client.get("/api/agents?tag=a")).json()["agents"]
    assert [found["agent_id"] for found in tagged] == ["minor"]

    await client.post("/api/agents/major/pause")
    second = await client.post("/api/tasks", json={"capability": "pricing"})
    assert second.json()["agent_id"] == "minor"
    nobody_now = await client.post("/api/tasks", json={"capability": "stock"})
    assert nobody_now.status_code == 409
    nobody = await client.post("/api/tasks", json={"capability": "cooking"})
    assert (nobody.status_code, nobody.json()["error"]) == (404, "Capability not found")


async def test_one_agent_is_paused_and_resumed_over_http(api, client):
    assert (await client.post("/api/agents/major/pause")).json()["paused"] is True
    asked = (await client.post("/api/agents/major/execute")).json()["executionId"]
    assert (await client.get("/api/agents/major")).json()["status"] == "paused"
    await client.post("/api/agents/minor/execute?wait=10")
    assert await status_of(api, asked) == "waiting"
    assert (await client.post("/api/agents/major/resume")).json()["paused"] is False
    await until(lambda: status_of(api, asked), "completed")


# --- the orchestrator ------------------------------------------------------------------------


async def test_r052_orchestrator_health(client):
    found = (await client.get("/api/orchestrator/health")).json()
    assert found["agent_name"] == "royal_orchestrator_agent"
    assert found["status"] == "active"
    assert found.keys() >= {"statistics", "configuration"}
    await client.post("/api/orchestrator/pause")
    assert (await client.get("/api/orchestrator/health")).json()["status"] == "paused"


async def test_r056_system_capabilities(client):
    found = (await client.get("/api/system/capabilities")).json()
    assert found.keys() >= {"apiVersion", "capabilities", "agents", "features"}
    assert found["capabilities"] == ["pricing", "stock"]


async def test_r061_an_event_tells_whom_it_wakes_and_the_same_one_wakes_nobody_twice(client):
    body = {
        "event_type": "stock_ran_low",
        "id": "e1",
        "data": {
            "sku": "mug", "warehouse": "main", "position": 1, "reorder_point": 5,
            "daily_demand": 1.0,
        },
    }  # fmt: skip
    first = await client.post("/api/events", json=body)
    assert (first.status_code, first.json()["wakes"]) == (202, ["minor", "major"])
    again = (await client.post("/api/events", json=body)).json()
    assert (again["duplicate"], again["wakes"]) == (True, [])
    assert again["event_id"] == first.json()["event_id"]


async def test_a_failing_agent_is_error_and_makes_the_health_a_warning(client):
    await client.post("/api/agents/major/execute", json={"fail": True})

    async def word():
        return (await client.get("/api/agents/major")).json()["status"]

    await until(word, "error")
    health = await client.get("/health")
    assert (health.status_code, health.json()["status"]) == (200, "warning")
    assert health.json()["agents"]["overall_status"] == "degraded"


def test_the_wire_keeps_hash_and_key_apart():
    assert wire.token_hash("t") != wire.signing_key("t")
