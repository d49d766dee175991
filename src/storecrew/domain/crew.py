"""The crew as it is kept: who was registered, what a day may cost, who stands still."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from storecrew.domain.money import Money
from storecrew.domain.runs import Run


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What an agent may use up on one day of the shop; None is no limit."""

    runs: int | None = None
    tokens: int | None = None
    """Tokens of language models."""
    money: Money | None = None
    """Money that leaves the shop by its purchases and refunds."""


@dataclass(frozen=True, kw_only=True)
class Used:
    """What an agent used up on one day of the shop."""

    runs: int = 0
    tokens: int = 0
    money: int = 0
    """In minor units of the shop's currency."""

    def spends(self, budget: Budget) -> str:
        """Return the part of the budget that is spent (`runs`, `tokens`, `money`), or nothing."""
        if budget.runs is not None and self.runs >= budget.runs:
            return "runs"
        if budget.tokens is not None and self.tokens >= budget.tokens:
            return "tokens"
        if budget.money is not None and self.money >= budget.money.minor:
            return "money"
        return ""


@dataclass(frozen=True, kw_only=True)
class ShopDay:
    """A day on the shop's clock: what budgets are counted by."""

    name: str
    """ISO 8601, such as `2026-03-02`."""
    began: datetime

    @classmethod
    def of(cls, now: datetime, zone: str) -> "ShopDay":
        """Return the day of a moment in the shop's time zone."""
        return _day(now.astimezone(ZoneInfo(zone)).date(), zone)


@lru_cache(maxsize=64)
def _day(date: date, zone: str) -> ShopDay:
    return ShopDay(name=date.isoformat(), began=datetime.combine(date, time(), ZoneInfo(zone)))


class Origin(StrEnum):
    """Who put a registered agent on duty."""

    HTTP = "http"
    FILE = "file"
    """A file of the agents folder; it goes when its file goes."""
    GENERATED = "generated"
    """Made by `register_autogen_agents`; runs in the plane itself."""


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """What an agent outside of the plane says of itself."""

    agent_id: str
    purpose: str
    endpoint: str
    """URL that is called when it shall run; empty for one that runs in the plane."""
    on: tuple[str, ...] = ()
    """Names of the events that wake it."""
    interval: float | None = None
    """Seconds between two ticks."""
    cron: str | None = None
    zone: str = "UTC"
    """Time zone of `cron`."""
    may: tuple[str, ...] = ()
    """Names of the actions it may propose."""
    capabilities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 0
    max_concurrent_tasks: int = 1
    deadline: float = 30.0
    """Seconds that an answer may take."""
    batch: int = 1
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, kw_only=True)
class Enlisted:
    """A registered agent, as the journal keeps it."""

    declaration: Declaration
    origin: Origin
    at: datetime
    by: str
    token_hash: str = ""
    """Recognises its token, which is nowhere kept."""
    signing_key: str = ""
    """Signs the calls to it."""


def is_remote(one: Enlisted) -> bool:
    """Tell whether a registered agent runs elsewhere, and beats for itself."""
    return bool(one.declaration.endpoint)


@dataclass(frozen=True, kw_only=True)
class Worker:
    """A process that carries runs out."""

    id: str
    """Unique among all processes, ever."""
    host: str
    pid: int
    started_at: datetime
    beat_seconds: float = 0.0
    """Seconds since it last beat, by the database's clock."""


class Halt(StrEnum):
    """Why an agent stands still while the others work."""

    PAUSED = "paused"
    """Somebody paused it; until somebody resumes it."""
    SPENT = "spent"
    """Its budget of the day is used up; until the shop's midnight."""


class CrewBook(Protocol):
    """The journal's part about the crew itself. Each method is one transaction."""

    async def enlist(self, recruit: Enlisted) -> bool:
        """Register an agent; False where it is registered exactly so already.

        Raises `AlreadyRegistered` where another declaration stands under its name.
        """
        ...

    async def dismiss(self, agent: str, *, by: str, now: datetime) -> None:
        """Take a registered agent off duty, or raise `NotFound`. What it has begun ends."""
        ...

    async def enlisted(self) -> list[Enlisted]:
        """Return every registered agent, in order of registration."""
        ...

    async def halt(self, agent: str, *, by: str, now: datetime) -> None:
        """Pause one agent: no run of it begins until it is resumed."""
        ...

    async def release(self, agent: str, *, by: str, now: datetime) -> None:
        """Let a paused agent go on."""
        ...

    async def halts(self) -> Mapping[str, tuple[Halt, str]]:
        """Return who stands still, why, and on which day (empty for a pause)."""
        ...

    async def last_runs(self, agents: Collection[str]) -> Mapping[str, Run]:
        """Return each agent's newest run, without its events; who never ran is left out."""
        ...

    async def statistics(self, day: ShopDay) -> Mapping[str, int]:
        """Count the runs of a day by what became of them, and what waits for one."""
        ...

    async def used(self, agent: str, day: ShopDay) -> Used:
        """Return what the agent used up on this day."""
        ...

    async def request(self, run: str) -> Mapping[str, Any] | None:
        """Return when and for whom a run was asked for, and the run it became part of.

        None where nobody asked under this id. Keys: `agent`, `at`, `parameters`, `run`.
        """
        ...
