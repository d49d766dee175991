"""The agents as entry points use them: list, status, registration, pausing, delegation."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from storecrew.app.manifests import AgentManifestRequest, manifest_agent
from storecrew.app.secret_box import SecretBox
from storecrew.app.settings import Settings
from storecrew.domain.control.agents import (
    AgentManifest,
    AgentOrigin,
    BusinessDay,
    Suspension,
    Usage,
)
from storecrew.domain.control.health import AgentHealth, AgentState, report
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.errors import (
    AlreadyRegistered,
    InvalidSettings,
    NotFound,
    Retryable,
)
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.journal import JournalView
from storecrew.domain.ports.repositories import AgentRepository, HealthRepository
from storecrew.orchestrator.registry import Registry
from storecrew.sdk import Agent, wire
from storecrew.web.ssrf_guard import OutboundPolicy

ALIASES = {"inventory_pricing": "pricing_optimizer", "production-analytics": "analytics"}
"""Names that older clients use for agents of today."""
_FRESH = timedelta(seconds=60)
"""An orchestrator whose agents were heard of in that time is at work."""
_PROGRESS = {RunStatus.DONE: 100, RunStatus.FAILED: 100, RunStatus.RETRYING_INDIVIDUALLY: 50}
_WORDS = {RunStatus.DONE: "completed", RunStatus.FAILED: "failed"}


class NoCapableAgent(Retryable):
    """Some agents have the capability, but none of them is fit to work now."""

    def __init__(self, capability: str) -> None:
        super().__init__(f"no agent with the capability {capability!r} is healthy and at work")
        self.capability = capability


class InvalidAgentToken(Exception):
    """A call on behalf of an agent carried no valid token."""


@dataclass(frozen=True, kw_only=True)
class AgentStatus:
    """One agent and how it is."""

    agent: Agent
    health_record: AgentHealth
    suspension: Suspension | None
    last: Run | None
    now: datetime
    max_age: timedelta

    @property
    def health(self) -> AgentState:
        """How it is, as far as anybody knows."""
        return self.health_record.state(self.now, self.max_age)

    @property
    def word(self) -> str:
        """The one word for it: what is wrong comes before what it is doing."""
        if self.health is AgentState.ERROR:
            return "error"
        if self.suspension is not None:
            return str(self.suspension)
        if self.health is not AgentState.HEALTHY:
            return str(self.health)
        if self.last is None:
            return "idle"
        return "running" if self.last.status is RunStatus.RUNNING else "healthy"


@dataclass(frozen=True, kw_only=True)
class AgentService:
    """Answers for the crew, and directs it. Every change is audited with its actor."""

    book: AgentRepository
    health: HealthRepository
    journal: JournalView
    registry: Registry
    settings: Settings
    clock: Clock
    request: Callable[[str, str, Mapping[str, Any]], Awaitable[str]]
    """Asks for a run of an agent, for somebody, with parameters; returns its id."""
    changed: Callable[[], Awaitable[None]]
    """Called when somebody was registered or dismissed, so that it counts here at once."""

    @property
    def outbound(self) -> OutboundPolicy:
        """Where remote agents may be."""
        return OutboundPolicy(self.settings.remote_agents.allow_private)

    def find(self, name: str) -> Agent:
        """Return the agent, also by a name of before; raises `NotFound`."""
        return self.registry.agent(
            name if name in self.registry.agents else ALIASES.get(name, name)
        )

    # --- who is on duty ----------------------------------------------------------------------

    async def register(self, body: AgentManifestRequest, *, by: str) -> tuple[AgentManifest, str]:
        """Put a remote agent on duty and return its token, empty where it is on duty already.

        Raises `AlreadyRegistered` where another one has its name, `InvalidInput` where it must
        not be called.
        """
        manifest = body.declaration(self.settings.store.currency, self.outbound)
        await self.outbound.target(manifest.endpoint)
        if manifest.agent_id not in self.registry.registered:
            try:
                self.registry.check_name(manifest.agent_id)
            except InvalidSettings as error:
                raise AlreadyRegistered(manifest.agent_id) from error
        token = f"agent_{secrets.token_urlsafe(32)}"
        fresh = manifest_agent(manifest, AgentOrigin.HTTP, token, by=by, now=self.clock.now())
        sealed = SecretBox.of(self.settings).encrypt(fresh.signing_key)
        is_new = await self.book.register(replace(fresh, signing_key=sealed))
        await self.changed()
        return manifest, token if is_new else ""

    async def deregister(self, agent: str, *, by: str) -> None:
        """Deregister a registered agent; raises `NotFound` for an unknown one."""
        await self.book.deregister(agent, by=by, now=self.clock.now())
        await self.changed()

    async def pause(self, agent: str, *, by: str) -> None:
        """Let no run of the agent begin, and none under way change anything, until `resume`."""
        await self.book.suspend(self.find(agent).name, by=by, now=self.clock.now())

    async def resume(self, agent: str, *, by: str) -> None:
        """Let a paused agent go on."""
        await self.book.resume(self.find(agent).name, by=by, now=self.clock.now())

    # --- how they are ------------------------------------------------------------------------

    async def statuses(self, *names: str) -> list[AgentStatus]:
        """Return how these agents are, all when none is named."""
        agents = [self.find(name) for name in names] or [*self.registry.agents.values()]
        now = self.clock.now()
        pulses = {pulse.agent: pulse for pulse in await self.health.agent_health()}
        suspensions, day = await self.book.suspensions(), self.day.name
        last = await self.book.last_runs([agent.name for agent in agents])
        return [
            AgentStatus(
                agent=agent,
                health_record=pulses.get(agent.name, AgentHealth(agent=agent.name, beat_at=None)),
                suspension=_in_force(suspensions.get(agent.name), day),
                last=last.get(agent.name),
                now=now,
                max_age=self.max_age,
            )
            for agent in agents
        ]

    async def report(self) -> dict[str, Any]:
        """Return how the crew is, each agent under one word."""
        known = [p for p in await self.health.agent_health() if p.agent in self.registry.agents]
        heard = {pulse.agent for pulse in known}
        known += [
            AgentHealth(agent=n, beat_at=None) for n in self.registry.agents if n not in heard
        ]
        return report(known, self.clock.now(), self.max_age)

    async def used(self, agent: str) -> Usage:
        """Return what the agent used up today."""
        return await self.book.used(agent, self.day)

    async def status(self) -> dict[str, Any]:
        """Return how the orchestrator is: its name, status, statistics and configuration."""
        pulses = await self.health.agent_health()
        paused = await self.journal.paused()
        counts = await self.book.statistics(self.day)
        return orchestrator_status(self.settings, pulses, counts, paused, self.clock.now())

    @property
    def day(self) -> BusinessDay:
        """The shop's day."""
        return BusinessDay.of(self.clock.now(), self.settings.policy.zone)

    @property
    def max_age(self) -> timedelta:
        """Age after which a heartbeat is stale."""
        return timedelta(seconds=self.settings.alerts.max_age_seconds)

    async def heartbeat(self, agent: str, token: str) -> None:
        """Record a remote agent's heartbeat; raises `InvalidAgentToken` for a wrong token."""
        one = self.registry.registered.get(agent)
        kept = one.token_hash if one is not None and one.token_hash else secrets.token_hex(32)
        if not hmac.compare_digest(kept.encode(), wire.token_hash(token).encode()):
            raise InvalidAgentToken(agent)
        await self.health.heartbeat([agent], self.clock.now())

    # --- what is asked of them ---------------------------------------------------------------

    async def delegate(
        self,
        capability: str,
        parameters: Mapping[str, Any],
        *,
        by: str,
        among: Collection[str] | None = None,
    ) -> tuple[str, str]:
        """Give a task to the healthy agent of highest priority that can do it.

        Returns its name and the run. Raises `NotFound` where no agent can, `NoCapableAgent` where
        none can now. `among` leaves out all others.
        """
        capable = self.registry.capable(capability)
        agents = [agent for agent in capable if among is None or agent.name in among]
        if not agents:
            raise NotFound("capability", capability)
        for standing in await self.statuses(*(agent.name for agent in agents)):
            if standing.health is AgentState.HEALTHY and standing.suspension is None:
                name = standing.agent.name
                return name, await self.request(name, by, parameters)
        raise NoCapableAgent(capability)

    async def execution(self, identifier: str) -> dict[str, Any]:
        """Return the progress of a requested run; raises `NotFound`."""
        asked = await self.book.request(identifier)
        if asked is None:
            raise NotFound("execution", identifier)
        shown = {
            "execution_id": identifier,
            "agent_id": asked["agent"],
            "status": "waiting",
            "started_at": asked["at"],
            "progress": 0,
            "result": None,
            "parameters": asked["parameters"],
        }
        if asked["run"] is None:
            return shown
        run = await self.journal.run(asked["run"])
        return shown | await self._run_so_far(run)

    async def _run_so_far(self, run: Run) -> dict[str, Any]:
        counts = await self.journal.count_results([run.id])
        settled = counts["applied"] + counts["asked"] + counts["denied"] + counts["refused"]
        progress = 100 * settled // run.proposals if run.proposals else 0
        ended = run.status in _WORDS
        return {
            "run_id": run.id,
            "status": _WORDS.get(run.status, "running"),
            "progress": _PROGRESS.get(run.status, min(99, progress)),
            "result": {**counts, "error": run.error, "tokens": run.tokens} if ended else None,
            "finished_at": run.finished_at,
        }


def orchestrator_status(
    settings: Settings,
    pulses: list[AgentHealth],
    counts: Mapping[str, int],
    paused: bool,
    now: datetime,
) -> dict[str, Any]:
    """Return how the orchestrator is, from what the journal knows."""
    ages = [age for pulse in pulses if (age := pulse.age(now)) is not None]
    at_work = bool(ages) and min(ages) < _FRESH.total_seconds()
    process = settings.orchestrator
    return {
        "agent_name": "royal_orchestrator_agent",
        "status": "paused" if paused else "active" if at_work else "stopped",
        "statistics": {"agents": len(pulses), **counts},
        "configuration": {
            "interval_seconds": process.interval_seconds,
            "max_concurrent": process.max_concurrent,
            "enabled": process.enabled,
            "authorized_agents": list(settings.api.authorized_agents),
        },
    }


def _in_force(suspension: tuple[Suspension, str] | None, day: str) -> Suspension | None:
    """Return why an agent stands still; a budget that was spent yesterday is full again."""
    if suspension is None or (suspension[0] is Suspension.SPENT and suspension[1] != day):
        return None
    return suspension[0]
