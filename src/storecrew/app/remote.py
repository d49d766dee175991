"""Remote agents: woken by a signed call, heard once, and believed only where they were strict.

The wire itself is described and coded in `storecrew.sdk.wire`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from storecrew.domain.codec import ACTIONS, EVENTS
from storecrew.domain.control.agents import AgentManifest, RegisteredAgent
from storecrew.domain.errors import InvalidInput, Retryable, StorecrewError
from storecrew.domain.events import Event
from storecrew.domain.ports.clock import Clock
from storecrew.sdk import Agent, Context, Proposals, cron, wire
from storecrew.sdk.schedule import Every, Schedule
from storecrew.sdk.settings import UncheckedSettings
from storecrew.web.ssrf_guard import OutboundPolicy

if TYPE_CHECKING:
    import httpx

_OK = 200


class AgentUnreachable(Retryable):
    """A remote agent could not be called; its events wait until it can."""

    def __init__(self, agent: str, problem: str) -> None:
        super().__init__(f"agent {agent!r} cannot be reached: {problem}")
        self.agent = agent
        self.problem = problem


class AnswerRefused(StorecrewError):
    """A remote agent answered something else than the wire allows; nothing of it was done."""

    def __init__(self, agent: str, problem: str) -> None:
        super().__init__(f"agent {agent!r} answered wrongly: {problem}")
        self.agent = agent
        self.problem = problem


@dataclass
class RemoteAgentClient:
    """Calls remote agents, through the guard and with one pool of connections."""

    outbound: OutboundPolicy
    clock: Clock
    decrypt: Callable[[str], str] = str
    """Reads a signing key as the journal keeps it."""
    _client: "httpx.AsyncClient | None" = field(default=None, init=False)

    def build_agent(self, one: RegisteredAgent) -> Agent:
        """Return the agent whose runs are calls to its endpoint."""

        async def propose(woken_by: Event | Sequence[Event], ctx: Context) -> Proposals:
            events = (woken_by,) if isinstance(woken_by, Event) else tuple(woken_by)
            response = await self.ask(one, events, ctx)
            for proposal in response.proposals:
                yield proposal
            for event in response.events:
                yield event

        manifest = one.declaration
        return Agent(
            name=manifest.agent_id,
            purpose=manifest.purpose,
            propose=propose,
            on=tuple(EVENTS[name] for name in manifest.on),
            schedule=schedule_of(manifest),
            allowed_actions=frozenset(ACTIONS[name] for name in manifest.allowed_actions),
            publishes=frozenset(EVENTS[name] for name in manifest.publishes),
            capabilities=manifest.capabilities,
            tags=manifest.tags,
            priority=manifest.priority,
            concurrency=manifest.max_concurrent_tasks,
            batch=manifest.batch,
            deadline=timedelta(seconds=manifest.deadline),
            budget=manifest.budget,
            settings=UncheckedSettings,
        )

    async def ask(
        self, one: RegisteredAgent, events: tuple[Event, ...], ctx: Context
    ) -> wire.AgentResponse:
        """Call the agent and return what it says, with its tokens on the run's meter."""
        wake = wire.AgentRequest(
            run=ctx.run,
            attempt=ctx.attempt,
            agent=ctx.agent,
            now=ctx.now,
            currency=ctx.currency,
            settings=ctx.settings.model_dump(),
            events=events,
        )
        body = wire.encode_request(wake)
        answer = await self._post(one, body, self._headers(one, ctx.run, body))
        try:
            response = wire.decode_response(answer)
        except InvalidInput as error:
            raise AnswerRefused(ctx.agent, str(error)) from error
        ctx.meter.add(response.tokens)
        return response

    def _headers(self, one: RegisteredAgent, run: str, body: bytes) -> dict[str, str]:
        at = int(self.clock.now().timestamp())
        return {
            "Content-Type": "application/json",
            wire.RUN: run,
            wire.DEADLINE: f"{one.declaration.deadline:g}",
            wire.TIMESTAMP: str(at),
            wire.SIGNATURE: wire.sign(self.decrypt(one.signing_key), at, body),
        }

    async def _post(self, one: RegisteredAgent, body: bytes, headers: Mapping[str, str]) -> bytes:
        import httpx  # a tenth of a second that a plane without remote agents need not pay

        agent, endpoint = one.declaration.agent_id, one.declaration.endpoint
        target = await self.outbound.target(endpoint)
        options: dict[str, Any] = {
            "content": body,
            "headers": {**headers, "Host": target.host},
            "extensions": {"sni_hostname": target.name},
        }
        try:
            async with self._pool().stream("POST", target.url, **options) as response:
                if response.status_code != _OK:
                    raise AnswerRefused(agent, f"status {response.status_code}, not 200")
                return await _bounded(agent, response)
        except httpx.TransportError as error:
            raise AgentUnreachable(agent, type(error).__name__) from error

    def _pool(self) -> "httpx.AsyncClient":
        import httpx

        if self._client is None:
            # the run's deadline bounds the whole call, so no part of it has a limit of its own
            self._client = httpx.AsyncClient(timeout=None, follow_redirects=False, trust_env=False)  # noqa: S113
        return self._client

    async def close(self) -> None:
        """Close what is open."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None


async def _bounded(agent: str, response: "httpx.Response") -> bytes:
    """Read an answer as it comes, and no further than the wire allows."""
    read = bytearray()
    async for part in response.aiter_bytes():
        read += part
        if len(read) > wire.MAX_ANSWER:
            raise AnswerRefused(agent, f"more than {wire.MAX_ANSWER} bytes")
    return bytes(read)


def schedule_of(said: AgentManifest) -> Schedule | None:
    """Return the declared schedule."""
    if said.cron is not None:
        return cron(said.cron, zone=said.zone)
    return Every(timedelta(seconds=said.interval)) if said.interval is not None else None
