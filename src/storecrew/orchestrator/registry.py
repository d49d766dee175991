"""Who is on duty, and who wakes for what."""

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import structlog

from storecrew.domain.control.agents import RegisteredAgent
from storecrew.domain.control.events import ClockTicked, RunRequested
from storecrew.domain.errors import InvalidInput, InvalidSettings, NotFound
from storecrew.domain.events import Event
from storecrew.domain.ports.journal import SETTLEMENT, UNDO, ClaimSpec
from storecrew.sdk import Agent
from storecrew.sdk.schedule import Every, Schedule

log = structlog.get_logger()

_RESERVED = frozenset({SETTLEMENT, UNDO})

AgentFactory = Callable[[RegisteredAgent], Agent]
"""Makes an agent that can be woken of what was registered."""


class Registry:
    """The agents on duty, by name; names are unique."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self._agents: dict[str, Agent] = {}
        self._woken_by: dict[type[Event], tuple[str, ...]] = {}
        self._enlisted: dict[str, RegisteredAgent] = {}
        self.version = 0
        """Grows with each change, so that others see that there was one."""
        for agent in agents:
            self.register(agent)

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents by name, in order of registration."""
        return MappingProxyType(self._agents)

    @property
    def registered(self) -> Mapping[str, RegisteredAgent]:
        """Those of them that were registered while the plane ran, as the journal keeps them."""
        return MappingProxyType(self._enlisted)

    def register(self, agent: Agent) -> None:
        """Put an agent on duty, also while others are running.

        Ticks at an interval without an offset are spread: see `spread`.
        """
        self.check_name(agent.name)
        self._agents[agent.name] = replace(agent, schedule=spread(agent))
        self._changed()

    def check_name(self, name: str) -> None:
        """Raise `InvalidSettings` where no agent may be put on duty under this name."""
        if name in self._agents or name in _RESERVED or "@" in name:
            raise InvalidSettings([f"agent name {name!r} is taken or not allowed"])

    def deregister(self, name: str) -> None:
        """Take an agent off duty; what it has begun ends."""
        self._agents.pop(name, None)
        self._enlisted.pop(name, None)
        self._changed()

    def add_remote(self, registered: Collection[RegisteredAgent], factory: AgentFactory) -> None:
        """Put on duty who was registered, and take off it who no longer is.

        A name that the plane's own crew has since taken belongs to the crew.
        """
        by_id = {one.declaration.agent_id: one for one in registered}
        for name, one in list(self._enlisted.items()):
            if by_id.get(name) != one:
                self.deregister(name)
        for name, one in by_id.items():
            if name not in self._agents and (agent := _built(factory, one)) is not None:
                self.register(agent)
                self._enlisted[name] = one

    def agent(self, name: str) -> Agent:
        """Return the agent, or raise `NotFound`."""
        if name not in self._agents:
            raise NotFound("agent", name)
        return self._agents[name]

    def capable(self, capability: str) -> list[Agent]:
        """Return who has a capability, the most important first, then in order of registration."""
        found = [a for a in self._agents.values() if capability in a.capabilities]
        return sorted(found, key=lambda agent: -agent.priority)

    def subscribers_of(self, event: Event) -> tuple[str, ...]:
        """Return the names of the agents that the event wakes."""
        if isinstance(event, ClockTicked | RunRequested):
            return (event.agent,) if event.agent in self._agents else ()
        kind = type(event)
        if kind not in self._woken_by:
            self._woken_by[kind] = tuple(
                agent.name for agent in self._agents.values() if issubclass(kind, agent.on)
            )
        return self._woken_by[kind]

    def claim_specs(
        self,
        *,
        wait_for_batches: bool = True,
        manual_only: bool = False,
        without: Collection[str] = frozenset(),
    ) -> list[ClaimSpec]:
        """Return how each agent takes its events, but for those that stand still.

        Without patience no agent waits for its batch to fill. By hand, only what somebody asked
        for is taken.
        """
        return [
            ClaimSpec(
                agent=a.name,
                batch=a.batch,
                batch_window=a.batch_window if wait_for_batches else timedelta(0),
                concurrency=a.concurrency,
                priority=a.priority,
                budget=a.budget,
                manual_only=manual_only,
            )
            for a in self._agents.values()
            if a.name not in without
        ]

    def _changed(self) -> None:
        self._woken_by.clear()
        self.version += 1


def _built(factory: AgentFactory, one: RegisteredAgent) -> Agent | None:
    """Return the agent, or None where it wakes for, or may do, what this version does not know."""
    try:
        return factory(one)
    except (KeyError, InvalidInput) as error:  # one that is ill must not hold up the others
        log.warning("agent_not_recruited", agent=one.declaration.agent_id, error=repr(error))
        return None


def spread(agent: Agent) -> Schedule | None:
    """Return the agent's schedule; an interval without an offset gets one from the agent's name.

    Agents of equal intervals then tick one after the other and not all at once. The offset is a
    hash of the name, in milliseconds within the interval: the same in every process.
    """
    schedule = agent.schedule
    if not isinstance(schedule, Every) or schedule.offset is not None:
        return schedule
    digest = hashlib.sha256(agent.name.encode()).digest()
    span = schedule.interval // timedelta(milliseconds=1)
    offset = timedelta(milliseconds=int.from_bytes(digest[:8]) % span)
    return replace(schedule, offset=offset)
