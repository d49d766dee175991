"""The journal as the orchestrator sees it: what is recorded, and the port to record it."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from storecrew.domain.actions import Action
from storecrew.domain.commerce import Discrepancy
from storecrew.domain.events import Event, Published, Recorded
from storecrew.domain.pages import Page
from storecrew.domain.proposals import Filed, Outcome, Proposal
from storecrew.domain.runs import (
    Approval,
    ApprovalStatus,
    AuditEntry,
    Judged,
    Receipt,
    Run,
    RunStatus,
    Story,
)

WakesFor: TypeAlias = Callable[[Event], Sequence[str]]
"""Names the agents that an event wakes."""

Judge: TypeAlias = Callable[[Filed, int], Judged]
"""Judges a proposal, given what was spent that day so far, in minor units."""

SETTLEMENT = "settlement"
"""The name under which a person's answer is carried out."""
UNDO = "undo"
"""The name under which an undo is carried out."""


@dataclass(frozen=True, kw_only=True)
class Filing:
    """Everything that an agent said in one run."""

    filed: tuple[Filed, ...]
    events: tuple[Published, ...]


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An allowed proposal and what the store did with it."""

    judged: Judged
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Advance:
    """One step of a run, recorded in one transaction."""

    run: str
    actor: str
    now: datetime
    """The shop's time."""
    asked_at: datetime
    """The time of the people who are asked; apart from `now` only when history is replayed."""
    day: str
    """The shop's day, on which spending counts."""
    expires: timedelta
    judge: Judge | None = None
    """Decides on what is pending."""
    filing: Filing | None = None
    settled: tuple[Settled, ...] = ()
    pending: tuple[Filed, ...] = ()
    """Proposals to judge."""
    last: bool = False
    """Nothing is left to judge after this."""
    answering: bool = False
    """The proposals were asked about and a person said yes."""
    wakes_for: WakesFor = field(default=lambda _event: ())


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How one agent takes its events."""

    agent: str
    batch: int
    within: timedelta
    concurrency: int


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The runs that began, and when the next batch will be due although not full."""

    runs: tuple[str, ...]
    next_due: datetime | None


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that raised, and what shall be done about it."""

    run: str
    error: str
    retry_at: datetime | None
    """When to try again; None means never."""
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Glance:
    """Whether there is anything to do, in one look."""

    paused: bool
    cursor: int
    """How far the store's outbox has been read."""
    waiting: bool
    """Some events have not been given to a run."""
    retries_due: bool
    next_expiry: datetime | None
    """When the next open question expires."""
    running: tuple[tuple[str, int], ...]
    """Ids and attempts of the runs under way, oldest first."""
    next_retry: datetime | None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a person says to a question."""

    proposal: str
    status: ApprovalStatus
    by: str
    """The person's name."""
    at: datetime
    note: str = ""
    changed: Action | None = None


class JournalView(Protocol):
    """The control plane's memory, to be read."""

    async def run(self, run_id: str) -> Run:
        """Return the run with its events, or raise `NotFound`."""
        ...

    async def paused(self) -> bool:
        """Tell whether somebody stopped the crew."""
        ...

    async def runs(
        self, *, page: int, per_page: int, agent: str | None = None, status: RunStatus | None = None
    ) -> Page[Run]:
        """Return one page of runs, newest first, without their events."""
        ...

    async def proposals(self, *, page: int, per_page: int, run: str | None = None) -> Page[Story]:
        """Return one page of proposals and what became of them, newest first."""
        ...

    async def story(self, proposal_id: str) -> Story:
        """Return one proposal and what became of it, or raise `NotFound`."""
        ...

    async def approvals(
        self,
        *,
        status: ApprovalStatus | None = ApprovalStatus.WAITING,
        page: int,
        per_page: int,
    ) -> Page[Approval]:
        """Return one page of questions of this status (all when None), newest first."""
        ...

    async def approval(self, proposal_id: str) -> Approval:
        """Return the question about this proposal, or raise `NotFound`."""
        ...

    async def audit(self, *, page: int, per_page: int) -> Page[AuditEntry]:
        """Return one page of the audit, newest first."""
        ...

    async def events(self, *, page: int, per_page: int) -> Page[Recorded]:
        """Return one page of the recorded events, newest first."""
        ...

    async def tally(self, run_ids: Collection[str]) -> dict[str, int]:
        """Count the `proposals` of these runs, and those `applied`, `asked` and `denied`."""
        ...


class Journal(JournalView, Protocol):
    """The control plane's memory. Each method is one transaction; what it returned survives.

    Raises `Retryable` errors while its database is busy, full or away.
    """

    async def publish(self, items: Sequence[Published], wakes_for: WakesFor) -> list[Receipt]:
        """Record events, once per source and external id, with the wakes they cause."""
        ...

    async def relay(
        self, source: str, facts: Sequence[tuple[int, Published]], wakes_for: WakesFor
    ) -> int:
        """Record facts from an outbox and how far it has been read, together."""
        ...

    async def glance(self, source: str, now: datetime) -> Glance:
        """Look at all that may have to be acted on."""
        ...

    async def last_tick(self, agent: str) -> str | None:
        """Return the external id of the agent's newest tick."""
        ...

    async def take(self, intakes: Sequence[Intake], now: datetime, room: int) -> Taken:
        """Begin the runs that are due."""
        ...

    async def fail(self, failure: Failure) -> RunStatus:
        """Record that a run raised, and what follows."""
        ...

    async def take_over(self) -> int:
        """Begin a new attempt of each run under way, as whoever carried it out is gone."""
        ...

    async def revive(self, now: datetime) -> int:
        """Let runs whose pause is over go on; return how many."""
        ...

    async def advance(self, step: Advance) -> list[Judged]:
        """Record a step of a run; return the proposals that may now be done."""
        ...

    async def filed(self, run_id: str, start: int, limit: int) -> list[Filed]:
        """Return so many of the run's proposals, in order."""
        ...

    async def answer(self, said: Answer) -> str:
        """Record a person's answer; return the run that carries out a yes."""
        ...

    async def expire(self, now: datetime) -> int:
        """Close questions that nobody answered in time."""
        ...

    async def begin_undo(self, story: Story, opposite: Proposal, *, by: str, now: datetime) -> str:
        """Begin the run that undoes a proposal, once."""
        ...

    async def set_paused(self, value: bool, *, by: str, now: datetime) -> None:
        """Stop the crew, or let it go on."""
        ...

    async def prune(self, before: datetime) -> int:
        """Forget old events that nothing needs."""
        ...

    async def verify(self, effects: Collection[str]) -> list[Discrepancy]:
        """Return what does not add up, given the keys under which the store changed."""
        ...
