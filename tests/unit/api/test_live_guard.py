"""The guard in front of websockets: the same proofs, the same Host and Origin."""

from datetime import timedelta
from typing import Any

import pytest
from in_memory_api import NO_LIMITS, Api, settings_of
from starlette.websockets import WebSocketDisconnect

from storecrew.api.authentication import COOKIE, Authenticator as Gate, AuthMiddleware, authorize
from storecrew.api.denied_attempts import DeniedAttemptLog
from storecrew.api.long_lived import LongLivedConnection
from storecrew.domain.control.access import LOCAL, Role

KEY = "k" * 32
CLOSED = settings_of(API_KEY_ROYALGPT=KEY, **NO_LIMITS)
OPEN = settings_of(**NO_LIMITS)
OWN = "http://127.0.0.1:8000"


def scope_of(api: Api, settings: Any, peer: str = "127.0.0.1", **headers: str) -> dict[str, Any]:
    app = api.client(settings)._transport.app  # type: ignore[attr-defined]
    named = {"host": "127.0.0.1:8000", **headers}
    return {
        "type": "websocket",
        "path": "/ws",
        "raw_path": b"/ws",
        "query_string": b"",
        "scheme": "ws",
        "headers": [(k.replace("_", "-").encode(), v.encode()) for k, v in named.items()],
        "client": (peer, 1),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        "app": app,
        "state": {},
    }


async def opened(scope: dict[str, Any]) -> int:
    """Return the status of a refusal, or 101 once the websocket is accepted."""
    said: list[dict[str, Any]] = []
    events = iter([{"type": "websocket.connect"}])

    async def receive() -> dict[str, Any]:
        return next(events, {"type": "websocket.disconnect", "code": 1000})

    async def send(message: dict[str, Any]) -> None:
        said.append(message)

    await scope["app"](scope, receive, send)
    first = said[0]
    return 101 if first["type"] == "websocket.accept" else int(first["status"])


@pytest.mark.parametrize(
    ("settings", "peer", "headers", "status"),
    [
        (OPEN, "127.0.0.1", {}, 101),
        (OPEN, "127.0.0.1", {"origin": OWN}, 101),
        (OPEN, "127.0.0.1", {"origin": "http://evil.example"}, 403),
        (OPEN, "127.0.0.1", {"host": "evil.example"}, 421),
        (OPEN, "192.0.2.7", {}, 403),
        (CLOSED, "192.0.2.7", {}, 401),
        (CLOSED, "192.0.2.7", {"authorization": "Bearer wrong"}, 401),
        (CLOSED, "192.0.2.7", {"authorization": f"Bearer {KEY}"}, 101),
        (CLOSED, "192.0.2.7", {"authorization": KEY, "origin": "http://evil.example"}, 403),
        (CLOSED, "192.0.2.7", {"cookie": f"{COOKIE}=wrong", "origin": OWN}, 401),
    ],
)
async def test_r040_a_websocket_is_guarded_as_every_request(
    api: Api, settings: Any, peer: str, headers: dict[str, str], status: int
) -> None:
    assert await opened(scope_of(api, settings, peer, **headers)) == status


async def test_a_session_opens_a_websocket_without_another_proof(api: Api) -> None:
    access = api.plane.access
    await access.add_user("anna", Role.VIEWER, "a password nobody guesses", by="person:o")
    begun = await access.log_in("anna", "a password nobody guesses", lasts=timedelta(hours=1))
    assert begun is not None
    cookie = f"{COOKIE}={begun.token}"
    assert await opened(scope_of(api, OPEN, cookie=cookie, origin=OWN)) == 101
    other = scope_of(api, OPEN, cookie=cookie, origin="http://evil.example")
    assert await opened(other) == 403


async def test_authorize_names_the_caller(api: Api) -> None:
    assert await authorize(scope_of(api, OPEN)) == LOCAL
    named = await authorize(scope_of(api, CLOSED, authorization=KEY))
    assert named is not None
    assert (named.name, named.role) == ("api", Role.ADMIN)
    assert await authorize(scope_of(api, CLOSED)) is None


class Wire:
    """A connection that lasts, and a clock for how long."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.now = 0.0
        self.allowed = True
        self.lasting = LongLivedConnection(self._take, self._still, ticks=lambda: self.now)

    async def _take(self, message: Any) -> None:
        self.said.append(message)

    async def _still(self) -> bool:
        return self.allowed


async def test_a_websocket_is_closed_once_its_caller_may_not_come_in() -> None:
    wire = Wire()
    news = {"type": "websocket.send", "text": "x"}
    await wire.lasting({"type": "websocket.accept"})
    await wire.lasting(news)
    wire.allowed = False
    await wire.lasting(news)  # believed for a second
    wire.now = 1.0
    with pytest.raises(WebSocketDisconnect):
        await wire.lasting(news)
    await wire.lasting(news)
    kinds = [message["type"].rpartition(".")[2] for message in wire.said]
    assert kinds == ["accept", "send", "send", "close"]
    assert wire.said[-1]["code"] == 1008


async def test_a_stream_ends_once_its_caller_may_not_come_in() -> None:
    wire = Wire()
    piece = {"type": "http.response.body", "body": b"x", "more_body": True}
    await wire.lasting({"type": "http.response.start", "status": 200, "headers": []})
    await wire.lasting(piece)
    wire.now = 2.0
    await wire.lasting(piece)
    wire.now, wire.allowed = 4.0, False
    for _ in range(2):
        await wire.lasting(piece)
    assert [m.get("more_body") for m in wire.said] == [None, True, True, False]


async def test_a_revoked_key_hears_no_more(api: Api) -> None:
    access = api.plane.access
    token = await access.add_key("far", Role.VIEWER, by="person:o")
    scope = scope_of(api, OPEN, authorization=token)
    guard = AuthMiddleware(
        app=_silent, authenticator=Gate(access, OPEN), refusals=DeniedAttemptLog(access)
    )
    assert await guard._still_allowed(scope)
    await access.revoke_key("far", by="person:o")
    assert not await guard._still_allowed(scope)


async def _silent(_scope: Any, _receive: Any, _send: Any) -> None:
    """Say nothing."""
