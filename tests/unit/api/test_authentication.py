"""Who may come in, and how often."""

import httpx
import pytest
from in_memory_api import NO_LIMITS, Api, settings_of
from route_paths import ROUTES
from starlette.requests import Request

from storecrew.api.authentication import auth_settings_problem, is_royalgpt_authorized

KEY = "k" * 32
ANSWERS = {"accept": "application/json"}


def with_key(**environ: str) -> dict[str, str]:
    return {"API_KEY_ROYALGPT": KEY, **NO_LIMITS, **environ}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"authorization": f"Bearer {KEY}"}, 200),
        ({"authorization": f"bearer {KEY}"}, 200),
        ({"authorization": KEY}, 200),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": f"Basic {KEY}"}, 401),
        ({"authorization": "Bearer"}, 401),
        ({"authorization": "Bearer kéy"}, 401),
        ({"x-api-key": KEY}, 401),
    ],
)
async def test_r018_r019_r020_with_a_key_every_caller_shows_it(
    api: Api, headers: dict[str, str], status: int
) -> None:
    client = api.client(settings_of(**with_key()), peer="192.0.2.7")
    raw = {name: value.encode() for name, value in headers.items()}
    response = await client.get("http://shop.example/api/orders", headers=raw)
    assert response.status_code == status
    if status == 401:
        assert response.headers["www-authenticate"] == "Bearer"
        assert response.json()["error"] == "Unauthorized"


@pytest.mark.parametrize(
    "path", ["/", "/favicon.ico", "/health", "/healthz", "/readyz", "/liveness"]
)
async def test_probes_need_no_key(api: Api, path: str) -> None:
    client = api.client(settings_of(**with_key()), peer="192.0.2.7")
    assert (await client.get(path)).status_code in (200, 204)


async def test_r024_every_other_route_needs_the_key(api: Api) -> None:
    client = api.client(settings_of(**with_key()))
    document = (await client.get("/openapi.json", headers={"authorization": KEY})).json()
    open_to_all = {route for route, role in ROUTES.items() if role is None}
    for path, methods in document["paths"].items():
        for method in map(str.upper, methods):
            if f"{method} {path}" not in open_to_all:
                assert (await client.request(method, path)).status_code == 401, path
    assert (await client.get("/openapi.json")).status_code == 401


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
async def test_without_a_key_this_machine_may_call(api: Api, peer: str) -> None:
    assert (await api.client(peer=peer).get("/api/orders")).status_code == 200


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "::2", ""])
async def test_without_a_key_others_may_not(api: Api, peer: str) -> None:
    assert (await api.client(peer=peer).get("/api/orders")).status_code == 403


@pytest.mark.parametrize(
    "host", ["shop.example", "127.0.0.1.evil.example", "localhost.evil", "", "["]
)
async def test_without_a_key_the_host_must_be_this_machine(api: Api, host: str) -> None:
    response = await api.client().get("/api/orders", headers={"host": host})
    assert (response.status_code, response.json()["error"]) == (421, "Misdirected Request")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"])
async def test_without_a_key_this_machine_has_several_names(api: Api, host: str) -> None:
    response = await api.client().get("/api/orders", headers={"host": host})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://127.0.0.1:8000", 200),
        ("http://localhost:3000", 200),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://127.0.0.1:9999", 403),
    ],
)
async def test_without_a_key_pages_of_other_origins_may_not_call(
    api: Api, origin: str, status: int
) -> None:
    response = await api.client().post("/run_all", headers={"origin": origin})
    assert response.status_code == status


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host"])
async def test_without_a_key_a_proxy_is_refused(api: Api, header: str) -> None:
    assert (await api.client().get("/api/orders", headers={header: "x"})).status_code == 403


async def test_r025_a_preflight_is_answered_for_the_configured_origins_alone(api: Api) -> None:
    ask = {"access-control-request-method": "GET"}
    for settings in (settings_of(), settings_of(**with_key())):
        client = api.client(settings)
        mine = await client.options(
            "/api/orders", headers={"origin": "http://localhost:3000", **ask}
        )
        assert mine.headers["access-control-allow-origin"] == "http://localhost:3000"
        other = await client.options(
            "/api/orders", headers={"origin": "http://evil.example", **ask}
        )
        assert "access-control-allow-origin" not in other.headers
        assert (other.status_code, other.json()["error"]) == (403, "Forbidden")


@pytest.mark.parametrize(
    ("key", "peer", "header", "expected"),
    [
        (None, "127.0.0.1", None, True),
        (None, "192.0.2.7", None, False),
        (KEY, "192.0.2.7", f"Bearer {KEY}", True),
        (KEY, "127.0.0.1", "Bearer wrong", False),
        (KEY, "192.0.2.7", KEY, True),
        (KEY, "127.0.0.1", None, False),
    ],
)
def test_r017_royalgpt_authorized(
    api: Api, key: str | None, peer: str, header: str | None, expected: bool
) -> None:
    settings = settings_of(**({"API_KEY_ROYALGPT": key} if key else {}))
    app = api.client(settings)._transport.app  # type: ignore[attr-defined]
    headers = [(b"authorization", header.encode())] if header else []
    scope = {"type": "http", "headers": headers, "client": (peer, 1), "app": app}
    assert is_royalgpt_authorized(Request(scope)) is expected


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ()),
        ({"HOST": "0.0.0.0"}, ("HOST", "API_KEY_ROYALGPT")),  # noqa: S104 - refused here
        ({"HOST": "0.0.0.0", "API_KEY_ROYALGPT": "short"}, ()),  # noqa: S104 - allowed here
        ({"ENV": "production", "API_KEY_ROYALGPT": "short"}, ("API_KEY_ROYALGPT", "32")),
        ({"ENV": "production", "API_KEY_ROYALGPT": KEY}, ()),
    ],
)
def test_r023_r024_a_door_that_would_stand_open_is_refused(
    environ: dict[str, str], names: tuple[str, ...]
) -> None:
    reason = auth_settings_problem(settings_of(**environ))
    assert (reason is None) is (not names)
    assert all(name in (reason or "") for name in names)


@pytest.mark.parametrize(
    ("path", "body", "limit"),
    [
        ("/agent/1/mail", {"mail": "Product A:1"}, 10),
        ("/agent/2/warehouse", {"stock": "Product A:100"}, 20),
        ("/agent/3/approve", {"order_id": 1}, 15),
        ("/agent/4/fulfilled", {"order_id": 1}, 10),
    ],
)
async def test_r027_r028_r029_r030_the_order_endpoints_have_their_own_rate_limit(
    api: Api, path: str, body: dict[str, object], limit: int
) -> None:
    client = api.client(settings_of())  # the general limit is off
    answers = [await client.post(path, json=body) for _ in range(limit + 1)]
    assert all(answer.status_code != 429 for answer in answers[:-1])
    last = answers[-1]
    assert last.status_code == 429
    assert 0 < int(last.headers["retry-after"]) <= 60
    assert last.headers["x-ratelimit-limit"] == str(limit)
    assert last.headers["x-ratelimit-remaining"] == "0"
    assert (await client.get("/api/orders")).status_code == 200


async def test_r031_the_general_rate_limit_counts_writes_and_reads_apart(api: Api) -> None:
    client = api.client(settings_of(STORECREW_API__RATE_LIMIT="3"))
    writes = [(await client.post("/run_agent/none")).status_code for _ in range(4)]
    assert writes == [404, 404, 404, 429]
    reads = [await client.get("/api/agents") for _ in range(61)]
    assert [r.status_code for r in reads] == [200] * 60 + [429]
    shown = [name for name in reads[0].headers if name.startswith("x-ratelimit-")]
    assert len(shown) == 3
    assert int(reads[0].headers["x-ratelimit-reset"]) <= 60
    assert (await client.get("/healthz")).status_code == 200


async def test_callers_are_counted_apart(api: Api) -> None:
    settings = settings_of(STORECREW_API__RATE_LIMIT="1")
    app = api.client(settings)._transport.app  # type: ignore[attr-defined]
    statuses = []
    for peer in ("127.0.0.1", "127.0.0.2", "127.0.0.1"):
        transport = httpx.ASGITransport(app, client=(peer, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            statuses.append((await client.post("/run_agent/none")).status_code)
    assert statuses == [404, 404, 429]


async def test_a_rate_limit_of_zero_is_none(api: Api, client: httpx.AsyncClient) -> None:
    answers = [await client.post("/agent/1/mail", json={"mail": "Product A:1"}) for _ in range(12)]
    assert {answer.status_code for answer in answers} == {200}
    assert "x-ratelimit-limit" not in answers[0].headers
