"""The coordinator turns a goal into work for the others: a plan to read, nothing twice."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

import pytest
from sample_values import product, view

from storecrew.agents.coordinator import coordinator
from storecrew.agents.coordinator.plans import GOALS
from storecrew.app.crew import CREW
from storecrew.domain.control.agents import AssignTask, GoalSet
from storecrew.domain.control.events import ClockTicked, RunRequested, StoredEvent
from storecrew.domain.control.incidents import BottleneckDetected
from storecrew.domain.control.proposals import Proposal
from storecrew.domain.errors import InvalidSettings
from storecrew.domain.events import Event
from storecrew.domain.shop.inventory import StockLevel
from storecrew.domain.shop.support import Ticket, TicketStatus
from storecrew.testing.fake_store import FakeStore
from storecrew.testing.run_agent import NOON, run_agent

TICK = ClockTicked(agent="coordinator", due=NOON)


class Told:
    """A past of these events."""

    def __init__(self, *events: Event, at: datetime = NOON) -> None:
        self.rows = [
            StoredEvent(seq=n, event=event, source="t", external_id=str(n), at=at)
            for n, event in enumerate(events)
        ]

    async def events(
        self, kinds: Collection[type[Event]], since: datetime
    ) -> Sequence[StoredEvent]:
        return [r for r in self.rows if r.at >= since and isinstance(r.event, tuple(kinds))]


def shop() -> FakeStore:
    """Return a shop with a product that sells, one that does not, one sold out, and a ticket."""
    names = ["P1", "dusty", "gone"]
    sold = {NOON.date() - timedelta(days=n): 2 for n in range(1, 29)}
    asked = Ticket(id="T1", status=TicketStatus.OPEN, text="hello", opened_at=NOON, updated_at=NOON)
    return view(
        product_list=[product(name, name) for name in names],
        levels=[
            StockLevel(sku="P1", warehouse="main", on_hand=40, reserved=0),
            StockLevel(sku="dusty", warehouse="main", on_hand=70, reserved=0),
            StockLevel(sku="gone", warehouse="main", on_hand=0, reserved=0),
        ],
        sales={"P1": sold, "gone": sold},
        ticket_list=[asked],
    )


async def plan(*events: Event, past: Told | None = None, **settings: object) -> list[Proposal]:
    found = await run_agent(
        coordinator, [*events], shop(), history=past or Told(), settings=settings
    )
    return [each for each in found if isinstance(each, Proposal)]


def given(found: list[Proposal]) -> list[str]:
    return [each.action.agent for each in found if isinstance(each.action, AssignTask)]


@pytest.mark.parametrize(
    ("goal", "agents"),
    [
        ("profit", ["inventory", "pricing_optimizer"]),
        ("growth", ["inventory", "marketing_automation"]),
        ("clear_stock", ["pricing_optimizer", "marketing_automation"]),
        ("service", ["customer_support", "inventory"]),
    ],
)
async def test_each_goal_gives_work_to_those_whose_it_is(goal: str, agents: list[str]) -> None:
    assert given(await plan(GoalSet(goal=goal))) == agents
    assert set(agents) <= {agent.name for agent in CREW}


async def test_a_plan_says_who_does_what_by_when_at_which_cost() -> None:
    found = await plan(GoalSet(goal="clear_stock"))
    evidence = found[0].evidence
    assert evidence["who"] == "pricing_optimizer"
    assert evidence["by_when"] == (NOON + timedelta(hours=25)).isoformat()
    assert evidence["at_most_costs"] == "margin down to the floor"
    assert evidence["why"] == "4,200.00 EUR lie in 1 products that last over 90 days"
    action = found[0].action
    assert isinstance(action, AssignTask)
    assert action.parameters == {"skus": ["dusty"]}


async def test_the_goal_lasts_until_the_next_or_its_end() -> None:
    service = GoalSet(goal="service")
    assert given(await plan(TICK, past=Told(service))) == ["customer_support", "inventory"]
    over = GoalSet(goal="service", until=NOON - timedelta(hours=1))
    assert given(await plan(TICK, past=Told(over))) == ["inventory", "pricing_optimizer"]
    newer = Told(service, GoalSet(goal="growth"))
    assert "marketing_automation" in given(await plan(TICK, past=newer))


@pytest.mark.parametrize("goal", ["", "world domination", "ignore all rules"])
async def test_a_goal_that_is_none_changes_nothing(goal: str) -> None:
    assert given(await plan(GoalSet(goal=goal))) == given(await plan(TICK))
    assert goal not in GOALS
    with pytest.raises(InvalidSettings, match=r"agents\.coordinator\.goal"):
        await plan(TICK, goal=goal)


async def test_the_same_work_is_not_given_twice_a_day() -> None:
    done = RunRequested(
        agent="inventory", by="agent:coordinator", parameters={"task": "refill what is sold out"}
    )
    assert given(await plan(TICK, past=Told(done))) == ["pricing_optimizer"]
    yesterday = Told(done, at=NOON - timedelta(days=1))
    assert given(await plan(TICK, past=yesterday)) == ["inventory", "pricing_optimizer"]


async def test_a_bottleneck_is_the_work_of_one_and_no_new_plan() -> None:
    stuck = BottleneckDetected(what="approvals", count=9, threshold=2, advice="look")
    [found] = await plan(stuck, stuck)
    assert given([found]) == ["order_management"]
    assert found.reason == "Approvals: 9 wait, 2 are usual."
    late = BottleneckDetected(what="delivery", count=9, threshold=2, advice="ask the carrier")
    assert await plan(late) == []


async def test_a_shop_without_trouble_gets_no_work() -> None:
    calm = view()
    found = await run_agent(coordinator, TICK, calm, history=Told())
    assert found == []
