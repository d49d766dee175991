"""The owner's goal and the plan that serves it, as they are shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storecrew.domain.control.agents import AssignTask, GoalSet
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.ports.journal import JournalView

GOALS = ("profit", "growth", "clear_stock", "service")
COORDINATOR = "coordinator"
_RUNS = 20
"""Newest runs of the coordinator among which the newest plan is looked for."""
_STEPS = 50
_EVER = timedelta(days=3650)


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """One piece of work in a plan."""

    proposal_id: str
    agent: str
    task: str
    due_at: datetime
    why: str
    at_most_costs: str
    status: str
    """`given`, `waiting` for the owner, `denied`, or `refused`."""


@dataclass(frozen=True, kw_only=True)
class GoalPlan:
    """What the crew works on for its owner."""

    goal: str
    """Empty before anybody set one: then profit counts."""
    until: datetime | None = None
    made_at: datetime | None = None
    steps: tuple[PlanStep, ...] = ()


async def current_plan(journal: JournalView, now: datetime) -> GoalPlan:
    """Return the goal in force and the newest plan; without either, empty ones."""
    goals = [e.event for e in await journal.recent_events([GoalSet], now - _EVER, now)]
    goal = goals[-1] if goals else None
    goal_in_force = (
        goal if isinstance(goal, GoalSet) and (not goal.until or goal.until > now) else None
    )
    shown = GoalPlan(
        goal=goal_in_force.goal if goal_in_force else "",
        until=goal_in_force.until if goal_in_force else None,
    )
    for run in (await journal.runs(page=1, per_page=_RUNS, agent=COORDINATOR)).items:
        if not run.proposals:
            continue
        stories = (await journal.proposals(page=1, per_page=_STEPS, run=run.id)).items
        steps = _steps(sorted(stories, key=lambda story: story.filed.id))
        return GoalPlan(goal=shown.goal, until=shown.until, made_at=run.created_at, steps=steps)
    return shown


def _steps(stories: Sequence[ProposalHistory]) -> tuple[PlanStep, ...]:
    found = []
    for story in stories:
        action, evidence = story.filed.proposal.action, story.filed.proposal.evidence
        if isinstance(action, AssignTask):
            found.append(
                PlanStep(
                    proposal_id=story.filed.id,
                    agent=action.agent,
                    task=action.task,
                    due_at=action.due_at,
                    why=str(evidence.get("why", story.filed.proposal.reason)),
                    at_most_costs=str(evidence.get("at_most_costs", "")),
                    status=_status(story),
                )
            )
    return tuple(found)


def _status(story: ProposalHistory) -> str:
    if story.outcome is not None:
        return "given" if story.outcome.applied else "refused"
    if story.approval is not None:
        return str(story.approval.status)
    return "denied"
