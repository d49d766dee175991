"""What the doors (HTTP, command line) ask of the control plane, and nothing more."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from storecrew.app.access import Access
from storecrew.app.crew_desk import CrewDesk
from storecrew.app.mail_desk import MailDesk
from storecrew.app.model_desk import ModelDesk
from storecrew.app.settings import Settings
from storecrew.app.web_desk import WebDesk
from storecrew.domain.actions import Action
from storecrew.domain.commerce import Discrepancy
from storecrew.domain.events import Published
from storecrew.domain.figures import Figures
from storecrew.domain.journal import JournalView
from storecrew.domain.operations import IncidentBook
from storecrew.domain.ports import Clock, ListedStore
from storecrew.domain.proposals import Decision, Filed
from storecrew.domain.replies import ReplyBook
from storecrew.domain.runs import Receipt
from storecrew.domain.services import Services
from storecrew.policy import Explanation
from storecrew.sdk import Agent

Progress = Callable[[str, int, int | None], None]
"""Told what is being done, how far it is, and of how much (None where nobody knows)."""


class Duty(StrEnum):
    """What a process is there for."""

    ALL = "all"
    """It runs the crew, supervises services and may serve HTTP."""
    WORK = "work"
    """It runs the crew."""
    DOOR = "door"
    """It serves HTTP; the crew runs elsewhere."""
    NONE = "none"
    """It answers one question, or does one thing."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at to say whether the plane is ready."""

    name: str
    ok: bool
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the crew did when it was woken once."""

    runs: int
    proposals: int
    applied: int
    asked: int
    denied: int
    refused: int
    """Allowed by the policy, but no longer possible when the store was to do it."""


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
    def incidents(self) -> IncidentBook:
        """What went wrong and needs a person."""
        ...

    @property
    def access(self) -> Access:
        """Who may come in."""
        ...

    @property
    def replies(self) -> ReplyBook:
        """Answers that are kept for whoever repeats a request."""
        ...

    @property
    def crew(self) -> CrewDesk:
        """The crew: who is on duty, how they are, and every way to direct them."""
        ...

    @property
    def models(self) -> ModelDesk:
        """What the crew has learnt, and what it says."""
        ...

    @property
    def web(self) -> WebDesk:
        """The door to pages of others."""
        ...

    @property
    def mail(self) -> MailDesk:
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

    async def publish(self, events: Sequence[Published]) -> Sequence[Receipt]:
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

    async def verify(self) -> Sequence[Discrepancy]:
        """Prove the books, or return what does not add up."""
        ...

    async def plan(self, agents: Sequence[str] | None = None) -> Sequence[tuple[Filed, Decision]]:
        """Return what these agents (all when None) would propose; nothing is changed."""
        ...

    async def once(
        self, as_of: datetime | None = None, progress: Progress | None = None
    ) -> Summary:
        """Wake the crew once and wait until all is quiet."""
        ...

    async def idle(self) -> None:
        """Wait until no run is due or running."""
        ...

    async def figures(self) -> Figures:
        """Count what the journal holds."""
        ...

    async def checks(self) -> Sequence[Check]:
        """Look at the store, the journal and the scheduler."""
        ...
