"""One run through the house: propose, judge, act, record. Repeating any part changes nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from storecrew.domain.actions import Keyed
from storecrew.domain.errors import AgentHung, NotPermitted, Paused
from storecrew.domain.events import Event, Published
from storecrew.domain.journal import SETTLEMENT, Advance, Filing, Journal, Judge, Settled
from storecrew.domain.money import Money
from storecrew.domain.ports import Clock, Models, Store
from storecrew.domain.proposals import Filed, Outcome, Proposal, Result, Verdict
from storecrew.domain.runs import Judged, Run, RunStatus
from storecrew.orchestrator.facts import look_around
from storecrew.orchestrator.registry import Registry
from storecrew.policy import Policy, spending
from storecrew.sdk import Agent, Context
from storecrew.sdk.context import ReadOnly

CHUNK = 500
"""Proposals judged, applied and recorded together: few commits, and a bounded wait for others."""


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

    async def carry_out(self, run_id: str, attempt: int) -> None:
        """Carry the run on from wherever it stopped, to its end.

        An attempt that a later one has taken over from does nothing.
        """
        run = await self.journal.run(run_id)
        if run.status is not RunStatus.RUNNING or run.attempt != attempt:
            return
        await self._check_not_paused()
        if run.agent == SETTLEMENT:
            await self._settle_answer(run)
        elif run.proposals is None:
            await self._propose_and_settle(run)
        else:
            await self._settle(run, run.proposals, start=0)

    async def _propose_and_settle(self, run: Run) -> None:
        """Ask the agent, file and judge in one transaction what it said, and act on it."""
        filing = await self._ask_agent(run)
        first, count = filing.filed[:CHUNK], len(filing.filed)
        judge = await self._judge_for(run, first)
        last = count <= CHUNK
        step = self._advance(run, judge, pending=first, last=last)
        allowed = await self.journal.advance(replace(step, filing=filing))
        if allowed:
            await self._do(run, allowed, last=last)
        await self._settle(run, count, start=CHUNK)

    async def _settle(self, run: Run, count: int, *, start: int) -> None:
        """Judge and act on what has been filed, chunk by chunk."""
        for first in range(start, count, CHUNK):
            await self._judge_and_do(run, first, last=first + CHUNK >= count)

    async def _ask_agent(self, run: Run) -> Filing:
        """Wake the agent and hold it to what it declared."""
        agent = self.registry.agent(run.agent)
        events = [recorded.event for recorded in run.events]
        filed: list[Filed] = []
        published: list[Published] = []
        try:
            async with asyncio.timeout(agent.deadline.total_seconds()):
                async for said in agent.wake(events, self.context(run, agent)):
                    if isinstance(said, Event):
                        published.append(self._publish(run, said, len(published)))
                    else:
                        filed.append(_file(run, agent, said, len(filed)))
        except TimeoutError as error:
            raise AgentHung(agent.name, agent.deadline.total_seconds()) from error
        return Filing(filed=tuple(filed), events=tuple(published))

    def context(self, run: Run, agent: Agent) -> Context:
        """Return what the agent may touch during this run."""
        return Context(
            run=run.id,
            agent=agent.name,
            now=run.created_at,
            store=ReadOnly(self.store, agent.name),
            models=self.models,
            settings=self.settings.get(agent.name, {}),
            currency=self.currency,
        )

    async def _judge_and_do(self, run: Run, start: int, *, last: bool) -> None:
        """Settle a chunk whose proposals are only in the journal."""
        pending = await self.journal.filed(run.id, start, CHUNK)
        judge = await self._judge_for(run, pending)
        step = self._advance(run, judge, pending=tuple(pending), last=last)
        allowed = await self.journal.advance(step)
        stale = await self._no_longer_allowed(judge, allowed)
        await self._record(run, stale, last=False)
        gone = {settled.judged.filed.id for settled in stale}
        await self._do(run, [j for j in allowed if j.filed.id not in gone], last=last)

    async def _no_longer_allowed(self, judge: Judge, allowed: Sequence[Judged]) -> list[Settled]:
        """Return refusals for what was allowed before an interruption and may not be done now.

        Between a crash and its recovery costs and prices may have changed. What was done under
        its key before the crash stays done.
        """
        refused = []
        for judged in allowed:
            again = judge(judged.filed, 0)
            if again.decision.verdict is not Verdict.DENY:
                continue
            if await self.store.outcome(judged.filed.id) is None:
                refused.append(Settled(judged=judged, outcome=_stale(judged, again)))
        return refused

    async def _do(self, run: Run, allowed: Sequence[Judged], *, last: bool) -> None:
        """Change the store, once per key, and record what came of it."""
        await self._check_not_paused()
        batch = [
            Keyed(key=j.filed.id, action=j.filed.proposal.action, actor=run.actor) for j in allowed
        ]
        outcomes = await self.store.apply_batch(batch) if batch else []
        settled = [Settled(judged=j, outcome=o) for j, o in zip(allowed, outcomes, strict=True)]
        await self._record(run, settled, last=last)

    async def _record(self, run: Run, settled: Sequence[Settled], *, last: bool) -> None:
        if settled or last:
            step = self._advance(run, None, settled=tuple(settled), last=last)
            await self.journal.advance(step)

    async def _settle_answer(self, run: Run) -> None:
        """Carry out what a person approved, as the policy stands now."""
        proposal_id = run.id.removesuffix("/settle")
        approval = await self.journal.approval(proposal_id)
        filed = approval.filed
        if approval.changed is not None:
            filed = replace(filed, proposal=replace(filed.proposal, action=approval.changed))
        judge = await self._judge_for(run, [filed])
        if (done := await self.store.outcome(proposal_id)) is not None:
            story = await self.journal.story(proposal_id)
            decision = story.decision or approval.question
            settled = Settled(judged=Judged(filed=filed, decision=decision), outcome=done)
            await self._record(run, [settled], last=True)
            return
        step = self._advance(run, judge, pending=(filed,), last=True)
        allowed = await self.journal.advance(replace(step, answering=True))
        if allowed:
            await self._do(run, allowed, last=True)

    async def _judge_for(self, run: Run, pending: Sequence[Filed]) -> Judge:
        """Look around and return the function that judges these proposals."""
        actions = [filed.proposal.action for filed in pending]
        around = await look_around(self.store, actions, self.clock.now(), self.currency)
        person = run.actor.removeprefix("person:") if run.actor.startswith("person:") else None

        def judge(filed: Filed, spent: int) -> Judged:
            facts = around.of(filed.proposal.action, Money.from_minor(spent, self.currency))
            if person is None:
                decision = self.policy.judge(filed.proposal, filed.agent, facts)
            else:
                decision = self.policy.confirm(filed.proposal, person, facts)
            cost = spending(filed.proposal.action, facts.product)
            return Judged(filed=filed, decision=decision, spends=cost.minor if cost else 0)

        return judge

    def _advance(
        self,
        run: Run,
        judge: Judge | None,
        *,
        pending: tuple[Filed, ...] = (),
        settled: tuple[Settled, ...] = (),
        last: bool,
    ) -> Advance:
        now, limits = self.clock.now(), self.policy.settings
        return Advance(
            run=run.id,
            actor=run.actor,
            now=now,
            asked_at=self.wall.now(),
            day=f"{now.astimezone(ZoneInfo(limits.zone)):%Y-%m-%d}",
            judge=judge,
            expires=timedelta(hours=limits.approval_expires_hours),
            pending=pending,
            settled=settled,
            last=last,
            wakes_for=self.registry.wakes_for,
        )

    def _publish(self, run: Run, event: Event, n: int) -> Published:
        source = f"agent:{run.agent}"
        return Published(
            source=source,
            external_id=f"{run.id}/e{n}",
            event=event,
            at=self.clock.now(),
            actor=source,
        )

    async def _check_not_paused(self) -> None:
        if await self.journal.paused():
            raise Paused


def _file(run: Run, agent: Agent, said: Proposal, n: int) -> Filed:
    if type(said.action) not in agent.may:
        raise NotPermitted(agent.name, f"propose {type(said.action).__name__}")
    return Filed(id=f"{run.id}/{n}", run=run.id, agent=agent.name, proposal=said)


def _stale(judged: Judged, again: Judged) -> Outcome:
    return Outcome(
        key=judged.filed.id,
        result=Result.REFUSED,
        code="stale",
        message=f"no longer allowed: {again.decision.reason}",
    )
