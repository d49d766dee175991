"""Declaring an agent: what wakes it, what it may propose, and how much of it may run at once."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

from storecrew.domain.actions import Action
from storecrew.domain.codec import PLANE_EVENTS
from storecrew.domain.control.agents import Budget
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.events import Event
from storecrew.sdk.context import Context
from storecrew.sdk.schedule import Schedule
from storecrew.sdk.settings import AgentSettings

Proposals: TypeAlias = AsyncIterator[Proposal | Event]
"""What an agent returns: proposals for the policy, and facts it found for the journal."""


@dataclass(frozen=True, kw_only=True)
class Agent:
    """A function bound to what wakes it and to the actions it may propose."""

    name: str
    purpose: str
    """One sentence for the owner: the function's docstring."""
    propose: Callable[[Any, Context], Proposals]
    """Takes the event that woke it; with `batch` above 1, a sequence of them."""
    on: tuple[type[Event], ...] = ()
    schedule: Schedule | None = None
    allowed_actions: frozenset[type[Action]] = frozenset()
    publishes: frozenset[type[Event]] = frozenset()
    """Events that it may record; any other fails its run."""
    capabilities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 0
    """Higher runs first when several are due."""
    concurrency: int = 1
    """Runs at once. Events on one subject stay in order whatever this is."""
    batch: int = 1
    """Events one run may take."""
    batch_window: timedelta = field(default=timedelta(0))
    """How long a run may wait for its batch to fill."""
    deadline: timedelta = field(default=timedelta(minutes=5))
    """How long a run may propose before it counts as hung."""
    budget: Budget = field(default_factory=Budget)
    """What it may use up on one day of the shop."""
    settings: type[AgentSettings] = AgentSettings
    """What the owner can set under `agents.NAME`; the class itself knows no key."""

    def __post_init__(self) -> None:
        if own := sorted(event.__name__ for event in self.publishes & PLANE_EVENTS):
            raise ValueError(f"publishes: {own[0]} is recorded by the plane alone")

    def invoke(self, events: Sequence[Event], ctx: Context) -> Proposals:
        """Hand the agent the events of one run."""
        return self.propose(events if self.batch > 1 else events[0], ctx)


def agent(  # noqa: PLR0913 - a declaration is read by name, like a form
    *,
    on: type[Event] | Collection[type[Event]] = (),
    schedule: Schedule | None = None,
    allowed_actions: Collection[type[Action]] = (),
    publishes: Collection[type[Event]] = (),
    name: str = "",
    capabilities: Sequence[str] = (),
    tags: Sequence[str] = (),
    priority: int = 0,
    concurrency: int = 1,
    batch: int = 1,
    batch_window: timedelta = timedelta(0),
    deadline: timedelta = timedelta(minutes=5),
    budget: Budget | None = None,
    settings: type[AgentSettings] = AgentSettings,
) -> Callable[[Callable[[Any, Context], Proposals]], Agent]:
    """Declare the decorated async generator an agent, named after itself unless told otherwise.

    The function receives the event that woke it and a `Context` to look with. With `batch`
    above 1 it receives a sequence of at most so many events, in order. A schedule wakes it
    with a `ClockTicked`, a person with a `RunRequested`.
    """

    def declare(propose: Callable[[Any, Context], Proposals]) -> Agent:
        return Agent(
            name=name or propose.__name__,
            purpose=(propose.__doc__ or "").strip().partition("\n")[0],
            propose=propose,
            on=(on,) if isinstance(on, type) else tuple(on),
            schedule=schedule,
            allowed_actions=frozenset(allowed_actions),
            publishes=frozenset(publishes),
            capabilities=tuple(capabilities),
            tags=tuple(tags),
            priority=priority,
            concurrency=concurrency,
            batch=batch,
            batch_window=batch_window,
            deadline=deadline,
            budget=budget or Budget(),
            settings=settings,
        )

    return declare
