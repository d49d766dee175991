"""Agents: manifests, registrations, budgets, suspensions, and the actions on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from functools import lru_cache
from typing import Any

from storecrew.domain.actions import ControlAction
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.zones import zone_of


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What an agent may use up on one day of the shop; None is no limit."""

    runs: int | None = None
    tokens: int | None = None
    """Tokens of language models."""
    money: Money | None = None
    """Money that leaves the shop by its purchases and refunds."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What an agent used up on one day of the shop."""

    runs: int = 0
    tokens: int = 0
    money: int = 0
    """In minor units of the shop's currency."""

    def exhausted(self, budget: Budget) -> str:
        """Return the part of the budget that is spent (`runs`, `tokens`, `money`), or nothing."""
        if budget.runs is not None and self.runs >= budget.runs:
            return "runs"
        if budget.tokens is not None and self.tokens >= budget.tokens:
            return "tokens"
        if budget.money is not None and self.money >= budget.money.minor:
            return "money"
        return ""


@dataclass(frozen=True, kw_only=True)
class BusinessDay:
    """A day on the shop's clock: what budgets are counted by."""

    name: str
    """ISO 8601, such as `2026-03-02`."""
    began: datetime

    @classmethod
    def of(cls, now: datetime, zone: str) -> "BusinessDay":
        """Return the day of a moment in the shop's time zone."""
        return _day(now.astimezone(zone_of(zone)).date(), zone)


@lru_cache(maxsize=64)
def _day(date: date, zone: str) -> BusinessDay:
    return BusinessDay(name=date.isoformat(), began=datetime.combine(date, time(), zone_of(zone)))


class AgentOrigin(StrEnum):
    """Who put a registered agent on duty."""

    HTTP = "http"
    FILE = "file"
    """A file of the agents folder; it goes when its file goes."""
    GENERATED = "generated"
    """Made by `register_autogen_agents`; runs in the plane itself."""


@dataclass(frozen=True, kw_only=True)
class AgentManifest:
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
    allowed_actions: tuple[str, ...] = ()
    """Names of the actions it may propose."""
    publishes: tuple[str, ...] = ()
    """Names of the events that it may record."""
    capabilities: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    priority: int = 0
    max_concurrent_tasks: int = 1
    deadline: float = 30.0
    """Seconds that an answer may take."""
    batch: int = 1
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, kw_only=True)
class RegisteredAgent:
    """A registered agent, as the journal keeps it."""

    declaration: AgentManifest
    origin: AgentOrigin
    at: datetime
    by: str
    token_hash: str = ""
    """Recognises its token, which is nowhere kept."""
    signing_key: str = ""
    """Signs the calls to it."""


def is_remote(one: RegisteredAgent) -> bool:
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


class Suspension(StrEnum):
    """Why an agent stands still while the others work."""

    PAUSED = "paused"
    """Somebody paused it; until somebody resumes it."""
    SPENT = "spent"
    """Its budget of the day is used up; until the shop's midnight."""


@dataclass(frozen=True, kw_only=True)
class PauseAgent(ControlAction):
    """Let the agent begin no more runs until it is resumed."""

    agent: str

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class ResumeAgent(ControlAction):
    """Let a paused agent run again."""

    agent: str

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class AssignTask(ControlAction):
    """Have another agent do a piece of work: it is woken with these parameters."""

    agent: str
    task: str
    due_at: datetime
    parameters: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def subject(self) -> str:
        """The agent."""
        return f"agent:{self.agent}"


@dataclass(frozen=True, kw_only=True)
class GoalSet(Event):
    """The owner said what matters now."""

    goal: str
    """`profit`, `growth`, `clear_stock` or `service`."""
    until: datetime | None = None
