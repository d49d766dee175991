"""What is said when a request fails: JSON in one shape, and nothing of the inside."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from in_memory_api import Api
from route_paths import WRITES

from storecrew.app.bootstrap import ControlPlane
from storecrew.domain.control.access import Role
from storecrew.domain.control.idempotency import StoredResponse
from storecrew.domain.errors import StorageBusy, StorageDamaged
from storecrew.stores.sql import SqlStore

SHAPE = {"error", "status_code", "message", "path", "request_id"}


def assert_error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    assert body.keys() >= SHAPE
    assert body["status_code"] == status
    assert body["request_id"] == response.headers["x-request-id"]
    return body


@pytest.mark.parametrize("write", WRITES)
async def test_r035_malformed_json_is_refused(client: httpx.AsyncClient, write: str) -> None:
    method, _, path = write.partition(" ")
    faults = {
        "{": "is not valid JSON",
        '{"a": NaN}': "holds NaN",
        "[" * 100_000: "nests deeper",
        "[" * 40 + "]" * 40: "nests deeper",
        "\xff": "is not valid JSON",
        '{"a": 1, "a": 2}': "names 'a' twice",
    }
    for content, fault in faults.items():
        headers = {"content-type": "application/json"}
        response = await client.request(
            method, path, content=content.encode("latin-1"), headers=headers
        )
        assert assert_error(response, 400)["fields"]["body"].startswith(fault)


@pytest.mark.parametrize("write", WRITES)
async def test_r009_every_route_answers_errors_in_json_for_other_content(
    client: httpx.AsyncClient, write: str
) -> None:
    method, _, path = write.partition(" ")
    assert_error(await client.request(method, path, content="a=1"), 415)
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert_error(await client.request(method, path, content="a=1", headers=form), 415)


@pytest.mark.parametrize("write", WRITES)
async def test_r009_every_route_answers_errors_in_json_for_a_wrong_body(
    client: httpx.AsyncClient, write: str
) -> None:
    method, _, path = write.partition(" ")
    response = await client.request(method, path, json=[1])
    assert response.headers["content-type"] == "application/json"
    assert response.status_code < 500


@pytest.mark.parametrize("write", WRITES)
async def test_r009_every_route_answers_errors_in_json_for_another_method(
    client: httpx.AsyncClient, write: str
) -> None:
    path = write.partition(" ")[2]
    if path.endswith("/consent"):
        body = {"marketing": True}
        assert_error(await client.patch(path, json=body), 405)
    is_patched = path.startswith("/api/customers/")
    response = await client.request("POST" if is_patched else "PATCH", path)
    assert assert_error(response, 405)["error"] == "Method Not Allowed"
    assert response.headers["allow"]


@pytest.mark.parametrize(
    "path", ["/api/nonexistent", "/nonexistent", "/health/nonexistent", "/API/orders"]
)
async def test_r008_p11_an_unknown_path_is_json_even_for_browsers(
    client: httpx.AsyncClient, path: str
) -> None:
    body = assert_error(await client.get(path, headers={"accept": "text/html"}), 404)
    assert (body["error"], body["path"]) == ("Not Found", path)


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("/api/runs/none@1", "Run not found"),
        ("/api/proposals/none@1/0", "Proposal not found"),
        ("/api/approvals/none@1/0", "Approval not found"),
        ("/api/orders/9", "Order not found"),
    ],
)
async def test_an_unknown_thing_is_named(client: httpx.AsyncClient, path: str, error: str) -> None:
    assert assert_error(await client.get(path), 404)["error"] == error


async def test_r035_a_body_over_a_megabyte_is_refused(client: httpx.AsyncClient) -> None:
    content = b'{"mail": "' + b"x" * 1_000_000 + b'"}'
    headers = {"content-type": "application/json"}
    assert_error(await client.post("/agent/1/mail", content=content, headers=headers), 413)

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 50_000):
            yield content[start : start + 50_000]

    assert_error(await client.post("/agent/1/mail", content=chunks(), headers=headers), 413)
    assert_error(await client.post("/run_all", content=chunks(), headers=headers), 413)


async def test_an_order_number_too_large_for_a_database_is_refused(
    client: httpx.AsyncClient,
) -> None:
    assert assert_error(await client.get(f"/api/orders/{2**63}"), 400)["fields"]
    assert assert_error(await client.post("/agent/3/approve", json={"order_id": 2**63}), 400)[
        "fields"
    ]


async def test_json_that_nests_too_deep_is_refused(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json"}
    for opening, closing in (('{"a":', "}"), ("[", "]")):
        for depth, wrong in ((31, False), (33, True), (5_000, True)):
            data = opening * depth + "1" + closing * depth
            content = '{"event_type": "user_browsing", "data": {"x": ' + data + "}}"
            response = await client.post("/api/events", content=content, headers=headers)
            assert (response.status_code == 400) is (wrong or depth + 2 > 32), depth
    flat = {"event_type": "user_browsing", "data": {"many": [[1]] * 1000}}
    assert (await client.post("/api/events", json=flat)).status_code == 202


async def test_odd_characters_are_refused_before_the_database(client: httpx.AsyncClient) -> None:
    for text in ("\\ud800", "\\u0000"):
        content = f'{{"lines": [{{"product": "{text}", "quantity": 1}}]}}'
        headers = {"content-type": "application/json"}
        assert_error(await client.post("/api/orders", content=content, headers=headers), 400)


class Broken:
    """A store that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def orders(self, _query: object) -> None:
        raise self.error

    async def apply(self, *_action: object, **_key: object) -> None:
        raise self.error


async def test_r034_p11_internal_error_tells_nothing(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    inside = "/srv/shop/orders.db: SELECT hunter2"
    for error in (RuntimeError(inside), StorageDamaged("orders", inside)):
        api.plane = replace(api.plane, store=Broken(error))
        response = await api.client().get("/api/orders")
        body = assert_error(response, 500)
        assert body["error"] == "Internal server error"
        assert not {"hunter2", "SELECT", "Traceback", "RuntimeError"} & set(response.text.split())
        assert "hunter2" not in response.text
        assert body["request_id"] in caplog.text
        assert "hunter2" in caplog.text


async def test_a_passing_failure_says_when_to_come_back(api: Api) -> None:
    api.plane = replace(api.plane, store=Broken(StorageBusy("orders")))
    client = api.client()
    for response in (
        await client.get("/api/orders"),
        await client.post("/api/orders", json={"text": "Product A:1"}),
    ):
        assert_error(response, 503)
        assert int(response.headers["retry-after"]) > 0


async def test_a_key_in_flight_is_a_conflict(api: Api) -> None:
    class Slow:
        async def apply(self, *_action: object, **_key: object) -> None:
            began.set()
            await finish.wait()
            raise StorageBusy("orders")

    began, finish = asyncio.Event(), asyncio.Event()
    api.plane = replace(api.plane, store=Slow())
    client = api.client()
    request = {"json": {"text": "Product A:1"}, "headers": {"Idempotency-Key": "k"}}
    first = asyncio.create_task(client.post("/api/orders", **request))
    await began.wait()
    assert_error(await client.post("/api/orders", **request), 409)
    finish.set()
    assert_error(await first, 503)
    assert_error(await client.post("/api/orders", **request), 503)  # the key is free again


async def test_a_failure_under_a_key_is_not_remembered(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"Idempotency-Key": "k"}
    body = {"text": "Product A:1"}
    with monkeypatch.context() as busy:
        busy.setattr(SqlStore, "apply", Broken(StorageBusy("orders")).apply)
        assert_error(await client.post("/api/orders", json=body, headers=headers), 503)
    assert (await client.post("/api/orders", json=body, headers=headers)).status_code == 201


async def test_the_openapi_document_names_every_path(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    assert {write.partition(" ")[2].split("/")[1] for write in WRITES} <= {
        path.split("/")[1] for path in document["paths"]
    }


async def test_r012_access_log_off_keeps_errors(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    settings = api.plane.settings.model_copy(
        update={
            "orchestrator": api.plane.settings.orchestrator.model_copy(
                update={"disable_access_log": True}
            )
        }
    )
    api.plane = replace(api.plane, store=Broken(RuntimeError("boom")))
    client = api.client(settings)
    await client.get("/api/agents")
    assert "storecrew" not in {record.name.partition(".")[0] for record in caplog.records}
    await client.get("/api/orders")
    assert "boom" in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "noisy"),
    [
        ("GET", "/health?x=1", True),
        ("POST", "/health", True),
        ("HEAD", "/favicon.ico", True),
        ("HEAD", "/?x", True),
        ("GET", "/", False),
        ("GET", "/x", False),
        ("GET", "/healthy", False),
    ],
)
async def test_r010_the_access_log_leaves_probes_out(
    client: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
    noisy: bool,
) -> None:
    caplog.set_level(logging.INFO, "storecrew.access")
    await client.request(method, path)
    assert (caplog.text == "") is noisy


async def test_r014_a_500_in_health_leaves_a_traceback_in_the_log(
    api: Api, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_plane: ControlPlane) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(ControlPlane, "checks", broken)
    assert_error(await api.client().get("/health"), 500)
    assert "Traceback" in caplog.text
    assert '"GET /health" 500' in caplog.text


async def test_a_replayed_answer_has_a_request_id_of_its_own(
    api: Api, client: httpx.AsyncClient
) -> None:
    headers = {"Idempotency-Key": "k"}
    ids = [
        (await client.post("/run_all", headers=headers)).headers.get_list("x-request-id")
        for _ in range(2)
    ]
    assert [len(each) for each in ids] == [1, 1]
    assert ids[0] != ids[1]
    await api.settle()
    assert (await client.get("/api/runs")).json()["total"] == 2


async def test_an_answer_under_a_key_survives_a_restart(api: Api) -> None:
    headers = {"Idempotency-Key": "k"}
    first = await api.client().post("/run_agent/pricing", headers=headers)
    after_restart = api.client()
    again = await after_restart.post("/run_agent/pricing", headers=headers)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["content-type"] == "application/json"
    assert await api.requested_by() == ["person:local"]
    assert_error(await after_restart.post("/run_agent/inventory", headers=headers), 422)


async def test_a_key_is_one_callers_own(api: Api) -> None:
    one, other = [
        {"authorization": await api.plane.access.add_key(name, Role.OPERATOR, by="person:o")}
        for name in ("one", "other")
    ]
    client = api.client()
    for who in (one, other, one):
        headers = {"Idempotency-Key": "k", **who}
        assert (await client.post("/run_agent/pricing", headers=headers)).status_code == 200
    assert await api.requested_by() == ["person:one", "person:other"]


async def test_answers_are_forgotten_after_two_days(api: Api) -> None:
    replies, now = api.plane.replies, api.plane.clock.now()
    reply = StoredResponse(fingerprint="f", status=200, body="{}")
    await replies.keep("old", reply, now)
    await replies.keep("old", replace(reply, body="other"), now)
    assert await replies.find("old") == reply
    await replies.keep("new", reply, now + timedelta(days=3))
    assert await replies.find("old") is None


async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(api: Api) -> None:
    class Full:
        async def find(self, _key: str) -> None:
            return None

        async def keep(self, *_reply: object) -> None:
            raise StorageBusy("journal")

    client = api.client()
    client._transport.app.state.replies.book = Full()  # type: ignore[attr-defined]
    headers = {"Idempotency-Key": "k"}
    for _ in range(2):
        assert (await client.post("/run_agent/pricing", headers=headers)).status_code == 200
    assert await api.requested_by() == ["person:local"]
