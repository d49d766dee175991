"""The plane over HTTP: what it says comes back, and what goes wrong has a name."""

import threading

import pytest

from storecrew.sdk import Client, RequestRejected, ServiceAgent, Unreachable


@pytest.fixture
def client(listener) -> Client:
    return Client(listener.url + "/", api_key="k")


def test_a_request_shows_the_key_and_brings_the_answer(listener, client):
    listener.will("GET", "/api/x?a=1", 200, {"ok": True})
    listener.will("POST", "/api/y", 201, ["made"])
    listener.will("PUT", "/api/z", 204)

    assert client.get("/api/x", a=1) == {"ok": True}
    assert client.post("/api/y", {"b": 2}, key="once") == ["made"]
    assert client.put("/api/z") is None
    assert [headers["Authorization"] for *_, headers in listener.asked] == ["Bearer k"] * 3
    _, _, body, headers = listener.asked[1]
    assert (body, headers["Idempotency-Key"]) == ({"b": 2}, "once")


def test_a_refusal_says_what_is_wrong_with_which_field(listener, client):
    listener.will("POST", "/api/y", 400, {"message": "b: too small", "fields": {"b": "too small"}})
    with pytest.raises(RequestRejected, match="400: b: too small") as refused:
        client.post("/api/y")
    assert (refused.value.status, refused.value.fields) == (400, {"b": "too small"})


@pytest.mark.parametrize("status", [429, 503])
def test_a_plane_that_is_ill_may_be_asked_again(listener, client, status):
    listener.will("DELETE", "/api/y", status, {"message": "later"})
    with pytest.raises(Unreachable, match="later"):
        client.delete("/api/y")


def test_a_plane_that_is_away_is_named(client, listener):
    away = Client("http://127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:9"):
        away.get("/api/x")


def test_r098_a_service_registers_beats_and_says_goodbye(listener):
    for path in ("announce", "reviews/health", "reviews/deregister"):
        listener.will("POST", f"/api/services/{path}", 200, {"id": "reviews"})
    service = ServiceAgent("reviews", listener.url, health_endpoint="http://127.0.0.1:8001/health")

    assert service.register() == service.register() == {"id": "reviews"}
    service.heartbeat()
    service.report_health("unhealthy", "no disk")
    service.graceful_shutdown()

    bodies = [body for _, _, body, _ in listener.asked]
    assert bodies == [
        *[
            {
                "service_id": "reviews",
                "health_endpoint": "http://127.0.0.1:8001/health",
                "api_endpoint": None,
            }
        ]
        * 2,
        {"status": "healthy", "detail": ""},
        {"status": "unhealthy", "detail": "no disk"},
        {},
    ]


def test_a_service_beats_from_a_thread_and_bears_with_a_plane_that_is_away(listener):
    path = "/api/services/reviews/health"
    listener.will("POST", path, 503, {"message": "later"})
    listener.will("POST", path, 200, {})
    listener.will("POST", "/api/services/announce", 200, {})
    listener.will("POST", "/api/services/reviews/deregister", 200, {})
    service = ServiceAgent("reviews", listener.url)
    beats = []
    told = threading.Event()

    def is_healthy() -> bool:
        beats.append(1)
        if len(beats) == 3:
            told.set()
        return False

    service.start_beating(is_healthy, every=0.01)
    with service:
        assert told.wait(30)

    sent = [body for _, asked, body, _ in listener.asked if asked == path]
    assert sent[:2] == [{"status": "unhealthy", "detail": ""}] * 2
    assert ("POST", "/api/services/reviews/deregister") in listener.paths()
