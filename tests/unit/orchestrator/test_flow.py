"""From an event to an audited effect, and what stands between."""

from datetime import timedelta
from decimal import Decimal

import pytest

from storecrew.domain.control.proposals import Result, Verdict
from storecrew.domain.control.runs import RunStatus
from storecrew.domain.errors import NotFound
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import ObservationRejected, SetPrice
from storecrew.domain.shop.inventory import AdjustStock, StockRanLow
from storecrew.domain.shop.orders import DeliveryConfirmed, OrderStatus
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.orchestrator.dry_run import plan
from storecrew.policy import PolicySettings
from storecrew.sdk import Proposal, agent, every
from storecrew.testing.simulation.faults import Crash
from support.in_memory_plane import low, raise_to, settle


async def test_an_event_becomes_an_audited_effect(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))

    [receipt] = await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    assert receipt.wakes == ("scarcity",)
    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    entries = (await in_memory_plane.journal.audit(page=1, per_page=9)).items
    [entry] = [entry for entry in entries if entry.kind == "proposal"]
    assert (entry.actor, entry.result) == ("agent:scarcity", "applied")
    assert entry.before == {"price": {"amount": "10.00", "currency": "EUR"}}
    assert entry.after == {"price": {"amount": "10.50", "currency": "EUR"}}
    assert not await in_memory_plane.verify()


async def test_the_same_event_twice_is_one_run(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))

    [first] = await plane.publish([in_memory_plane.news(low(), id="e1")])
    [second] = await plane.publish([in_memory_plane.news(low(), id="e1")])
    await settle(plane)

    assert second.duplicate
    assert (first.event_id, second.wakes) == (second.event_id, ())
    assert len(await in_memory_plane.runs()) == 1


async def test_what_exceeds_a_limit_waits_for_a_person_and_changes_nothing(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("15"))

    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [approval] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert approval.question.rule == "price_change"
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert [run.status for run in await in_memory_plane.runs()] == [RunStatus.DONE]
    assert not await in_memory_plane.verify()


async def test_an_order_is_not_sent_before_its_payment_is_recorded(
    in_memory_plane,
):
    from storecrew.domain.shop.orders import ApproveOrder, FulfilOrder
    from storecrew.domain.shop.payments import CapturePayment

    await in_memory_plane.stock()
    order = await in_memory_plane.order()
    await in_memory_plane.store.apply(ApproveOrder(order_id=order), key="a")
    unpaid = await in_memory_plane.store.apply(FulfilOrder(order_id=order), key="f1")
    await in_memory_plane.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    sent = await in_memory_plane.store.apply(FulfilOrder(order_id=order), key="f2")

    assert (unpaid.code, sent.applied) == ("unpaid", True)
    assert not await in_memory_plane.verify()


async def test_a_stale_price_is_refused_and_audited(in_memory_plane):
    await in_memory_plane.stock()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def late(event, ctx):
        """Propose on an old price."""
        old = Money.of("9.99", "EUR")
        yield Proposal(
            action=SetPrice(sku="mug", price=Money.of("10.10", "EUR"), expected_price=old),
            reason="old",
        )

    plane = await in_memory_plane.boot(late)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [story] = await in_memory_plane.stories()
    assert (story.outcome.result, story.outcome.code) == (Result.REFUSED, "stale")
    assert (await in_memory_plane.journal.audit(page=1, per_page=1)).items[0].result == "refused"
    assert not await in_memory_plane.verify()


async def test_an_agent_that_proposes_what_it_did_not_declare_fails_and_changes_nothing(
    in_memory_plane,
):
    await in_memory_plane.stock()

    @agent(on=StockRanLow)
    async def rogue(event, ctx):
        """Give it away."""
        yield Proposal(action=SetPrice(sku="mug", price=Money.of(1, "EUR")), reason="gift")

    plane = await in_memory_plane.boot(rogue, attempts=1)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [run] = await in_memory_plane.runs()
    assert run.status is RunStatus.FAILED
    assert run.error == "agent 'rogue' may not propose SetPrice"
    assert not await in_memory_plane.stories()


async def test_an_agent_cannot_act_through_its_view_of_the_store(in_memory_plane):
    await in_memory_plane.stock()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def sneak(event, ctx):
        """Act instead of proposing."""
        await ctx.store.apply(SetPrice(sku="mug", price=Money.of(1, "EUR")), key="sneak")
        yield Proposal(action=SetPrice(sku="mug", price=Money.of(1, "EUR")), reason="")

    plane = await in_memory_plane.boot(sneak, attempts=1)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    assert "may not call 'apply' on the store" in (await in_memory_plane.runs())[0].error
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")


async def test_what_an_agent_finds_wakes_the_next(in_memory_plane):
    await in_memory_plane.stock()

    @agent(schedule=every(days=1), publishes=[StockRanLow])
    async def finder(event, ctx):
        """Find what runs low."""
        yield low()

    plane = await in_memory_plane.boot(finder, raise_to("10.50"))
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    source = (await in_memory_plane.journal.events(page=1, per_page=9)).items
    assert "agent:finder" in {event.source for event in source}
    rows = (await in_memory_plane.journal.audit(page=1, per_page=9)).items
    [changed] = [row for row in rows if row.kind == "proposal"]
    assert changed.reason.endswith("[reported by agent:finder]")
    [recorded] = [row for row in rows if row.actor == "agent:finder"]
    assert recorded.reason == "StockRanLow"


async def test_an_agent_cannot_write_itself_who_reported(in_memory_plane):
    await in_memory_plane.stock()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def forger(event, ctx):
        """Say that a webhook wanted it."""
        action = SetPrice(sku=event.sku, price=Money.of("10.50", "EUR"))
        yield Proposal(action=action, reason="r", evidence={"reported_by": "webhook:shop"})

    plane = await in_memory_plane.boot(forger)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [filed] = (await in_memory_plane.journal.proposals(page=1, per_page=9)).items
    assert filed.filed.proposal.evidence == {}


async def test_purchases_of_one_run_stop_together_at_the_budget(in_memory_plane):
    for sku in ("a", "b", "c"):
        await in_memory_plane.stock(sku, cost=40)
    in_memory_plane.policy = PolicySettings(
        autonomy={"*.*": "limits"}, purchase_budget_per_day=Decimal(1000)
    )

    @agent(on=ObservationRejected, allowed_actions=[CreatePurchaseOrder])
    async def buyer(event, ctx):
        """Buy too much."""
        for sku in ("a", "b", "c"):
            yield Proposal(action=CreatePurchaseOrder(sku=sku, quantity=10), reason="more")

    plane = await in_memory_plane.boot(buyer)
    await plane.publish(
        [in_memory_plane.news(ObservationRejected(sku="a", what="", value="", reason=""))]
    )
    await settle(plane)
    await plane.publish(
        [in_memory_plane.news(ObservationRejected(sku="b", what="", value="", reason=""))]
    )
    await settle(plane)

    verdicts = [story.decision.verdict for story in await in_memory_plane.stories()]
    assert verdicts.count(Verdict.ALLOW) == 2
    assert len(await in_memory_plane.store.purchase_orders()) == 2


async def test_a_plan_changes_nothing(in_memory_plane):
    await in_memory_plane.stock()

    @agent(schedule=every(days=1))
    async def finder(event, ctx):
        """Find what runs low."""
        yield low()

    await in_memory_plane.boot(finder, raise_to("15"))
    found = await plan(in_memory_plane.pipeline(), ["finder", "scarcity"])

    assert [(f.agent, d.verdict) for f, d in found] == [("scarcity", Verdict.ASK)]
    assert not await in_memory_plane.runs()
    assert not await in_memory_plane.stories()
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")


async def test_pause_stops_runs_and_effects_and_outlives_a_restart(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))
    await plane.set_paused(True, by="owner")
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    plane = await in_memory_plane.boot()
    await settle(plane)
    assert not await in_memory_plane.runs()

    await plane.set_paused(False, by="owner")
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    kinds = [
        entry.kind for entry in (await in_memory_plane.journal.audit(page=1, per_page=9)).items
    ]
    assert kinds.count("control") == 2


async def crash_at_the_stores_next_write(in_memory_plane, plane):
    """Die when everything is decided and nothing is done."""

    def die(name):
        if name == "write":
            in_memory_plane.store.database.fault_hook = lambda _name: None
            raise Crash(name)

    in_memory_plane.store.database.fault_hook = die
    await settle(plane)


async def test_a_pause_between_proposing_and_acting_holds_the_effect_back(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))

    await plane.publish([in_memory_plane.news(low())])
    with pytest.raises(Crash):
        await crash_at_the_stores_next_write(in_memory_plane, plane)
    plane = await in_memory_plane.boot()
    await plane.set_paused(True, by="owner")
    in_memory_plane.later(seconds=30)
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")

    await plane.set_paused(False, by="owner")
    in_memory_plane.later(seconds=30)
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of("10.50", "EUR")
    assert not await in_memory_plane.verify()


async def test_an_allowance_that_the_cost_overtook_is_not_used_after_a_crash(in_memory_plane):
    from storecrew.domain.shop.catalog import SetCost

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))
    await plane.publish([in_memory_plane.news(low())])
    with pytest.raises(Crash):
        await crash_at_the_stores_next_write(in_memory_plane, plane)
    await in_memory_plane.store.apply(SetCost(sku="mug", cost=Money.of("10.40", "EUR")), key="cost")

    plane = await in_memory_plane.boot()
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    [story] = await in_memory_plane.stories()
    assert (story.outcome.result, story.outcome.code) == (Result.REFUSED, "stale")
    assert not await in_memory_plane.verify()


async def test_an_order_goes_all_the_way(in_memory_plane):
    from storecrew.app.crew import CREW
    from storecrew.domain.shop.payments import CapturePayment

    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(*CREW, wait_for_batches=False)
    order = await in_memory_plane.order(2)
    await settle(plane)
    assert (await in_memory_plane.store.order(order)).status is OrderStatus.AWAITING_PAYMENT

    await in_memory_plane.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    await settle(plane)
    await plane.publish([in_memory_plane.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert (await in_memory_plane.store.order(order)).status is OrderStatus.DELIVERED
    assert [s.on_hand for s in await in_memory_plane.store.stock(["mug"])] == [8]
    assert not await in_memory_plane.verify()


async def test_a_run_by_hand_gets_its_parameters(in_memory_plane):
    seen = []

    @agent(allowed_actions=[AdjustStock])
    async def curious(event, ctx):
        """Look at what it was given."""
        seen.append((event.by, dict(event.parameters)))
        for nothing in ():
            yield nothing

    plane = await in_memory_plane.boot(curious)
    run = await plane.request_run("curious", key="k", by="owner", parameters={"depth": 2})
    await settle(plane)

    assert seen == [("owner", {"depth": 2})]
    assert (await in_memory_plane.journal.run(run)).status is RunStatus.DONE
    with pytest.raises(NotFound):
        await plane.request_run("nobody", key="k2", by="owner", parameters={})


async def test_a_hung_agent_is_stopped_at_its_deadline(in_memory_plane):
    import asyncio

    @agent(on=StockRanLow, deadline=timedelta(milliseconds=20))
    async def hung(event, ctx):
        """Never come back."""
        await asyncio.Event().wait()
        yield low()

    plane = await in_memory_plane.boot(hung, attempts=1)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [run] = await in_memory_plane.runs()
    assert run.status is RunStatus.FAILED
    assert "still proposing" in run.error
