"""An agent in its own process: invoked over HTTP, it responds with proposals.

The same declaration that runs inside the plane runs here: `ctx.store` asks the plane, the models
are those it is given, and what it yields travels back to be judged like any other proposal.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from storecrew.domain import remote_queries
from storecrew.domain.codec import encode
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidInput, InvalidSettings, NotPermitted
from storecrew.domain.events import Event
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import StoreView
from storecrew.sdk import wire
from storecrew.sdk.agent import Agent
from storecrew.sdk.client import Unreachable, content_of
from storecrew.sdk.context import Context, UsageMeter
from storecrew.sdk.settings import AgentSettings, parse_settings

if TYPE_CHECKING:
    import httpx

_MAX_CALL = 4_000_000
"""Bytes of a call that are read: a batch of some ten thousand events."""

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class RemoteStore:
    """The store as an agent sees it, asked over HTTP: the reading half of the port."""

    def __init__(self, http: httpx.AsyncClient, agent: str) -> None:
        self._http = http
        self._agent = agent

    def __getattr__(self, question: str) -> Callable[..., Awaitable[Any]]:
        if question not in remote_queries.QUERIES:
            raise NotPermitted(self._agent, f"call {question!r} on the store")

        async def ask(*args: Any, **kwargs: Any) -> Any:
            given = encode(remote_queries.named(question, args, kwargs))
            return remote_queries.answer(question, await self._ask(question, given))

        return ask

    async def _ask(self, question: str, given: Any) -> Any:
        import httpx  # a tenth of a second that importing the sdk need not cost

        try:
            answer = await self._http.post(f"/api/store/queries/{question}", json=given)
        except httpx.HTTPError as error:
            raise Unreachable(str(self._http.base_url), str(error)) from error
        return content_of(answer)["answer"]


@dataclass(frozen=True, kw_only=True)
class RemoteAgent:
    """An ASGI application that answers the plane's calls for one agent.

    `POST` to any path is a call, and must be signed; `GET` tells that the agent is alive.
    """

    agent: Agent
    key: str
    """Under which the plane signs: `wire.signing_key` of the token that registration gave."""
    store: StoreView
    models: Models | None = None
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["method"] == "GET":
            health = {"status": "healthy", "service": self.agent.name}
            content = wire.dump({**health, "timestamp": self.now().isoformat()})
            await _respond(send, 200, content)
        elif scope["method"] == "POST":
            status, content = await self.answer(_headers(scope), await _body(receive))
            await _respond(send, status, content)
        else:
            await _respond(send, 405, wire.dump({"error": "Method Not Allowed"}))

    async def answer(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and body of the answer to a call."""
        if not wire.is_signed(self.key, headers, body, self.now()):
            return 401, wire.dump({"error": "the call is not signed by the plane"})
        try:
            wake = wire.decode_request(body)
            settings = parse_settings(self.agent.settings, self.agent.name, wake.settings)
        except (InvalidInput, InvalidSettings) as error:
            return 400, wire.dump({"error": str(error)})
        return 200, wire.encode_response(await self._propose(wake, settings))

    async def _propose(
        self, request: wire.AgentRequest, settings: AgentSettings
    ) -> wire.AgentResponse:
        meter = UsageMeter()
        ctx = Context(
            run=request.run,
            attempt=request.attempt,
            meter=meter,
            agent=request.agent,
            now=request.now,
            store=self.store,
            models=cast("Models", self.models),
            settings=settings,
            budget=self.agent.budget,
            currency=request.currency,
        )
        yielded = [one async for one in self.agent.invoke(request.events, ctx)]
        return wire.AgentResponse(
            proposals=tuple(one for one in yielded if isinstance(one, Proposal)),
            events=tuple(one for one in yielded if isinstance(one, Event)),
            tokens=meter.tokens,
        )


def _headers(scope: Scope) -> dict[str, str]:
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}


async def _body(receive: Receive) -> bytes:
    """Return the body, or as much of it as is read: a longer one will not match its signature."""
    body = bytearray()
    while len(body) <= _MAX_CALL:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return bytes(body)


async def _respond(send: Send, status: int, content: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(content))]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
