"""Drives a journal through the steps of a run, keeping the effects of a store."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from storecrew.domain.control.approvals import ApprovalDecision, ApprovalStatus
from storecrew.domain.control.events import ClockTicked, EventEnvelope
from storecrew.domain.control.proposals import (
    Decision,
    JudgedProposal,
    Outcome,
    Proposal,
    ProposalRecord,
    Result,
    Verdict,
)
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.journal import AgentOutput, ClaimSpec, ProposalResult, StepRecord
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.journal import SqlJournal

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLERK = "clerk"


def clerk_wakes(_event: Event) -> tuple[str, ...]:
    return (CLERK,)


def low(sku: str = "mug", position: int = 1) -> StockRanLow:
    return StockRanLow(
        sku=sku, warehouse="main", position=position, reorder_point=5, daily_demand=1.0
    )


def claim_spec(**changes) -> ClaimSpec:
    given = {"agent": CLERK, "batch": 1, "batch_window": timedelta(0), "concurrency": 1}
    return ClaimSpec(**(given | changes))


def judge_as(verdict: Verdict, *, spends: int = 0, reason: str = "because"):
    """Return a judge that decides like this on everything."""
    decision = Decision(verdict=verdict, reason=reason, rule="test", policy_version="v")
    return lambda filed, _spent: JudgedProposal(filed=filed, decision=decision, budget_spend=spends)


def price(amount: str = "11", sku: str = "mug") -> SetPrice:
    return SetPrice(sku=sku, price=Money.of(amount, "EUR"))


def proposed(
    run: str, number: int = 1, sku: str = "", reason: str = "it sells"
) -> tuple[ProposalRecord, ...]:
    """What the clerk proposes in this run: each about another product, unless told otherwise."""
    return tuple(
        ProposalRecord(
            id=f"{run}/{n}",
            run=run,
            agent=CLERK,
            proposal=Proposal(action=price(sku=sku or f"{run}/{n}"), reason=reason),
        )
        for n in range(number)
    )


def answer(proposal: str, status=ApprovalStatus.APPROVED, **changes) -> ApprovalDecision:
    given = {"proposal": proposal, "status": status, "by": "owner", "at": NOON}
    return ApprovalDecision(**(given | changes))


@dataclass
class JournalDriver:
    """A journal, the time, and the effects that a store would have recorded."""

    journal: SqlJournal
    now: datetime = NOON
    effects: set[str] = field(default_factory=set)
    _ids: count = field(default_factory=count)

    def envelope(self, event: Event | None = None, *, id: str = "", source: str = "test", **more):
        return EventEnvelope(
            source=source,
            external_id=id or f"e{next(self._ids)}",
            event=event or low(),
            at=self.now,
            **more,
        )

    def tick(self, at: datetime, agent: str = CLERK) -> EventEnvelope:
        due = at.isoformat(timespec="seconds")
        event = ClockTicked(agent=agent, due=at)
        return self.envelope(event, id=f"{agent}@{due}", source="clock")

    async def publish(self, *events: Event):
        envelopes = [self.envelope(event) for event in events]
        return await self.journal.publish(envelopes, clerk_wakes)

    async def take(self, *claim_specs: ClaimSpec, room: int = 10) -> tuple[str, ...]:
        return (await self.journal.claim_runs(claim_specs or [claim_spec()], self.now, room)).runs

    async def begin(self, sku: str = "mug") -> str:
        """Begin a run about one event."""
        await self.publish(low(sku))
        [run] = await self.take(claim_spec(concurrency=100))
        return run

    def step(self, run: str, attempt: int = 1, **changes) -> StepRecord:
        return StepRecord(
            run=run,
            attempt=attempt,
            actor=f"agent:{CLERK}",
            now=self.now,
            asked_at=self.now,
            day=f"{self.now:%Y-%m-%d}",
            expires=timedelta(hours=72),
            subscribers_of=clerk_wakes,
            **changes,
        )

    def filing(self, run: str, verdict: Verdict, number: int = 1, **more) -> StepRecord:
        """The step in which an agent's proposals are kept and judged."""
        filed = proposed(run, number)
        return self.step(
            run,
            filing=AgentOutput(filed=filed, events=()),
            pending=filed,
            judge=judge_as(verdict, **more),
            last=True,
        )

    def settling(self, run: str, allowed: list[JudgedProposal]) -> StepRecord:
        """The step in which it is recorded what the store did."""
        done = tuple(
            ProposalResult(judged=j, outcome=Outcome(key=j.filed.id, result=Result.APPLIED))
            for j in allowed
        )
        self.effects |= {j.filed.id for j in allowed}
        return self.step(run, settled=done, last=True)

    async def done(self, run: str, number: int = 1) -> None:
        """Bring a run to its end, all its proposals applied."""
        allowed = await self.journal.record_step(self.filing(run, Verdict.ALLOW, number))
        await self.journal.record_step(self.settling(run, allowed))

    async def asked(self, sku: str = "mug", reason: str = "it sells", **changes) -> str:
        """Bring a run to its end, its proposal waiting for a person; return the proposal."""
        run = await self.begin(sku)
        filed = proposed(run, sku=sku, reason=reason)
        filing, judge = AgentOutput(filed=filed, events=()), judge_as(Verdict.ASK)
        step = self.step(run, filing=filing, pending=filed, judge=judge, last=True, **changes)
        await self.journal.record_step(step)
        return f"{run}/0"

    async def audited(self):
        return list(reversed((await self.journal.audit(page=1, per_page=500)).items))

    async def verify(self):
        return await self.journal.verify(self.effects)
