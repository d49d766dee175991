"""The routes of services: shapes, statuses, and what is refused."""

from typing import Any

import httpx
import pytest
from in_memory_api import Api

SEED: dict[str, Any] = {
    "id": "my-service",
    "name": "My AI Service",
    "type": "ai-agent",
    "executable": "python /path/to/my_service.py",
    "health_endpoint": "http://localhost:8001/health",
    "api_endpoint": "http://localhost:8001",
    "auto_start": True,
    "restart_policy": {"max_retries": 3, "backoff_seconds": 30},
    "resources": {"max_memory": "512MB", "max_cpu": "25%"},
    "environment": {"SERVICE_PORT": "8001", "LOG_LEVEL": "INFO"},
}


def logs(api: Api) -> dict[str, list[str]]:
    """Return the lines that services wrote, to be added to."""
    services: Any = api.plane.services
    return services.lines


async def registered(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.post("/api/services", json=SEED)
    assert response.status_code == 201, response.text
    view: dict[str, Any] = response.json()
    return view


async def test_r091_the_list_is_an_array(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/services")).json() == []
    await registered(client)
    listed = (await client.get("/api/services")).json()
    assert [service["id"] for service in listed] == ["my-service"]


async def test_r092_one_service_is_shown_without_the_values_of_its_environment(
    client: httpx.AsyncClient,
) -> None:
    await registered(client)
    shown = (await client.get("/api/services/my-service")).json()
    assert shown["resources"] == {"max_memory": "512MB", "max_cpu": "25%"}
    assert shown["environment"] == ["LOG_LEVEL", "SERVICE_PORT"]
    assert shown["status"] == "stopped"


async def test_r092_an_unknown_service_is_404_json(client: httpx.AsyncClient) -> None:
    response = await client.get("/api/services/none")
    assert response.status_code == 404
    assert response.json()["error"] == "Service not found"


async def test_r093_the_second_registration_of_an_id_is_a_conflict(
    client: httpx.AsyncClient,
) -> None:
    await registered(client)
    response = await client.post("/api/services", json=SEED)
    assert response.status_code == 409
    assert "my-service" in response.json()["message"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"id": "../x"}, "id"),
        ({"id": "orchestrator"}, "id"),
        ({"executable": "python 'x"}, "executable"),
        ({"executable": ""}, "executable"),
        ({"max_retries": 3}, "max_retries"),
        ({"resources": {"max_memory": "many"}}, "resources.max_memory"),
        ({"resources": {"max_cpu": "25"}}, "resources.max_cpu"),
        ({"restart_policy": {"max_retries": -1}}, "restart_policy.max_retries"),
        ({"environment": {"A B": "x"}}, "environment.A B.[key]"),
        ({"environment": {"A": True}}, "environment.A"),
        ({"health_endpoint": "file:///etc/passwd"}, "health_endpoint"),
        ({"stop_timeout": -1}, "stop_timeout"),
        ({"depends_on": ["my-service"]}, "body"),
    ],
)
async def test_r093_a_wrong_body_is_400_and_names_the_field(
    client: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    response = await client.post("/api/services", json={**SEED, **change})
    assert response.status_code == 400
    assert field in response.json()["fields"]


async def test_r094_start_is_idempotent_and_restart_gives_a_new_pid(
    client: httpx.AsyncClient,
) -> None:
    await registered(client)
    first = (await client.put("/api/services/my-service/start")).json()
    second = (await client.put("/api/services/my-service/start")).json()
    assert (first["status"], second["pid"]) == ("running", first["pid"])
    third = (await client.put("/api/services/my-service/restart")).json()
    assert third["pid"] != first["pid"]
    stopped = (await client.put("/api/services/my-service/stop")).json()
    assert (stopped["status"], stopped["pid"]) == ("stopped", None)


async def test_r095_the_newest_lines_come_with_the_service(api: Api) -> None:
    client = api.client()
    await registered(client)
    logs(api)["my-service"] = [f"line {n}" for n in range(20)]
    path = "/api/services/my-service/logs"
    found = (await client.get(path, params={"lines": 5})).json()
    assert found == {"service": "my-service", "lines": [f"line {n}" for n in range(15, 20)]}
    found = (await client.get(path, params={"search": "line 1"})).json()
    assert len(found["lines"]) == 11
    assert (await client.get(path, params={"lines": 0})).status_code == 400


async def test_new_lines_are_sent_as_events(api: Api) -> None:
    client = api.client()
    await registered(client)
    logs(api)["my-service"] = ["hello"]
    for path in ("/api/services/my-service/logs/follow", "/api/services/logs/follow"):
        response = await client.get(path)
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.text == 'data: {"service": "my-service", "line": "hello"}\n\n'
    assert (await client.get("/api/services/none/logs/follow")).status_code == 404


async def test_p25_announce_is_idempotent_and_an_announced_service_is_not_started(
    client: httpx.AsyncClient,
) -> None:
    body = {"service_id": "reviews", "health_endpoint": "http://127.0.0.1:9/health"}
    first = await client.post("/api/services/announce", json=body)
    again = await client.post("/api/services/announce", json=body)
    assert (first.status_code, again.status_code) == (201, 200)
    assert (first.json()["origin"], first.json()["status"]) == ("sdk", "external")
    assert (await client.put("/api/services/reviews/start")).status_code == 409
    report = await client.post("/api/services/reviews/health", json={"status": "healthy"})
    assert report.json()["health"] == "healthy"
    assert (await client.post("/api/services/reviews/deregister")).status_code == 200


async def test_health_warns_of_a_service_that_is_down(api: Api) -> None:
    client = api.client()
    await registered(client)
    await client.put("/api/services/my-service/start")
    body = (await client.get("/health")).json()
    assert body["services"]["my-service"]["status"] == "running"
    assert body["services"]["my-service"]["down"] is False
    await client.post(
        "/api/services/my-service/health", json={"status": "unhealthy", "detail": "ill"}
    )
    body = (await client.get("/health")).json()
    assert body["status"] == "warning"
    assert body["services"]["my-service"]["down"] is True
