"""What the entry points (HTTP, command line) may call of the control plane."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from storecrew.app.access import Access
from storecrew.app.agent_service import AgentService
from storecrew.app.settings import Settings
from storecrew.domain.actions import Action
from storecrew.domain.control.events import EventEnvelope, PublishAck
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import Decision, ProposalRecord
from storecrew.domain.control.usage import JournalCounts
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.journal import JournalView
from storecrew.domain.ports.repositories import (
    IdempotencyStore,
    IncidentRepository,
    SkippedInputRepository,
)
from storecrew.domain.ports.services import Services
from storecrew.domain.ports.store import ListedStore
from storecrew.learning.service import ModelService
from storecrew.mail.service import MailService
from storecrew.policy import Explanation
from storecrew.sdk import Agent
from storecrew.web.reader import LiveWebReader

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how far it is, and of how much (None where nobody knows)."""


class ProcessRole(StrEnum):
    """What a process is there for."""

    ALL = "all"
    """It runs the crew, supervises services and may serve HTTP."""
    WORKER = "work"
    """It runs the crew."""
    API = "door"
    """It serves HTTP; the crew runs elsewhere."""
    NONE = "none"
    """It answers one question, or does one thing."""


@dataclass(frozen=True, kw_only=True)
class ReadinessCheck:
    """One thing that was looked at to say whether the plane is ready."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """What the crew did when it was woken once."""

    runs: int
    proposals: int
    applied: int
    asked: int
    denied: int
    refused: int
    """Allowed by the policy, but no longer possible when the store was to do it."""
    failed: tuple[str, ...] = ()
    """Agents of which a run failed."""


class Plane(Protocol):
    """The running control plane."""

    @property
    def settings(self) -> Settings:
        """What it was configured with."""
        ...

    @property
    def clock(self) -> Clock:
        """Where its time comes from."""
        ...

    @property
    def store(self) -> ListedStore:
        """The shop's books."""
        ...

    @property
    def journal(self) -> JournalView:
        """Its own books, to be read."""
        ...

    @property
    def incidents(self) -> IncidentRepository:
        """What went wrong and needs a person."""
        ...

    @property
    def skipped(self) -> SkippedInputRepository:
        """Counts of what came from outside and was not acted on."""
        ...

    @property
    def access(self) -> Access:
        """Who may come in."""
        ...

    @property
    def replies(self) -> IdempotencyStore:
        """Responses kept for repeated requests."""
        ...

    @property
    def crew(self) -> AgentService:
        """The crew: who is on duty, how they are, and every way to direct them."""
        ...

    @property
    def models(self) -> ModelService:
        """What the crew has learnt, and what it says."""
        ...

    @property
    def web(self) -> LiveWebReader:
        """Reader of web pages and feeds."""
        ...

    @property
    def mail(self) -> MailService:
        """Letters to customers: previews, and what became of each."""
        ...

    @property
    def services(self) -> Services:
        """What is kept running beside it."""
        ...

    @property
    def agents(self) -> Mapping[str, Agent]:
        """The crew by name."""
        ...

    async def publish(self, events: Sequence[EventEnvelope]) -> Sequence[PublishAck]:
        """Record facts and return after their commit what they wake."""
        ...

    async def request_run(
        self, agent: str, *, by: str, parameters: Mapping[str, Any] | None = None
    ) -> str:
        """Ask for a run and return its id; raises `NotFound` for an unknown agent."""
        ...

    async def approve(
        self, proposal_id: str, *, by: str, note: str = "", action: Action | None = None
    ) -> str:
        """Say yes, perhaps to another action, and return the run that carries it out.

        Raises `NotFound`, `AlreadyDecided` or `NotPermitted`.
        """
        ...

    async def reject(self, proposal_id: str, *, by: str, note: str = "") -> None:
        """Say no. Raises `NotFound`, `AlreadyDecided` or `NotPermitted`."""
        ...

    async def undo(self, proposal_id: str, *, by: str) -> str:
        """Ask for the opposite and return its run; raises `NotFound` or `NotUndoable`."""
        ...

    async def explain(self, proposal_id: str) -> Explanation:
        """Return what the policy says of a proposal now; raises `NotFound`."""
        ...

    async def pause(self, *, by: str) -> None:
        """Stop every run and every effect until `resume`."""
        ...

    async def resume(self, *, by: str) -> None:
        """Let runs and effects go on."""
        ...

    async def paused(self) -> bool:
        """Tell whether the plane is paused."""
        ...

    async def verify(self, anchor: Path | None = None) -> Sequence[Discrepancy]:
        """Prove the books, and the audit against its anchors; return what does not add up."""
        ...

    async def plan(
        self, agents: Sequence[str] | None = None
    ) -> Sequence[tuple[ProposalRecord, Decision]]:
        """Return what these agents (all when None) would propose; nothing is changed."""
        ...

    async def once(
        self, as_of: datetime | None = None, progress: Progress | None = None
    ) -> RunSummary:
        """Wake the crew once and wait until all is quiet."""
        ...

    async def idle(self) -> None:
        """Wait until no run is due or running."""
        ...

    async def figures(self) -> JournalCounts:
        """Count what the journal holds."""
        ...

    async def checks(self) -> Sequence[ReadinessCheck]:
        """Look at the store, the journal and the scheduler."""
        ...
