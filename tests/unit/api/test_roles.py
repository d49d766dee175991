"""What each role may do: every route with each of them."""

import httpx
import pytest
from fastapi import APIRouter
from in_memory_api import NO_LIMITS, Api, settings_of
from route_paths import EVERY_ROUTE, ROUTES, filled

from storecrew.api.requests import JsonRoute
from storecrew.domain.control.access import Role

KEY = "k" * 32


OPEN = {
    *("GET /", "HEAD /", "GET /favicon.ico", "HEAD /favicon.ico"),
    *("GET /healthz", "GET /liveness", "GET /readyz", "GET /readiness", "GET /health"),
    *("POST /api/session", "POST /webhooks/{source}", "POST /api/agents/{agent_id}/heartbeat"),
    "GET /dashboard/",
    *("GET /unsubscribe/{token}", "POST /unsubscribe/{token}"),
}
"""Probes, and routes that ask for a proof of their own."""
ADMINS = {
    *("GET /api/keys", "POST /api/keys", "DELETE /api/keys/{name}"),
    *("GET /api/users", "POST /api/users", "DELETE /api/users/{name}"),
    *("POST /api/services", "POST /api/agents", "DELETE /api/agents/{agent_id}"),
}
READS_ALL_THE_SAME = {
    "POST /api/store/queries/{question}",
    "POST /api/intents",
    "DELETE /api/session",
}
"""Questions with a body, and the end of one's own session."""


RANKS = ["viewer", "operator", "admin"]
"""Each may do what those before it may."""


def least_role(route: str) -> str:
    """Return who may use a route, written down here and not read from the code; empty is anyone."""
    if route in OPEN:
        return ""
    if route in ADMINS:
        return "admin"
    is_read = route.startswith(("GET ", "HEAD ")) or route in READS_ALL_THE_SAME
    return "viewer" if is_read else "operator"


@pytest.fixture
async def clients(api: Api) -> dict[Role | None, httpx.AsyncClient]:
    """A client per role, and one without a key, from elsewhere."""
    settings = settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS)
    clients: dict[Role | None, httpx.AsyncClient] = {None: api.client(settings, peer="192.0.2.7")}
    for role in Role:
        key = await api.plane.access.add_key(f"a-{role}", role, by="person:test")
        headers = {"authorization": f"Bearer {key}"}
        clients[role] = api.client(settings, peer="192.0.2.7", headers=headers)
    return clients


def test_r040_role_matrix_viewers_read_operators_work_and_admins_decide_who_may() -> None:
    assert {route for route, role in ROUTES.items() if role is None} == OPEN
    assert {route for route, role in ROUTES.items() if role is Role.ADMIN} == ADMINS
    reads = {r for r in ROUTES.keys() - OPEN - ADMINS if r.startswith("GET ")} | READS_ALL_THE_SAME
    assert {route for route, role in ROUTES.items() if role is Role.VIEWER} == reads


def test_r040_role_matrix_every_route_enforces_its_rule() -> None:
    careless = [route.path for route in EVERY_ROUTE if not isinstance(route, JsonRoute)]
    assert careless == []


def test_r040_a_route_that_declares_no_role_does_not_start() -> None:
    async def forgotten() -> None:
        """Do something that nobody thought about."""

    with pytest.raises(LookupError, match="forgotten declares no role"):
        APIRouter(route_class=JsonRoute).get("/forgotten")(forgotten)


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_r040_role_matrix(clients: dict[Role | None, httpx.AsyncClient], route: str) -> None:
    method, _, path = route.partition(" ")
    needed = least_role(route)
    for role, client in clients.items():
        response = await client.request(method, filled(path))
        if needed == "" or (role and RANKS.index(str(role)) >= RANKS.index(needed)):
            assert response.status_code != 403, (role, response.text)
            if route != "POST /webhooks/{source}" and role:
                assert response.status_code != 401, (role, response.text)
        else:
            assert response.status_code == (403 if role else 401), (role, response.text)
            assert response.json()["error"] == ("Forbidden" if role else "Unauthorized")


async def test_r040_a_viewer_reads_and_does_not_act(
    clients: dict[Role | None, httpx.AsyncClient],
) -> None:
    viewer = clients[Role.VIEWER]
    assert (await viewer.get("/api/orders")).status_code == 200
    refused = await viewer.post("/api/orchestrator/pause")
    assert refused.status_code == 403
    assert "operator" in refused.json()["message"]
    assert (await clients[Role.OPERATOR].post("/api/orchestrator/pause")).status_code == 200
    assert (await clients[Role.OPERATOR].get("/api/keys")).status_code == 403
    assert (await clients[Role.ADMIN].get("/api/keys")).status_code == 200


async def test_only_an_admin_makes_the_plane_call_a_new_address(
    clients: dict[Role | None, httpx.AsyncClient],
) -> None:
    body = {"service_id": "spy", "health_endpoint": "http://127.0.0.1:9/secret"}
    refused = await clients[Role.OPERATOR].post("/api/services/announce", json=body)
    assert (refused.status_code, "admin" in refused.json()["message"]) == (403, True)

    assert (await clients[Role.ADMIN].post("/api/services/announce", json=body)).status_code == 201
    assert (
        await clients[Role.OPERATOR].post("/api/services/announce", json=body)
    ).status_code == 200
