"""What each role may do: every route with each of them."""

import httpx
import pytest
from fake_plane import NO_LIMITS, Door, settings_of
from route_paths import filled

from storecrew.api.requests import JsonRoute
from storecrew.api.roles import ROUTES
from storecrew.api.routing import every_route
from storecrew.domain.identity import Role

KEY = "k" * 32


def declared(door: Door) -> set[str]:
    app = door.client()._transport.app  # type: ignore[attr-defined]
    return {
        f"{method} {route.path}" for route in every_route(app) for method in route.methods or ()
    }


@pytest.fixture
async def clients(door: Door) -> dict[Role | None, httpx.AsyncClient]:
    """A client per role, and one without a key, from elsewhere."""
    settings = settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS)
    clients: dict[Role | None, httpx.AsyncClient] = {None: door.client(settings, peer="192.0.2.7")}
    for role in Role:
        key = await door.plane.access.add_key(f"a-{role}", role, by="person:test")
        headers = {"authorization": f"Bearer {key}"}
        clients[role] = door.client(settings, peer="192.0.2.7", headers=headers)
    return clients


def test_r040_role_matrix_each_route_has_a_rule_and_each_rule_a_route(door: Door) -> None:
    assert sorted(declared(door) - ROUTES.keys()) == []
    assert sorted(ROUTES.keys() - declared(door)) == []


def test_r040_role_matrix_every_route_enforces_its_rule(door: Door) -> None:
    app = door.client()._transport.app  # type: ignore[attr-defined]
    careless = [r.path for r in every_route(app) if not isinstance(r, JsonRoute)]
    assert careless == []


@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_r040_role_matrix(clients: dict[Role | None, httpx.AsyncClient], route: str) -> None:
    method, _, path = route.partition(" ")
    needed = ROUTES[route]
    for role, client in clients.items():
        response = await client.request(method, filled(path))
        if needed is None or (role and role.covers(needed)):
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
