"""The pipeline of one run: propose, judge, apply, record. Repeating any step changes nothing."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from structlog.contextvars import bound_contextvars

from storecrew.domain.actions import Action, Command, ControlAction
from storecrew.domain.control.agents import Budget, BusinessDay
from storecrew.domain.control.events import EventEnvelope, StoredEvent
from storecrew.domain.control.proposals import (
    REPORTED_BY,
    JudgedProposal,
    Outcome,
    Proposal,
    ProposalRecord,
    Result,
    Verdict,
)
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.errors import AgentTimeout, NotPermitted, Paused
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.clock import Clock
from storecrew.domain.ports.control import Operations
from storecrew.domain.ports.journal import (
    SETTLEMENT,
    AgentOutput,
    BudgetSpend,
    Journal,
    Judge,
    ProposalResult,
    StepRecord,
)
from storecrew.domain.ports.models import Models
from storecrew.domain.ports.store import Store
from storecrew.domain.ports.web import NoWebReader, WebReader
from storecrew.orchestrator.policy_context import load_policy_context
from storecrew.orchestrator.registry import Registry
from storecrew.policy import PlaneFacts, Policy, budget_spend, cash_out
from storecrew.sdk import Agent, Context
from storecrew.sdk.context import ReadOnly, UsageMeter
from storecrew.sdk.settings import parse_settings

CHUNK = 500
"""Proposals judged, applied and recorded together: few commits, and a bounded wait for others."""


@dataclass(frozen=True)
class JournalHistory:
    """What happened up to the moment of a run: the same on a replay."""

    journal: Journal
    until: datetime

    async def events(
        self, kinds: Collection[type[Event]], since: datetime
    ) -> Sequence[StoredEvent]:
        """Return events of these kinds since then, oldest first."""
        return await self.journal.recent_events(kinds, since, self.until)


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """Carries a run from its events to the audit."""

    store: Store
    journal: Journal
    policy: Policy
    registry: Registry
    models: Models
    clock: Clock
    """The shop's time."""
    wall: Clock
    """The time of the people who answer; apart from `clock` when history is replayed."""
    currency: str
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Each agent's own settings, by name."""
    operations: Operations | None = None
    """The plane itself, for the crew to act on; None where there is only a shop."""
    pages: WebReader = field(default_factory=NoWebReader)
    """Pages of others, for agents that read them."""

    async def execute(
        self, run_id: str, attempt: int, meter: UsageMeter, *, worker: str = ""
    ) -> None:
        """Carry the run on from wherever it stopped, to its end.

        An attempt that a later one has taken over from, or a run that is in another worker's
        hands, is left alone. The meter holds what was used up and is not recorded yet.
        """
        run, stands = await self.journal.load_for_execution(run_id)
        if run.status is not RunStatus.RUNNING or run.attempt != attempt or run.worker != worker:
            return
        if stands:
            raise Paused
        with bound_contextvars(run=run.id, agent=run.agent, trace=run.trace):
            if run.agent == SETTLEMENT:
                await self._settle_decision(run)
            elif run.proposals is None:
                await self._propose_and_settle(run, meter)
            else:
                await self._settle(run, run.proposals, start=0)

    async def _propose_and_settle(self, run: Run, meter: UsageMeter) -> None:
        """Ask the agent, file and judge in one transaction what it said, and act on it."""
        filing = await self._invoke_agent(run, meter)
        first, count = filing.filed[:CHUNK], len(filing.filed)
        judge = await self._judge_for(run, first)
        last = count <= CHUNK
        step = self._advance(run, judge, pending=first, last=last)
        allowed = await self.journal.record_step(replace(step, filing=filing))
        meter.tokens = 0
        if allowed:
            await self._apply_allowed(run, allowed, last=last)
        await self._settle(run, count, start=CHUNK)

    async def _settle(self, run: Run, count: int, *, start: int) -> None:
        """Judge and act on what has been filed, chunk by chunk."""
        for first in range(start, count, CHUNK):
            await self._judge_and_apply(run, first, last=first + CHUNK >= count)

    async def _invoke_agent(self, run: Run, meter: UsageMeter) -> AgentOutput:
        """Wake the agent and hold it to what it declared."""
        agent = self.registry.agent(run.agent)
        yielded = await self._listen(run, agent, replace(self.context(run, agent), meter=meter))
        filed: list[ProposalRecord] = []
        published: list[EventEnvelope] = []
        for one in yielded:
            if isinstance(one, Event):
                published.append(self._publish(run, agent, one, len(published)))
            else:
                filed.append(_file(run, agent, one, len(filed)))
        return AgentOutput(filed=tuple(filed), events=tuple(published), tokens=meter.tokens)

    async def _listen(self, run: Run, agent: Agent, ctx: Context) -> list[Proposal | Event]:
        """Return all that the agent says before its deadline; later it is not listened to."""
        events = [recorded.event for recorded in run.events]

        async def listen() -> list[Proposal | Event]:
            return [one async for one in agent.invoke(events, ctx)]

        saying = asyncio.create_task(listen(), name=f"agent {run.id}")
        try:
            done, _ = await asyncio.wait({saying}, timeout=agent.deadline.total_seconds())
        finally:
            saying.cancel()  # it may not heed that, so nobody waits for it
        if not done:
            saying.add_done_callback(_collect_proposals)
            raise AgentTimeout(agent.name, agent.deadline.total_seconds())
        return saying.result()

    def context(self, run: Run, agent: Agent) -> Context:
        """Return what the agent may touch during this run."""
        return Context(
            run=run.id,
            agent=agent.name,
            now=run.created_at,
            store=ReadOnly(self.store, agent.name),
            history=JournalHistory(self.journal, run.created_at),
            models=self.models,
            settings=parse_settings(agent.settings, agent.name, self.settings.get(agent.name, {})),
            budget=agent.budget,
            currency=self.currency,
            attempt=run.attempt,
            attempt_time=self.clock.now(),
            pages=self.pages,
        )

    async def _judge_and_apply(self, run: Run, start: int, *, last: bool) -> None:
        """Settle a chunk whose proposals are only in the journal."""
        pending = await self.journal.filed(run.id, start, CHUNK)
        judge = await self._judge_for(run, pending)
        step = self._advance(run, judge, pending=tuple(pending), last=last)
        allowed = await self.journal.record_step(step)
        stale = await self._no_longer_allowed(judge, allowed)
        await self._record(run, stale, last=False)
        gone = {settled.judged.filed.id for settled in stale}
        await self._apply_allowed(run, [j for j in allowed if j.filed.id not in gone], last=last)

    async def _no_longer_allowed(
        self, judge: Judge, allowed: Sequence[JudgedProposal]
    ) -> list[ProposalResult]:
        """Return refusals for what was allowed before an interruption and may not be done now.

        Between a crash and its recovery costs and prices may have changed. What was done under
        its key before the crash stays done.
        """
        refused = []
        for judged in allowed:
            again = judge(judged.filed, BudgetSpend())
            if again.decision.verdict is not Verdict.DENY:
                continue
            if await self._outcome(judged.filed.id) is None:
                refused.append(ProposalResult(judged=judged, outcome=_stale(judged, again)))
        return refused

    async def _apply_allowed(
        self, run: Run, allowed: Sequence[JudgedProposal], *, last: bool
    ) -> None:
        """Change the store, once per key, and record what came of it."""
        await self._check_not_paused(run)
        batch = [
            Command(key=j.filed.id, action=j.filed.proposal.action, actor=run.actor)
            for j in allowed
        ]
        outcomes = await self._apply(batch) if batch else []
        settled = [
            ProposalResult(judged=j, outcome=o) for j, o in zip(allowed, outcomes, strict=True)
        ]
        await self._record(run, settled, last=last)

    async def _apply(self, batch: Sequence[Command]) -> list[Outcome]:
        """Change the store, and the plane where an action is about it; outcomes in order."""
        of_store = [one for one in batch if not isinstance(one.action, ControlAction)]
        done = await self.store.apply_batch(of_store) if of_store else ()
        found = {outcome.key: outcome for outcome in done}
        for one in batch:
            if isinstance(one.action, ControlAction):
                found[one.key] = await self._operate(one)
        return [found[one.key] for one in batch]

    async def _operate(self, one: Command) -> Outcome:
        if self.operations is not None:
            return await self.operations.apply(one)
        problem = "there is no plane to act on here"
        return Outcome(key=one.key, result=Result.REFUSED, code="unsupported", message=problem)

    async def _outcome(self, key: str) -> Outcome | None:
        """Return what was done under this key, in the shop or on the plane."""
        if (found := await self.store.outcome(key)) is not None or self.operations is None:
            return found
        return await self.operations.outcome(key)

    async def plane_facts(self, actions: Sequence[Action], now: datetime) -> PlaneFacts:
        """Look up what the policy must know of the plane, where an action is about it."""
        if not any(isinstance(action, ControlAction) for action in actions):
            return PlaneFacts()
        since = now - timedelta(days=1)
        restarts = await self.operations.restarts(since) if self.operations is not None else {}
        crew = self.registry.agents.values()
        return PlaneFacts(agents={agent.name: agent.tags for agent in crew}, restarts=restarts)

    async def _record(self, run: Run, settled: Sequence[ProposalResult], *, last: bool) -> None:
        if settled or last:
            step = self._advance(run, None, settled=tuple(settled), last=last)
            await self.journal.record_step(step)

    async def _settle_decision(self, run: Run) -> None:
        """Carry out what a person approved, as the policy stands now."""
        proposal_id = run.id.removesuffix("/settle")
        approval = await self.journal.approval(proposal_id)
        filed = approval.filed
        if approval.changed is not None:
            changed = replace(filed.proposal, action=approval.changed)
            filed = replace(filed, proposal=changed, changed_by=approval.decided_by)
        judge = await self._judge_for(run, [filed])
        if (done := await self._outcome(proposal_id)) is not None:
            story = await self.journal.story(proposal_id)
            decision = story.decision or approval.question
            settled = ProposalResult(
                judged=JudgedProposal(filed=filed, decision=decision), outcome=done
            )
            await self._record(run, [settled], last=True)
            return
        step = self._advance(run, judge, pending=(filed,), last=True)
        allowed = await self.journal.record_step(replace(step, answering=True))
        if allowed:
            await self._apply_allowed(run, allowed, last=True)

    async def _judge_for(self, run: Run, pending: Sequence[ProposalRecord]) -> Judge:
        """Look around and return the function that judges these proposals."""
        actions = [filed.proposal.action for filed in pending]
        weekly = self.policy.settings.messages_per_week
        around = await load_policy_context(
            self.store, actions, self.clock.now(), self.currency, weekly
        )
        plane = await self.plane_facts(actions, self.clock.now())
        person = run.actor.removeprefix("person:") if run.actor.startswith("person:") else None

        def judge(filed: ProposalRecord, spent: BudgetSpend) -> JudgedProposal:
            action, budget = filed.proposal.action, self.budget(filed.agent).money
            day = Money.from_minor(spent.shop, self.currency)
            left = budget - Money.from_minor(spent.agent, self.currency) if budget else None
            asked = Money.from_minor(spent.asked, self.currency)
            facts = replace(around.of(action, day, left, asked), plane=plane)
            if person is None:
                decision = self.policy.judge(filed.proposal, filed.agent, facts)
            else:
                decision = self.policy.confirm(filed.proposal, person, facts)
            return JudgedProposal(
                filed=filed,
                decision=decision,
                budget_spend=_minor(budget_spend(action, facts.product)),
                cash_out=_minor(cash_out(action, facts)),
            )

        return judge

    def _advance(
        self,
        run: Run,
        judge: Judge | None,
        *,
        pending: tuple[ProposalRecord, ...] = (),
        settled: tuple[ProposalResult, ...] = (),
        last: bool,
    ) -> StepRecord:
        now, limits = self.clock.now(), self.policy.settings
        return StepRecord(
            run=run.id,
            attempt=run.attempt,
            actor=run.actor,
            now=now,
            asked_at=self.wall.now(),
            day=self.day(now).name,
            judge=judge,
            expires=timedelta(hours=limits.approval_expires_hours),
            rejection_cooldown=timedelta(days=limits.rejection_cooldown_days),
            pending=pending,
            settled=settled,
            last=last,
            subscribers_of=self.registry.subscribers_of,
            budgeted=bool(pending and self.budget(pending[0].agent).money),
        )

    def day(self, now: datetime) -> BusinessDay:
        """Return the shop's day at this moment."""
        return BusinessDay.of(now, self.policy.settings.zone)

    def budget(self, agent: str) -> Budget:
        """Return what an agent may use up on a day; one that left has nothing to lose."""
        found = self.registry.agents.get(agent)
        return found.budget if found is not None else Budget()

    def _publish(self, run: Run, agent: Agent, event: Event, n: int) -> EventEnvelope:
        if type(event) not in agent.publishes:
            raise NotPermitted(agent.name, f"publish {type(event).__name__}")
        source = f"agent:{run.agent}"
        return EventEnvelope(
            source=source,
            external_id=f"{run.id}/e{n}",
            event=event,
            at=self.clock.now(),
            actor=source,
        )

    async def _check_not_paused(self, run: Run) -> None:
        if await self.journal.paused(run.agent):
            raise Paused


def _collect_proposals(saying: "asyncio.Task[list[Proposal | Event]]") -> None:
    """Let a hung agent end by itself, and ignore how."""
    if not saying.cancelled():
        saying.exception()


def _minor(money: Money | None) -> int:
    return money.minor if money is not None else 0


def _file(run: Run, agent: Agent, said: Proposal, n: int) -> ProposalRecord:
    if type(said.action) not in agent.allowed_actions:
        raise NotPermitted(agent.name, f"propose {type(said.action).__name__}")
    evidence = {name: value for name, value in said.evidence.items() if name != REPORTED_BY}
    if run.reporters:
        evidence[REPORTED_BY] = ", ".join(run.reporters)
    said = replace(said, evidence=evidence)
    return ProposalRecord(id=f"{run.id}/{n}", run=run.id, agent=agent.name, proposal=said)


def _stale(judged: JudgedProposal, again: JudgedProposal) -> Outcome:
    return Outcome(
        key=judged.filed.id,
        result=Result.REFUSED,
        code="stale",
        message=f"no longer allowed: {again.decision.reason}",
    )
