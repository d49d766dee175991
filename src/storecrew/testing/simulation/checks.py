"""What must hold at the end of every history, whatever went wrong in it."""

from collections.abc import AsyncIterator
from datetime import timedelta

from storecrew.domain.control.runs import RunStatus
from storecrew.domain.control.traces import ProposalHistory
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, floor_price
from storecrew.domain.shop.orders import Order, OrderQuery, OrderStatus, PlaceOrder
from storecrew.testing.simulation.actors import COST, SimulatedPeople
from storecrew.testing.simulation.host import POLICY, SimulatedHost


async def broken(machine: SimulatedHost, people: SimulatedPeople) -> list[str]:
    """Return every promise that the history broke, in words."""
    found = [f"{d.check} {d.subject}: {d.problem}" for d in await machine.verify()]
    found += [line async for line in _unfinished(machine)]
    found += [line async for line in _orders(machine, people)]
    found += [line async for line in _stuck(machine, people)]
    found += [line async for line in _prices(machine)]
    found += [line async for line in _mails(machine, people)]
    return found


async def _unfinished(machine: SimulatedHost) -> AsyncIterator[str]:
    for status in (
        RunStatus.RUNNING,
        RunStatus.RETRYING,
        RunStatus.FAILED,
        RunStatus.RETRYING_INDIVIDUALLY,
    ):
        for run in (await machine.journal.runs(page=1, per_page=5, status=status)).items:
            yield f"run {run.id} is {status}: {run.error}"
    if (await machine.journal.snapshot("store", machine.clock.now())).waiting:
        yield "events wait although the plane is quiet"


async def _orders(machine: SimulatedHost, people: SimulatedPeople) -> AsyncIterator[str]:
    """Each answered request made one order; nothing else did."""
    orders = await _all_orders(machine)
    asked = people.promises.orders
    for key, order_id in asked.items():
        if order_id not in orders:
            yield f"order {order_id} was promised to {key} and is gone"
    mailed = {
        story.outcome.detail["order_id"]
        for story in await _stories(machine)
        if isinstance(story.filed.proposal.action, PlaceOrder)
        and story.outcome
        and story.outcome.applied
    }
    if strange := orders.keys() - set(asked.values()) - mailed:
        yield f"orders {sorted(strange)} were asked for by nobody"
    if len(set(asked.values())) != len(asked):
        yield "two requests were answered with one order"


async def _stuck(machine: SimulatedHost, people: SimulatedPeople) -> AsyncIterator[str]:
    """No order is stuck: each moved on, waits for a decision, or was rejected."""
    judged = {story.filed.proposal.action.subject for story in await _stories(machine)}
    for order in (await _all_orders(machine)).values():
        if order.status is OrderStatus.APPROVED:
            yield f"order {order.id} was left between two states"
        if order.status is OrderStatus.AWAITING_PAYMENT and order.is_paid:
            yield f"order {order.id} is paid and nobody sends it"
        if order.status is OrderStatus.RECEIVED and f"order:{order.id}" not in judged:
            yield f"order {order.id} was received and nobody cares"
        if order.id in people.promises.delivered and order.status is OrderStatus.AWAITING_DELIVERY:
            yield f"order {order.id} was delivered and is not closed"


async def _all_orders(machine: SimulatedHost) -> dict[int, Order]:
    orders: dict[int, Order] = {}
    page = 1
    while items := (await machine.store.orders(OrderQuery(page=page, per_page=200))).items:
        orders |= {order.id: order for order in items}
        page += 1
    return orders


async def _prices(machine: SimulatedHost) -> AsyncIterator[str]:
    """No price the crew set was below its floor or moved too far in a day."""
    for story in await _stories(machine):
        action, done = story.filed.proposal.action, story.outcome
        if not isinstance(action, SetPrice) or not done or not done.applied:
            continue
        lowest = floor_price(Money.of(COST[action.sku] - 1, "EUR"), POLICY.margin_floor)
        if action.price < lowest:
            yield f"{story.filed.id} set {action.price}, below any floor ({lowest})"
    changes = await machine.store.price_changes(machine.clock.now() - timedelta(days=3650))
    for change in changes:
        if change.price.amount <= 0:
            yield f"{change.sku} was priced at {change.price}"


async def _mails(machine: SimulatedHost, people: SimulatedPeople) -> AsyncIterator[str]:
    """Every acknowledged mail was read exactly once."""
    placed: dict[str, int] = {}
    runs = set()
    for story in await _stories(machine):
        if isinstance(story.filed.proposal.action, PlaceOrder):
            runs.add(story.filed.run)
    for run_id in sorted(runs):
        for recorded in (await machine.journal.run(run_id)).events:
            placed[recorded.external_id] = placed.get(recorded.external_id, 0) + 1
    for external_id in sorted(people.promises.mails):
        if placed.get(external_id, 0) != 1:
            yield f"{external_id} was read {placed.get(external_id, 0)} times"


async def _stories(machine: SimulatedHost) -> list[ProposalHistory]:
    stories: list[ProposalHistory] = []
    page = 1
    while items := (await machine.journal.proposals(page=page, per_page=500)).items:
        stories += items
        page += 1
    return stories
