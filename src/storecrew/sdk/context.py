"""What an agent may touch during one run: it can look, not act."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Generic, Protocol

from typing_extensions import TypeVar

from storecrew.domain.control.agents import Budget
from storecrew.domain.control.events import StoredEvent
from storecrew.domain.errors import Deferred, NotPermitted
from storecrew.domain.events import Event
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import StoreView
from storecrew.domain.ports.web import NoWebReader, WebReader
from storecrew.sdk.settings import AgentSettings

S = TypeVar("S", bound=AgentSettings, default=Any)

_READS = tuple(
    name
    for kind in StoreView.__mro__
    if kind.__module__.startswith("storecrew.")
    for name in vars(kind)
    if not name.startswith("_")
)
"""The names of the port's reading half."""


class ReadOnly:
    """A store that can only be looked at: the reading half of the port, and nothing else.

    Agents get this and not the store itself, so that what the type checker forbids is refused
    at run time too.
    """

    __slots__ = ("_agent", "_reads")

    def __init__(self, store: StoreView, agent: str) -> None:
        self._reads = MappingProxyType({name: getattr(store, name) for name in _READS})
        self._agent = agent

    def __getattr__(self, name: str) -> Any:
        try:
            return self._reads[name]
        except KeyError:
            raise NotPermitted(self._agent, f"call {name!r} on the store") from None


class EventHistory(Protocol):
    """What happened lately, as the journal has it."""

    async def events(
        self, kinds: Collection[type[Event]], since: datetime
    ) -> Sequence[StoredEvent]:
        """Return events of these kinds since then and up to the run, oldest first.

        Only the newest few thousand events of the shop are looked at.
        """
        ...


class EmptyHistory:
    """Knows of nothing: for agents of other processes, and for tests that need none."""

    async def events(
        self, kinds: Collection[type[Event]], since: datetime
    ) -> Sequence[StoredEvent]:
        """Return nothing."""
        return ()


@dataclass
class UsageMeter:
    """Counts what one run costs, for the agent's budget; calls of a language model add to it."""

    tokens: int = 0

    def add(self, tokens: int) -> None:
        """Count tokens that were used."""
        self.tokens += tokens


@dataclass(frozen=True, kw_only=True)
class Context(Generic[S]):
    """Everything an agent may touch during one run; `Context[MySettings]` types its settings."""

    run: str
    agent: str
    now: datetime
    """The moment this run began; the same on a replay."""
    store: StoreView
    models: Models
    settings: S
    """The agent's own settings, of the class that it declares."""
    budget: Budget = field(default_factory=Budget)
    """What the agent may use up on one day of the shop."""
    currency: str = "EUR"
    """The shop's currency."""
    attempt: int = 1
    """How often this run was begun; the first time 1."""
    attempt_time: datetime | None = None
    """The moment of this attempt, which a repeated run knows to be later; None is `now`. Only to
    wait by: what is proposed rests on `now`."""
    pages: WebReader = field(default_factory=NoWebReader)
    """Pages and feeds of others; a simulation reads none."""
    history: EventHistory = field(default_factory=EmptyHistory)
    """What happened lately: an agent keeps nothing between two runs."""
    meter: UsageMeter = field(default_factory=UsageMeter)
    """Where the run's tokens are counted."""

    def wait_until(self, moment: datetime) -> None:
        """End this attempt if the moment has not come; the run begins again then, with its events.

        Nothing is lost meanwhile, also not by a restart, and no failure is counted. Later events
        on the same subjects keep their place behind it.
        """
        if (self.attempt_time or self.now) < moment:
            raise Deferred(moment)
