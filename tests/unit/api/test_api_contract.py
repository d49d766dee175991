"""Rows of the contract that no single module owns, as their verification is worded."""

import inspect
from dataclasses import replace
from typing import Any

import httpx
import pytest
from in_memory_api import NO_LIMITS, Api, settings_of

from storecrew.api import authentication
from storecrew.database import Database
from storecrew.stores.sql import SqlStore

KEY = "k" * 32
BEARER = {"authorization": f"Bearer {KEY}"}


async def test_r005_liveness_touches_no_database(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def touched(_database: Database, *_work: Any) -> None:
        raise AssertionError("it was asked")

    with monkeypatch.context() as patch:
        for name in ("read", "write", "check_writable"):
            patch.setattr(Database, name, touched)
        for path in ("/healthz", "/liveness"):
            assert (await client.get(path)).json() == {"status": "healthy"}
        assert (await client.get("/api/orders")).status_code == 500


async def test_r007_other_health_paths_are_json_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/health/nonexistent", headers={"accept": "text/html"})
    assert (response.status_code, response.headers["content-type"]) == (404, "application/json")


async def test_r021_execute_needs_the_key(api: Api) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS))
    path = "/api/agents/pricing/execute"
    assert (await client.post(path, headers={"x": "1"})).status_code == 401
    assert (await client.post(path, headers=BEARER)).status_code not in (401, 403)


@pytest.mark.parametrize(
    ("scope", "status"), [("*", 200), ("a,pricing", 200), ("a,b", 403), ("", 200)]
)
async def test_r022_agents_outside_the_scope_are_not_triggered(
    api: Api, scope: str, status: int
) -> None:
    settings = settings_of(API_KEY_ROYALGPT=KEY, AUTHORIZED_AGENTS_SCOPE=scope, **NO_LIMITS)
    api.plane = replace(
        api.plane, settings=settings, crew=replace(api.plane.crew, settings=settings)
    )
    client = api.client(settings, headers=BEARER)
    response = await client.post("/run_agent/pricing")
    assert response.status_code == status
    executed = await client.post("/api/agents/pricing/execute")
    assert (executed.status_code == 403) is (status == 403)
    if status == 403:
        assert "AUTHORIZED_AGENTS_SCOPE" in response.json()["message"]
    runs = (await client.post("/run_all")).json()["runs"]
    assert len(runs) == {"*": 2, "": 2, "a,pricing": 1, "a,b": 0}[scope]


async def test_r026_a_hundred_writes_a_minute_and_then_429(api: Api) -> None:
    client = api.client(settings_of(STORECREW_API__RATE_LIMIT="100"))
    statuses = [(await client.put("/api/services/none/start")).status_code for _ in range(101)]
    assert statuses == [404] * 100 + [429]
    last = await client.put("/api/services/none/start")
    assert 0 < int(last.headers["retry-after"]) <= 60
    for path in ("/health", "/healthz", "/readyz", "/liveness", "/readiness"):
        assert (await client.get(path)).status_code == 200
        assert "x-ratelimit-limit" not in (await client.get(path)).headers


async def test_r031_every_limited_response_tells_the_limit(api: Api) -> None:
    client = api.client(settings_of(STORECREW_API__RATE_LIMIT="100"))
    for response in (
        await client.get("/api/orders"),
        await client.get("/api/nowhere"),
        await client.post("/api/orders", content="{"),
        await client.post("/run_all", headers={"origin": "http://evil.example"}),
    ):
        shown = [name for name in response.headers if name.startswith("x-ratelimit-")]
        assert len(shown) == 3, response.text


async def test_r031_the_headers_count_down_from_the_limit_to_its_reset(api: Api) -> None:
    client = api.client(settings_of(STORECREW_API__RATE_LIMIT="3"))
    remaining = []
    for _ in range(4):
        response = await client.post("/api/orders", content="{")
        assert response.headers["x-ratelimit-limit"] == "3"
        assert 1 <= int(response.headers["x-ratelimit-reset"]) <= 60
        remaining.append(response.headers["x-ratelimit-remaining"])
    assert remaining == ["2", "1", "0", "0"]
    assert response.status_code == 429
    assert response.headers["retry-after"] == response.headers["x-ratelimit-reset"]
    assert "api.rate_limit" in response.json()["message"]
    read = await client.get("/api/orders")
    assert (read.headers["x-ratelimit-limit"], read.headers["x-ratelimit-remaining"]) == (
        "60",
        "59",
    )


async def test_r031_a_stranger_who_is_refused_uses_up_nobodys_share(api: Api) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, STORECREW_API__RATE_LIMIT="3"))
    refused = [(await client.get("/api/orders")).status_code for _ in range(5)]
    assert refused == [401, 401, 401, 429, 429]
    assert (await client.get("/api/orders", headers=BEARER)).status_code == 200


async def test_r031_callers_are_counted_by_their_name(api: Api) -> None:
    from storecrew.domain.control.access import Role

    settings = settings_of(API_KEY_ROYALGPT=KEY, STORECREW_API__RATE_LIMIT="2")
    client = api.client(settings)
    statuses = []
    for name in ("one", "other"):
        token = await api.plane.access.add_key(name, Role.OPERATOR, by="person:o")
        for _ in range(3):
            response = await client.post("/run_all", headers={"authorization": token})
            statuses.append(response.status_code)
    assert statuses == [200, 200, 429] * 2


async def test_r033_sql_in_an_order_is_text(client: httpx.AsyncClient, store: SqlStore) -> None:
    mail = {"mail": "x'; DROP TABLE orders;--:1"}
    assert (await client.post("/agent/1/mail", json=mail)).status_code == 400
    found = await client.get("/api/orders", params={"customer": "' OR 1=1;--"})
    assert found.json()["total"] == 0
    assert sum((await store.order_counts()).values()) == 0


async def test_whatever_is_not_public_needs_the_key(api: Api) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS))
    for path in ("/mcp", "/a2a", "/dashboard-of-old", "/openapi.json", "/docs", "/ws"):
        assert (await client.post(path)).status_code == 401, path


@pytest.mark.parametrize(
    "path",
    [
        "//api/orders",
        "/api//orders",
        "/./api/orders",
        "/api/orders/",
        "/API/ORDERS",
        "/healthz/../api/orders",
        "/healthz/",
        "/healthz%2f..%2fapi%2forders",
        "/%68ealthz/%2e%2e/api/orders",
        "/webhooks/..%2fapi/orders",
        "/api/session/..%2forders",
        "/api/orders%00",
        "/api/orders;x=/healthz",
        "/healthz?/../api/orders=1&x",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
async def test_path_tricks_do_not_pass_the_guard(api: Api, path: str, method: str) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS), peer="192.0.2.7")
    response = await client.request(method, httpx.URL(f"http://shop.example{path}"))
    if path.startswith("/healthz?"):
        assert response.status_code in (200, 401, 405)
        assert "items" not in response.text
    else:
        assert response.status_code in (401, 404, 400)
        assert response.headers["content-type"] == "application/json"
        assert "items" not in response.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("shop.example", 200),
        ("shop.example:443", 200),
        ("SHOP.example.", 200),
        ("localhost", 200),
        ("evil.example", 421),
        ("shop.example.evil.example", 421),
        ("", 421),
        ("[", 421),
    ],
)
async def test_with_a_key_the_server_answers_to_its_configured_names(
    api: Api, host: str, status: int
) -> None:
    settings = settings_of(
        API_KEY_ROYALGPT=KEY, STORECREW_API__HOSTS='["shop.example"]', **NO_LIMITS
    )
    client = api.client(settings, peer="192.0.2.7", headers=BEARER)
    assert (await client.get("/api/orders", headers={"host": host})).status_code == status
    assert (await client.get("/healthz", headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://shop.example", 200),
        ("https://shop.example", 200),
        ("http://localhost:3000", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ],
)
async def test_with_a_key_pages_of_other_origins_may_not_write(
    api: Api, origin: str, status: int
) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS), headers=BEARER)
    response = await client.post("http://shop.example/run_all", headers={"origin": origin})
    assert response.status_code == status


async def test_headers_of_a_megabyte_are_refused(api: Api) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS), headers=BEARER)
    response = await client.get("/api/orders", headers={"x": "a" * 1_000_000})
    assert (response.status_code, response.json()["status_code"]) == (431, 431)


async def test_a_flood_of_refusals_is_one_row_a_minute(api: Api) -> None:
    client = api.client(settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS))
    refusals = client._transport.app.state.refusals  # type: ignore[attr-defined]
    now = [0.0]
    refusals.ticks = lambda: now[0]
    for _ in range(50):
        await client.get("/api/orders")
    now[0] = 61.0
    await client.get("/api/orders")
    await refusals.close()
    rows = await api.plane.access.book.database.read(  # type: ignore[attr-defined]
        lambda c: c.exec_driver_sql("select action from audit order by seq").scalars().all()
    )
    counts = [int(row.partition('"count":')[2].partition(",")[0]) for row in rows]
    assert sum(counts) == 51
    assert len(counts) <= 3


async def test_strangers_in_great_number_share_a_row(api: Api) -> None:
    settings = settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS)
    app = api.client(settings)._transport.app  # type: ignore[attr-defined]
    for n in range(150):
        transport = httpx.ASGITransport(app, client=(f"198.51.100.{n}", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            assert (await client.get("/api/orders")).status_code == 401
    await app.state.refusals.close()
    actors = await api.plane.access.book.database.read(  # type: ignore[attr-defined]
        lambda c: c.exec_driver_sql("select actor from audit").scalars().all()
    )
    assert len(set(actors)) == 101
    assert "address:many" in actors


def test_r018_the_guards_of_old_clients_keep_their_names() -> None:
    assert inspect.iscoroutinefunction(authentication.require_royalgpt_auth)
    assert callable(authentication.is_royalgpt_authorized)


async def test_answers_are_neither_run_nor_framed(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/orders", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]
