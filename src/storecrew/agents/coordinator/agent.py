"""The owner's goal becomes a plan: who does what, by when, at which cost."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from storecrew.agents.coordinator.plans import GOALS, WEEKS, ShopState, due, stock_of, works
from storecrew.agents.coordinator.settings import CoordinatorSettings
from storecrew.domain.control.agents import AssignTask, GoalSet
from storecrew.domain.control.events import RunRequested
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.events import Event
from storecrew.domain.shop.orders import OrderStatus
from storecrew.domain.shop.support import TicketStatus
from storecrew.sdk import Context, Proposal, Proposals, agent, every

_GOAL_LOOK_BACK = timedelta(days=60)
_BOTTLENECKS = {
    "approvals": ("order_management", "look at waiting orders"),
    "payment": ("order_management", "look at waiting orders"),
    "stock": ("inventory", "refill what is sold out"),
    "prices": ("pricing_optimizer", "look at all prices"),
}
"""Whose work it is when the order flow is stuck there. Carriers are nobody's here."""


@agent(
    name="coordinator",
    on=[GoalSet, BottleneckDetected],
    schedule=every(days=1, offset=timedelta(hours=5)),
    allowed_actions=[AssignTask],
    batch=50,
    batch_window=timedelta(seconds=30),
    priority=5,
    settings=CoordinatorSettings,
    capabilities=["planning"],
    tags=["operations"],
)
async def coordinator(events: Sequence[Event], ctx: Context[CoordinatorSettings]) -> Proposals:
    """Give the others work that serves the owner's goal: a plan a day, nothing twice.

    What it gives out is work, and no right to act: each thing an agent then proposes is judged
    by itself.
    """
    given = await _given_today(ctx)
    stuck = {e.what: e for e in events if isinstance(e, BottleneckDetected)}
    for what, event in stuck.items():
        if what in _BOTTLENECKS and _BOTTLENECKS[what] not in given:
            given.add(_BOTTLENECKS[what])
            yield _unblock(ctx, event)
    if stuck and all(isinstance(event, BottleneckDetected) for event in events):
        return
    goal = await _goal(ctx, events)
    shop = await _shop(ctx)
    for work in works(goal, shop):
        if (work.agent, work.task) not in given:
            yield _delegate(
                work.agent,
                work.task,
                due(ctx.now, work),
                why=work.why,
                more={"goal": goal, "cost": work.cost},
                parameters=work.parameters,
            )


async def _goal(ctx: Context[CoordinatorSettings], events: Sequence[Event]) -> str:
    """Return the goal in force: set last and not over, else the settings', else profit."""
    past = await ctx.history.events([GoalSet], ctx.now - _GOAL_LOOK_BACK)
    goals = [each.event for each in past] + list(events)
    for event in reversed(goals):
        if not isinstance(event, GoalSet) or event.goal not in GOALS:
            continue
        if event.until is None or event.until > ctx.now:
            return event.goal
    return ctx.settings.goal


async def _given_today(ctx: Context[CoordinatorSettings]) -> set[tuple[str, str]]:
    """Return whom what was given since midnight: the same work is not given twice a day."""
    midnight = ctx.now.replace(hour=0, minute=0, second=0, microsecond=0)
    past = await ctx.history.events([RunRequested], midnight)
    return {
        (each.event.agent, str(each.event.parameters["task"]))
        for each in past
        if isinstance(each.event, RunRequested) and "task" in each.event.parameters
    }


async def _shop(ctx: Context[CoordinatorSettings]) -> ShopState:
    counts = await ctx.store.order_counts()
    tickets = await ctx.store.tickets(status=TicketStatus.OPEN)
    today = ctx.now.date()
    sales = await ctx.store.daily_sales(today - timedelta(weeks=WEEKS), today - timedelta(days=1))
    products, levels = await ctx.store.products(), await ctx.store.stock()
    slow, tied_up, sold_out = stock_of(products, levels, sales, ctx.currency)
    return ShopState(
        open_tickets=len(tickets),
        waiting_orders=counts.get(OrderStatus.RECEIVED, 0),
        slow=slow,
        tied_up=tied_up,
        sold_out=sold_out,
    )


def _unblock(ctx: Context[CoordinatorSettings], event: BottleneckDetected) -> Proposal:
    agent_name, task = _BOTTLENECKS[event.what]
    why = f"{event.what}: {event.count} wait, {event.threshold} are usual"
    until = ctx.now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=5)
    more = {"goal": "the flow of orders", "cost": "nothing"}
    return _delegate(agent_name, task, until, why=why, more=more, parameters={})


def _delegate(
    agent_name: str,
    task: str,
    until: datetime,
    *,
    why: str,
    more: Mapping[str, str],
    parameters: Mapping[str, Any],
) -> Proposal:
    return Proposal(
        action=AssignTask(agent=agent_name, task=task, due_at=until, parameters=parameters),
        reason=f"{why[:1].upper()}{why[1:]}.",
        evidence={
            "who": agent_name,
            "what": task,
            "by_when": until.isoformat(),
            "at_most_costs": more["cost"],
            "goal": more["goal"],
            "why": why,
        },
    )
