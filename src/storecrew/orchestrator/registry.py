"""Who is on duty, and who wakes for what."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType

from storecrew.domain.errors import InvalidSettings, NotFound
from storecrew.domain.events import ClockTicked, Event, RunRequested
from storecrew.domain.journal import SETTLEMENT, UNDO, Intake
from storecrew.sdk import Agent

_RESERVED = frozenset({SETTLEMENT, UNDO})


class Registry:
    """The agents on duty, by name; names are unique."""

    def __init__(self, agents: Iterable[Agent] = ()) -> None:
        self._agents: dict[str, Agent] = {}
        self._woken_by: dict[type[Event], tuple[str, ...]] = {}
        for agent in agents:
            self.register(agent)

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The agents by name, in order of registration."""
        return MappingProxyType(self._agents)

    def register(self, agent: Agent) -> None:
        """Put an agent on duty, also while others are running."""
        if agent.name in self._agents or agent.name in _RESERVED or "@" in agent.name:
            raise InvalidSettings([f"agent name {agent.name!r} is taken or not allowed"])
        self._agents[agent.name] = agent
        self._woken_by.clear()

    def agent(self, name: str) -> Agent:
        """Return the agent, or raise `NotFound`."""
        if name not in self._agents:
            raise NotFound("agent", name)
        return self._agents[name]

    def wakes_for(self, event: Event) -> tuple[str, ...]:
        """Return the names of the agents that the event wakes."""
        if isinstance(event, ClockTicked | RunRequested):
            return (event.agent,) if event.agent in self._agents else ()
        kind = type(event)
        if kind not in self._woken_by:
            self._woken_by[kind] = tuple(
                agent.name for agent in self._agents.values() if issubclass(kind, agent.on)
            )
        return self._woken_by[kind]

    def intakes(self, *, patient: bool = True) -> list[Intake]:
        """Return how each agent takes its events, the most important agent first.

        Without patience no agent waits for its batch to fill.
        """
        by_priority = sorted(self._agents.values(), key=lambda agent: -agent.priority)
        return [
            Intake(
                agent=a.name,
                batch=a.batch,
                within=a.within if patient else timedelta(0),
                concurrency=a.concurrency,
            )
            for a in by_priority
        ]
