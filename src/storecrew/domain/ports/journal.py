"""The journal: events in, runs out, and every step recorded with its consequences."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from storecrew.domain.control.agents import Budget, BusinessDay, RegisteredAgent, Worker
from storecrew.domain.control.approvals import (
    EVERY_APPROVAL,
    Approval,
    ApprovalDecision,
    ApprovalFilter,
    ApprovalStatus,
)
from storecrew.domain.control.audit import EVERY_ENTRY, AuditEntry, AuditFilter
from storecrew.domain.control.events import EventEnvelope, PublishAck, StoredEvent
from storecrew.domain.control.integrity import Discrepancy
from storecrew.domain.control.proposals import (
    JudgedProposal,
    Outcome,
    PostponedPurchase,
    Proposal,
    ProposalRecord,
    Verdict,
)
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.control.traces import ProposalHistory, Trace
from storecrew.domain.control.updates import LiveUpdate, Topic
from storecrew.domain.events import Event
from storecrew.domain.paging import Page

SubscribersOf: TypeAlias = Callable[[Event], Sequence[str]]
"""Names the agents that an event wakes."""


@dataclass(frozen=True, kw_only=True)
class BudgetSpend:
    """What was allowed, or asked about, on a day so far, in minor units of the shop's currency."""

    shop: int = 0
    """By everybody, for purchases."""
    agent: int = 0
    """By the agent that is judged, for whatever takes money out of the shop."""

    asked: int = 0
    """Of purchases that a person was asked about; nothing while an answer is carried out."""

    def and_also(self, judged: JudgedProposal) -> "BudgetSpend":
        """Return what it is once this is allowed, or asked about, too."""
        if judged.decision.verdict is Verdict.ALLOW:
            spent, own = self.shop + judged.budget_spend, self.agent + judged.cash_out
            return replace(self, shop=spent, agent=own)
        if judged.decision.verdict is Verdict.ASK:
            return replace(self, asked=self.asked + judged.budget_spend)
        return self


Judge: TypeAlias = Callable[[ProposalRecord, BudgetSpend], JudgedProposal]
"""Judges a proposal, given what was spent that day so far."""


SETTLEMENT = "settlement"
"""The name under which a person's answer is carried out."""


UNDO = "undo"
"""The name under which an undo is carried out."""


@dataclass(frozen=True, kw_only=True)
class AgentOutput:
    """Everything that an agent said in one run."""

    filed: tuple[ProposalRecord, ...]
    events: tuple[EventEnvelope, ...]
    tokens: int = 0
    """Tokens of language models that it cost."""


@dataclass(frozen=True, kw_only=True)
class ProposalResult:
    """An allowed proposal and what the store did with it."""

    judged: JudgedProposal
    outcome: Outcome


@dataclass(frozen=True, kw_only=True)
class StepRecord:
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
    rejection_cooldown: timedelta = timedelta(0)
    """How long what a person said no to is not asked again."""
    judge: Judge | None = None
    """Decides on what is pending."""
    filing: AgentOutput | None = None
    settled: tuple[ProposalResult, ...] = ()
    pending: tuple[ProposalRecord, ...] = ()
    """Proposals to judge."""
    last: bool = False
    """Nothing is left to judge after this."""
    answering: bool = False
    """The proposals were asked about and a person said yes."""
    budgeted: bool = False
    """The agent has a budget of money, so what it moved that day must be known."""
    subscribers_of: SubscribersOf = field(default=lambda _event: ())


@dataclass(frozen=True, kw_only=True)
class ClaimSpec:
    """How one agent takes its events."""

    agent: str
    batch: int
    batch_window: timedelta
    concurrency: int
    priority: int = 0
    budget: Budget = field(default_factory=Budget)
    manual_only: bool = False
    """Only what a person or program asked for is taken; the rest waits."""


@dataclass(frozen=True, kw_only=True)
class ClaimResult:
    """The runs that began, and when the next batch will be due although not full."""

    runs: tuple[str, ...]
    next_due: datetime | None
    claimed: tuple[tuple[str, int], ...] = ()
    """Runs under way that nobody carried out, by id and attempt; now they are the taker's."""


@dataclass(frozen=True, kw_only=True)
class RunFailure:
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
    subscribers_of: SubscribersOf = field(default=lambda _event: ())


@dataclass(frozen=True, kw_only=True)
class SchedulerSnapshot:
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
    suspended: frozenset[str] = frozenset()
    """Agents that stand still: paused, or their budget of the day is spent."""
    newest: int = 0
    """The newest event's number."""


class JournalView(Protocol):
    """The control plane's memory, to be read."""

    async def run(self, run_id: str) -> Run:
        """Return the run with its events, or raise `NotFound`."""
        ...

    async def paused(self, agent: str = "") -> bool:
        """Return whether the crew, or this agent, is paused."""
        ...

    async def runs(
        self, *, page: int, per_page: int, agent: str | None = None, status: RunStatus | None = None
    ) -> Page[Run]:
        """Return one page of runs, newest first, without their events."""
        ...

    async def proposals(
        self, *, page: int, per_page: int, run: str | None = None
    ) -> Page[ProposalHistory]:
        """Return one page of proposals and what became of them, newest first."""
        ...

    async def postponed_purchases(self, day: str) -> Sequence[PostponedPurchase]:
        """Return the purchases that were only listed on this day, the newest of each product.

        They stand in the order in which they were proposed: what brings most for its cost first.
        """
        ...

    async def story(self, proposal_id: str) -> ProposalHistory:
        """Return one proposal and what became of it, or raise `NotFound`."""
        ...

    async def approvals(
        self,
        *,
        status: ApprovalStatus | None = ApprovalStatus.WAITING,
        only: ApprovalFilter = EVERY_APPROVAL,
        page: int,
        per_page: int,
    ) -> Page[Approval]:
        """Return one page of the questions of this status (all when None) that the filter means."""
        ...

    async def approval(self, proposal_id: str) -> Approval:
        """Return the question about this proposal, or raise `NotFound`."""
        ...

    async def audit(
        self, *, only: AuditFilter = EVERY_ENTRY, page: int, per_page: int
    ) -> Page[AuditEntry]:
        """Return one page of the audit's entries that the filter means, newest first."""
        ...

    async def events(self, *, page: int, per_page: int) -> Page[StoredEvent]:
        """Return one page of the recorded events, newest first."""
        ...

    async def recent_events(
        self, kinds: Collection[type[Event]], since: datetime, until: datetime
    ) -> list[StoredEvent]:
        """Return events of these kinds between two moments, among the newest few thousand."""
        ...

    async def updates(
        self, since: int, *, topics: Collection[Topic] = ..., limit: int = ...
    ) -> list[LiveUpdate] | None:
        """Return the updates after a position, oldest first; None where some are gone."""
        ...

    async def newest_update(self) -> int:
        """Return the position of the newest update; 0 where there is none."""
        ...

    async def trace(self, anything: str) -> Trace:
        """Return what an event, run, proposal or effect's key belongs to, or raise `NotFound`."""
        ...

    async def count_results(self, run_ids: Collection[str]) -> dict[str, int]:
        """Count the `proposals` of these runs, and those `applied`, `asked` and `denied`."""
        ...


class Journal(JournalView, Protocol):
    """The control plane's memory. Each method is one transaction; what it returned survives.

    Raises `Retryable` errors while its database is busy, full or away.
    """

    async def publish(
        self, items: Sequence[EventEnvelope], subscribers_of: SubscribersOf
    ) -> list[PublishAck]:
        """Record events, once per source and external id, with the wakes they cause."""
        ...

    async def relay(
        self, source: str, facts: Sequence[tuple[int, EventEnvelope]], subscribers_of: SubscribersOf
    ) -> int:
        """Record facts from an outbox and how far it has been read, together."""
        ...

    async def snapshot(
        self, source: str, now: datetime, *, worker: str = "", day: str = ""
    ) -> SchedulerSnapshot:
        """Look at all that may have to be acted on, by this worker and on this day of the shop."""
        ...

    async def registered(self) -> list[RegisteredAgent]:
        """Return every registered agent, in order of registration."""
        ...

    async def heartbeat(self, agents: Collection[str], now: datetime, *, worker: str = "") -> None:
        """Record that these agents are ready to run, because their worker is."""
        ...

    async def last_ticks(self, agents: Collection[str]) -> Mapping[str, str]:
        """Return the external id of each agent's newest tick; who never ticked is left out."""
        ...

    async def load_for_execution(self, run_id: str) -> tuple[Run, bool]:
        """Return the run with its events, and whether the crew or its agent is paused."""
        ...

    async def prune_heartbeats(self, on_duty: Collection[str]) -> None:
        """Forget the heartbeats of everybody but those on duty."""
        ...

    async def claim_runs(
        self,
        specs: Sequence[ClaimSpec],
        now: datetime,
        room: int,
        *,
        worker: str = "",
        day: BusinessDay | None = None,
    ) -> ClaimResult:
        """Begin the runs that are due, for this worker, within the budgets of this day.

        The most important agent comes first; among equals the one whose turn is longest overdue.
        """
        ...

    async def fail(self, failure: RunFailure) -> RunStatus:
        """Record that a run raised, and what follows."""
        ...

    async def reclaim_runs(self) -> int:
        """Begin a new attempt of each active run, as the process that executed it is gone."""
        ...

    async def reclaim_expired(self, lease: timedelta) -> int:
        """Begin a new attempt of each run whose worker did not beat for so long."""
        ...

    async def renew_lease(self, worker: Worker) -> None:
        """Let a worker's lease begin anew, by the database's clock."""
        ...

    async def release_lease(self, worker: str) -> None:
        """End a worker's lease: what it leaves behind is free at once."""
        ...

    async def try_acquire_leadership(self) -> bool:
        """Become, or stay, the one process that relays and ticks; False where another is."""
        ...

    async def requeue_due_retries(self, now: datetime) -> int:
        """Let runs whose pause is over go on; return how many."""
        ...

    async def record_step(self, step: StepRecord) -> list[JudgedProposal]:
        """Record a step of a run; return the proposals that may now be done."""
        ...

    async def filed(self, run_id: str, start: int, limit: int) -> list[ProposalRecord]:
        """Return so many of the run's proposals, in order."""
        ...

    async def decide(self, said: ApprovalDecision) -> str:
        """Record a person's answer; return the run that carries out a yes."""
        ...

    async def expire(self, now: datetime) -> int:
        """Expire approval requests that got no decision in time."""
        ...

    async def begin_undo(
        self, story: ProposalHistory, opposite: Proposal, *, by: str, now: datetime
    ) -> str:
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
