"""What the crew as a whole keeps: orders once, faults mended on the record, questions that wait."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from storecrew.agents.order_management import order_management
from storecrew.agents.resolver import anomaly_resolver
from storecrew.app.crew import CREW
from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.incidents import AnomalyDetected, OpenIncident
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import ObservationRejected
from storecrew.domain.shop.orders import (
    DeliveryConfirmed,
    FulfilOrder,
    OrderPlaced,
    OrderQuery,
    OrderStatus,
)
from storecrew.domain.shop.payments import (
    AuthorizePayment,
    CapturePayment,
    PaymentAuthorized,
    PaymentFailed,
    PaymentReceived,
    SetPaymentMethod,
)
from storecrew.orchestrator.inline import InlineEngine
from storecrew.orchestrator.loop_settings import LoopSettings
from storecrew.orchestrator.orchestrator import Orchestrator
from storecrew.orchestrator.registry import Registry
from storecrew.policy import PolicySettings
from storecrew.testing.simulation.faults import Faults
from storecrew.testing.simulation.shop import FaultyStore
from support.in_memory_plane import LIMITS, settle

SEVERAL = 12


class Forgetful(Registry):
    """Loses a third of what agents should hear of orders."""

    def __init__(self, agents, random):
        super().__init__(agents)
        self.random = random

    def subscribers_of(self, event: Event) -> tuple[str, ...]:
        lossy = isinstance(event, OrderPlaced | PaymentAuthorized | PaymentReceived)
        return () if lossy and self.random.random() < 0.33 else super().subscribers_of(event)


async def planes(in_memory_plane, faults, random):
    """Return a plane over a shop that refuses, times out and repeats, and may forget events."""
    pipeline = in_memory_plane.pipeline()
    registry = Forgetful(in_memory_plane.agents, random) if random else pipeline.registry
    shop = FaultyStore(in_memory_plane.store, faults)
    watch = {
        "order_management": {"recheck_hours": 1}
    }  # what failed for good is found an hour later
    pipeline = replace(pipeline, registry=registry, store=shop, settings=watch)
    plane = Orchestrator(pipeline, InlineEngine(), LoopSettings(wait_for_batches=False))
    await plane.start(alone=True)
    return plane


@pytest.mark.parametrize("forgets", [False, True])
@pytest.mark.parametrize("seed", range(4))
async def test_r118_each_order_is_captured_once_and_sent_once_with_faults(
    in_memory_plane, seed, forgets
):
    random = Random(seed)
    await in_memory_plane.stock(units=100)
    in_memory_plane.agents = (order_management,)
    faults = Faults(Random(seed), crash_rate=0, trouble_rate=0.1)
    plane = await planes(in_memory_plane, faults, Random(seed + 7) if forgets else None)
    orders = [await in_memory_plane.order(key=f"order/{n}") for n in range(SEVERAL)]
    for number in random.sample(orders, len(orders)):  # before, or after, its approval
        await plane.sweep()
        total = Money.of(10, "EUR")
        aside = AuthorizePayment(order_id=number, reference=f"pi_{number}", amount=total)
        await in_memory_plane.store.apply(aside, key=f"aside/{number}", actor="shop")
        await in_memory_plane.store.apply(aside, key=f"aside/{number}", actor="shop")
    for _ in range(12):  # the watch looks each hour
        in_memory_plane.later(hours=1)
        for _ in range(30):
            await plane.sweep()

    done = Counter()
    for story in await in_memory_plane.stories():
        if story.outcome is not None and story.outcome.applied:
            done[type(story.filed.proposal.action), story.filed.proposal.action.order_id] += 1
    assert {key: n for key, n in done.items() if n != 1} == {}
    assert all(done[CapturePayment, n] == done[FulfilOrder, n] == 1 for n in orders)
    found = (await in_memory_plane.store.orders(OrderQuery())).items
    assert {(o.status, o.payments) for o in found} == {(OrderStatus.AWAITING_DELIVERY, 1)}
    assert {o.paid for o in found} == {Money.of(10, "EUR")}
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("amount", ["0.01", "9.99", "10.01", "1000"])
async def test_r118_an_amount_that_is_not_the_total_is_never_captured(in_memory_plane, amount):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(order_management, wait_for_batches=False)
    number = await in_memory_plane.order()
    await settle(plane)
    aside = AuthorizePayment(order_id=number, reference="pi", amount=Money.of(amount, "EUR"))
    await in_memory_plane.store.apply(aside, key="aside", actor="shop")
    await settle(plane)
    action = CapturePayment(order_id=number, reference="pi", amount=aside.amount)
    outcome = await in_memory_plane.store.apply(action, key="capture", actor="agent:x")

    assert not outcome.applied
    assert "is not the total 10.00 EUR" in outcome.message
    order = await in_memory_plane.store.order(number)
    assert (order.status, order.payments) == (OrderStatus.AWAITING_PAYMENT, 0)
    recorded = (await in_memory_plane.journal.events(page=1, per_page=99)).items
    assert sum(isinstance(each.event, ObservationRejected) for each in recorded) == 1


async def test_r118_duplicate_and_early_news_change_nothing(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(order_management, wait_for_batches=False)
    number = await in_memory_plane.order()
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=number), id="early")])
    await settle(plane)
    aside = AuthorizePayment(order_id=number, reference="pi", amount=Money.of(10, "EUR"))
    await in_memory_plane.store.apply(aside, key="aside", actor="shop")
    for _ in range(3):
        await plane.publish(
            [in_memory_plane.news(DeliveryConfirmed(order_id=number), id="arrived")]
        )
        await settle(plane)

    order = await in_memory_plane.store.order(number)
    assert (order.status, order.payments) == (OrderStatus.AWAITING_DELIVERY, 1)
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=number), id="again")])
    await settle(plane)
    assert (await in_memory_plane.store.order(number)).status is OrderStatus.DELIVERED
    assert not await in_memory_plane.verify()


async def test_r138_approvals_wait_and_expire_unchanged_store(in_memory_plane):
    await in_memory_plane.stock(price=600)
    in_memory_plane.policy = replace(LIMITS, order_value_limit=500)
    plane = await in_memory_plane.boot(order_management, wait_for_batches=False)
    number = await in_memory_plane.order()
    await settle(plane)

    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert asked.question.rule == "order_value"
    assert (await in_memory_plane.store.order(number)).status is OrderStatus.RECEIVED
    for _ in range(3):
        in_memory_plane.later(hours=1)
        await settle(plane)
    [still] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert still.filed.id == asked.filed.id  # the watch does not ask again
    in_memory_plane.later(hours=70)
    await settle(plane)
    assert (await in_memory_plane.journal.approval(asked.filed.id)).status is ApprovalStatus.EXPIRED
    assert (await in_memory_plane.store.order(number)).status is OrderStatus.RECEIVED
    assert not await in_memory_plane.verify()


async def failing_card(in_memory_plane, plane, times=6):
    """Let cards fail while paypal works."""
    for method in ("card", "paypal"):
        offered = SetPaymentMethod(method=method, enabled=True)
        await in_memory_plane.store.apply(offered, key=f"on/{method}", actor="person:owner")
    news = [
        in_memory_plane.news(PaymentFailed(order_id=n, method="card", reason="no answer"))
        for n in range(times)
    ]
    await plane.publish(news)
    await settle(plane)


async def test_r141_fix_is_judged_and_audited(in_memory_plane):
    plane = await in_memory_plane.boot(anomaly_resolver, wait_for_batches=False)
    await failing_card(in_memory_plane, plane)

    assert await in_memory_plane.store.payment_methods() == {"card": False, "paypal": True}
    stories = {type(s.filed.proposal.action): s for s in await in_memory_plane.stories()}
    fix, call = stories[SetPaymentMethod], stories[OpenIncident]
    assert (fix.decision.verdict, fix.decision.rule) == (Verdict.ALLOW, "payment_methods")
    assert fix.outcome.before == {"enabled": True}
    audited = {
        entry.subject: entry
        for entry in (await in_memory_plane.journal.audit(page=1, per_page=99)).items
    }
    for story in (fix, call):
        assert audited[story.filed.id].actor == "agent:anomaly_resolver"
        assert audited[story.filed.id].result == "applied"
    [incident] = await in_memory_plane.incidents.incidents(status="open")
    assert incident.plan == ({"type": "SetPaymentMethod", "method": "card", "enabled": False},)
    assert not await in_memory_plane.verify()


async def test_r141_what_was_switched_off_is_tried_again_and_can_be_undone(in_memory_plane):
    plane = await in_memory_plane.boot(anomaly_resolver, wait_for_batches=False)
    await failing_card(in_memory_plane, plane)
    [fix] = [
        s
        for s in await in_memory_plane.stories()
        if isinstance(s.filed.proposal.action, SetPaymentMethod)
    ]
    for _ in range(4):
        in_memory_plane.later(minutes=20)
        await settle(plane)

    assert (await in_memory_plane.store.payment_methods())["card"] is True
    await failing_card(in_memory_plane, plane)
    assert (await in_memory_plane.store.payment_methods())["card"] is False
    await plane.undo(fix.filed.id, by="owner")
    await settle(plane)
    assert (await in_memory_plane.store.payment_methods())["card"] is True
    assert not await in_memory_plane.verify()


async def test_r141_a_fix_that_asks_waits_for_the_owner(in_memory_plane):
    in_memory_plane.policy = PolicySettings()
    plane = await in_memory_plane.boot(anomaly_resolver, wait_for_batches=False)
    await failing_card(in_memory_plane, plane)

    assert (await in_memory_plane.store.payment_methods())["card"] is True
    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert isinstance(asked.filed.proposal.action, SetPaymentMethod)
    assert [one.id for one in await in_memory_plane.incidents.incidents(status="open")] == [
        "payments/card"
    ]
    await plane.decide(asked.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    assert (await in_memory_plane.store.payment_methods())["card"] is False
    assert not await in_memory_plane.verify()


async def test_r142_unknown_anomaly_escalates_to_a_person(in_memory_plane):
    in_memory_plane.policy = PolicySettings()
    plane = await in_memory_plane.boot(anomaly_resolver, wait_for_batches=False)
    odd = AnomalyDetected(metric="checkout latency", observed=900, expected=120)
    await plane.publish([in_memory_plane.news(odd), in_memory_plane.news(odd)])
    await settle(plane)
    await plane.publish([in_memory_plane.news(odd)])
    await settle(plane)

    [incident] = await in_memory_plane.incidents.unnotified()
    assert (incident.cause, incident.plan) == ("unknown", ())
    assert (await in_memory_plane.journal.approvals(page=1, per_page=9)).total == 0
    assert not await in_memory_plane.verify()


async def test_a_run_that_failed_for_good_is_heard_of_once(in_memory_plane):
    from storecrew.domain.control.runs import RunFailed
    from storecrew.domain.shop.inventory import StockRanLow
    from storecrew.sdk import agent

    received = []

    @agent(on=StockRanLow, name="broken")
    async def broken(event, ctx):
        """Fail."""
        raise ValueError("no")
        yield

    @agent(on=RunFailed, name="listener")
    async def listener(event, ctx):
        """Hear, and fail as well."""
        received.append(event)
        raise ValueError("neither")
        yield

    plane = await in_memory_plane.boot(broken, listener, attempts=1, wait_for_batches=False)
    low = StockRanLow(sku="mug", warehouse="main", position=1, reorder_point=5, daily_demand=1.0)
    await plane.publish([in_memory_plane.news(low)])
    for _ in range(10):
        await settle(plane)
        in_memory_plane.later(minutes=1)

    assert {(event.agent, event.reason) for event in received} == {("broken", "ValueError('no')")}
    told = [e.event for e in (await in_memory_plane.journal.events(page=1, per_page=99)).items]
    assert sum(isinstance(event, RunFailed) for event in told) == 1


def test_r043_six_domain_agents_have_schedules():
    wanted = {
        "product_research",
        "inventory_forecasting",
        "pricing_optimizer",
        "marketing_automation",
        "customer_support",
        "order_management",
    }
    scheduled = {agent.name for agent in CREW if agent.schedule is not None}
    assert wanted <= scheduled
    assert len({agent.name for agent in CREW}) == len(CREW)
