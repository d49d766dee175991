"""What the crew would propose now, without recording or changing anything."""

from collections import defaultdict
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from storecrew.domain.control.events import ClockTicked
from storecrew.domain.control.proposals import Decision, Proposal, ProposalRecord, Verdict
from storecrew.domain.control.runs import Run, RunStatus
from storecrew.domain.errors import Deferred
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.ports.journal import BudgetSpend
from storecrew.orchestrator.pipeline import Pipeline
from storecrew.orchestrator.policy_context import load_policy_context
from storecrew.policy import Explanation, budget_spend, explain

_ROUNDS = 10
"""How often events that agents found may wake other agents; more would be a circle."""


async def plan(
    pipeline: Pipeline, agents: Collection[str]
) -> list[tuple[ProposalRecord, Decision]]:
    """Run these agents as scheduled and return the policy's decision on each proposal.

    What one agent finds wakes the others, as it would in a real run.
    """
    now = pipeline.clock.now()
    filed: list[ProposalRecord] = []
    waiting = _ticks(pipeline, agents, now)
    for _round in range(_ROUNDS):
        found: dict[str, list[Event]] = defaultdict(list)
        for name, events in waiting.items():
            for said in await _wake(pipeline, name, events, now):
                if isinstance(said, Proposal):
                    number = len(filed)
                    filed.append(
                        ProposalRecord(id=f"plan/{number}", run="plan", agent=name, proposal=said)
                    )
                    continue
                for woken in pipeline.registry.subscribers_of(said):
                    if woken in agents:
                        found[woken].append(said)
        if not found:
            break
        waiting = found
    return await _judge(pipeline, filed, now)


async def explained(pipeline: Pipeline, filed: ProposalRecord, spent: BudgetSpend) -> Explanation:
    """Return what the policy says of a proposal now, given what was spent today."""
    action, budget = filed.proposal.action, pipeline.budget(filed.agent).money
    now, weekly = pipeline.clock.now(), pipeline.policy.settings.messages_per_week
    around = await load_policy_context(pipeline.store, [action], now, pipeline.currency, weekly)
    left = budget - Money.from_minor(spent.agent, pipeline.currency) if budget else None
    plane = await pipeline.plane_facts([action], now)
    facts = around.of(action, Money.from_minor(spent.shop, pipeline.currency), left)
    facts = replace(facts, plane=plane)
    return explain(pipeline.policy, filed.proposal, filed.agent, facts)


def _ticks(pipeline: Pipeline, agents: Collection[str], now: datetime) -> dict[str, list[Event]]:
    scheduled = [a for a in pipeline.registry.agents.values() if a.schedule and a.name in agents]
    return {a.name: [ClockTicked(agent=a.name, due=now)] for a in scheduled}


async def _wake(
    pipeline: Pipeline, name: str, events: list[Event], now: datetime
) -> list[Proposal | Event]:
    agent = pipeline.registry.agent(name)
    run = Run(
        id="plan",
        agent=name,
        actor=f"agent:{name}",
        status=RunStatus.RUNNING,
        attempt=1,
        created_at=now,
    )
    said: list[Proposal | Event] = []
    for start in range(0, len(events), agent.batch):
        batch = events[start : start + agent.batch]
        with suppress(Deferred):  # it would wait for its moment, and propose nothing now
            said += [one async for one in agent.invoke(batch, pipeline.context(run, agent))]
    return said


async def _judge(
    pipeline: Pipeline, filed: list[ProposalRecord], now: datetime
) -> list[tuple[ProposalRecord, Decision]]:
    actions = [one.proposal.action for one in filed]
    weekly = pipeline.policy.settings.messages_per_week
    around = await load_policy_context(pipeline.store, actions, now, pipeline.currency, weekly)
    plane = await pipeline.plane_facts(actions, now)
    spent = asked = nothing = Money.of(0, pipeline.currency)
    judged = []
    for one in filed:
        facts = replace(around.of(one.proposal.action, spent, asked=asked), plane=plane)
        decision = pipeline.policy.judge(one.proposal, one.agent, facts)
        cost = budget_spend(one.proposal.action, facts.product) or nothing
        spent += cost if decision.verdict is Verdict.ALLOW else nothing
        asked += cost if decision.verdict is Verdict.ASK else nothing
        judged.append((one, decision))
    return judged
