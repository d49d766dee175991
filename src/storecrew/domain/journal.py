"""The journal as the orchestrator sees it: what is recorded, and the port to record it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from storecrew.domain.actions import Action
from storecrew.domain.commerce import Discrepancy
from storecrew.domain.crew import Budget, Enlisted, ShopDay, Worker
from storecrew.domain.events import Event, Published, Recorded
from storecrew.domain.live import Topic, Update
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
from storecrew.domain.traces import Trace

WakesFor: TypeAlias = Callable[[Event], Sequence[str]]
"""Names the agents that an event wakes."""


@dataclass(frozen=True, kw_only=True)
class Spent:
    """What was allowed on a day so far, in minor units of the shop's currency."""

    shop: int = 0
    """By everybody, for purchases."""
    agent: int = 0
    """By the agent that is judged, for whatever takes money out of the shop."""

    def and_also(self, allowed: Judged) -> "Spent":
        """Return what it is once this is allowed too."""
        return Spent(shop=self.shop + allowed.spends, agent=self.agent + allowed.moves)


Judge: TypeAlias = Callable[[Filed, Spent], Judged]
"""Judges a proposal, given what was spent that day so far."""

SETTLEMENT = "settlement"
"""The name under which a person's answer is carried out."""
UNDO = "undo"
"""The name under which an undo is carried out."""


@dataclass(frozen=True, kw_only=True)
class Filing:
    """Everything that an agent said in one run."""

    filed: tuple[Filed, ...]
    events: tuple[Published, ...]
    tokens: int = 0
    """Tokens of language models that it cost."""


@dataclass(frozen=True, kw_only=True)
class Settled:
    """An allowed proposal and what the store did with it."""

    judged: Judged
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class Advance:
    """One step of a run, recorded in one transaction."""

    run: str
    attempt: int
    """Which attempt takes the step; one that was taken over from is refused."""
    actor: str
    now: datetime
    """The shop's time."""
    asked_at: datetime
    """The time of the people who are asked; apart from `now` only when history is replayed."""
    day: str
    """The shop's day, on which spending counts."""
    expires: timedelta
    rests: timedelta = timedelta(0)
    """How long what a person said no to is not asked again."""
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
    budgeted: bool = False
    """The agent has a budget of money, so what it moved that day must be known."""
    wakes_for: WakesFor = field(default=lambda _event: ())


@dataclass(frozen=True, kw_only=True)
class Intake:
    """How one agent takes its events."""

    agent: str
    batch: int
    within: timedelta
    concurrency: int
    priority: int = 0
    budget: Budget = field(default_factory=Budget)
    by_hand: bool = False
    """Only what a person or program asked for is taken; the rest waits."""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """The runs that began, and when the next batch will be due although not full."""

    runs: tuple[str, ...]
    next_due: datetime | None
    claimed: tuple[tuple[str, int], ...] = ()
    """Runs under way that nobody carried out, by id and attempt; now they are the taker's."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A run that raised, and what shall be done about it."""

    run: str
    attempt: int
    """Which attempt failed; one that was taken over from changes nothing."""
    error: str
    retry_at: datetime | None
    """When to try again; None means never."""
    now: datetime
    agent: str = ""
    """Whose fault it is; empty where the agent could do nothing for it."""
    hung: bool = False
    """It was cancelled because it did not end in time."""
    tokens: int = 0
    """Tokens of language models that the attempt cost."""
    wakes_for: WakesFor = field(default=lambda _event: ())


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
    """Ids and attempts of the worker's runs under way, oldest first."""
    next_retry: datetime | None
    unclaimed: bool = False
    """Some runs under way are in no worker's hands."""
    crew: str = ""
    """Changes whenever an agent is registered or taken off duty."""
    halted: frozenset[str] = frozenset()
    """Agents that stand still: paused, or their budget of the day is spent."""
    newest: int = 0
    """The newest event's number."""


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

    async def paused(self, agent: str = "") -> bool:
        """Tell whether somebody stopped the crew, or this agent."""
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

    async def recall(
        self, kinds: Collection[type[Event]], since: datetime, until: datetime
    ) -> list[Recorded]:
        """Return events of these kinds between two moments, among the newest few thousand."""
        ...

    async def updates(
        self, since: int, *, topics: Collection[Topic] = ..., limit: int = ...
    ) -> list[Update] | None:
        """Return the updates after a position, oldest first; None where some are gone."""
        ...

    async def newest_update(self) -> int:
        """Return the position of the newest update; 0 where there is none."""
        ...

    async def trace(self, anything: str) -> Trace:
        """Return what an event, run, proposal or effect's key belongs to, or raise `NotFound`."""
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

    async def glance(
        self, source: str, now: datetime, *, worker: str = "", day: str = ""
    ) -> Glance:
        """Look at all that may have to be acted on, by this worker and on this day of the shop."""
        ...

    async def enlisted(self) -> list[Enlisted]:
        """Return every registered agent, in order of registration."""
        ...

    async def beat(self, agents: Collection[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents are ready to run, because their worker is."""
        ...

    async def last_ticks(self, agents: Collection[str]) -> Mapping[str, str]:
        """Return the external id of each agent's newest tick; who never ticked is left out."""
        ...

    async def run_to_do(self, run_id: str) -> tuple[Run, bool]:
        """Return the run with its events, and whether somebody stopped the crew or its agent."""
        ...

    async def retire(self, on_duty: Collection[str]) -> None:
        """Forget the heartbeats of everybody but those on duty."""
        ...

    async def take(
        self,
        intakes: Sequence[Intake],
        now: datetime,
        room: int,
        *,
        worker: str = "",
        day: ShopDay | None = None,
    ) -> Taken:
        """Begin the runs that are due, for this worker, within the budgets of this day.

        The most important agent comes first; among equals the one whose turn is longest overdue.
        """
        ...

    async def fail(self, failure: Failure) -> RunStatus:
        """Record that a run raised, and what follows."""
        ...

    async def take_over(self) -> int:
        """Begin a new attempt of each run under way, as whoever carried it out is gone."""
        ...

    async def take_over_lost(self, lease: timedelta) -> int:
        """Begin a new attempt of each run whose worker did not beat for so long."""
        ...

    async def keep_lease(self, worker: Worker) -> None:
        """Let a worker's lease begin anew, by the database's clock."""
        ...

    async def give_up(self, worker: str) -> None:
        """End a worker's lease: what it leaves behind is free at once."""
        ...

    async def lead(self) -> bool:
        """Become, or stay, the one process that relays and ticks; False where another is."""
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
