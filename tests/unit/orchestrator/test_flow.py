"""From an event to an audited effect, and what stands between."""

from datetime import timedelta
from decimal import Decimal

import pytest
from house import low, raise_to, settle

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


async def test_an_event_becomes_an_audited_effect(house):
    await house.stock()
    plane = await house.boot(raise_to("10.50"))

    [receipt] = await plane.publish([house.news(low())])
    await settle(plane)

    assert receipt.wakes == ("scarcity",)
    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")
    entries = (await house.journal.audit(page=1, per_page=9)).items
    [entry] = [entry for entry in entries if entry.kind == "proposal"]
    assert (entry.actor, entry.result) == ("agent:scarcity", "applied")
    assert entry.before == {"price": {"amount": "10.00", "currency": "EUR"}}
    assert entry.after == {"price": {"amount": "10.50", "currency": "EUR"}}
    assert not await house.verify()


async def test_the_same_event_twice_is_one_run(house):
    await house.stock()
    plane = await house.boot(raise_to("10.50"))

    [first] = await plane.publish([house.news(low(), id="e1")])
    [second] = await plane.publish([house.news(low(), id="e1")])
    await settle(plane)

    assert second.duplicate
    assert (first.event_id, second.wakes) == (second.event_id, ())
    assert len(await house.runs()) == 1


async def test_what_exceeds_a_limit_waits_for_a_person_and_changes_nothing(house):
    await house.stock()
    plane = await house.boot(raise_to("15"))

    await plane.publish([house.news(low())])
    await settle(plane)

    [approval] = (await house.journal.approvals(page=1, per_page=9)).items
    assert approval.question.rule == "price_change"
    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    assert [run.status for run in await house.runs()] == [RunStatus.DONE]
    assert not await house.verify()


async def test_an_order_that_costs_nothing_is_not_sent_before_its_payment_is_recorded(house):
    from storecrew.domain.shop.orders import ApproveOrder, FulfilOrder
    from storecrew.domain.shop.payments import CapturePayment

    await house.stock(price=0)
    order = await house.order()
    await house.store.apply(ApproveOrder(order_id=order), key="a")
    unpaid = await house.store.apply(FulfilOrder(order_id=order), key="f1")
    await house.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    sent = await house.store.apply(FulfilOrder(order_id=order), key="f2")

    assert (unpaid.code, sent.applied) == ("unpaid", True)
    assert not await house.verify()


async def test_a_stale_price_is_refused_and_audited(house):
    await house.stock()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def late(event, ctx):
        """Propose on an old price."""
        old = Money.of("9.99", "EUR")
        yield Proposal(
            action=SetPrice(sku="mug", price=Money.of("10.10", "EUR"), expected_price=old),
            reason="old",
        )

    plane = await house.boot(late)
    await plane.publish([house.news(low())])
    await settle(plane)

    [story] = await house.stories()
    assert (story.outcome.result, story.outcome.code) == (Result.REFUSED, "stale")
    assert (await house.journal.audit(page=1, per_page=1)).items[0].result == "refused"
    assert not await house.verify()


async def test_an_agent_that_proposes_what_it_did_not_declare_fails_and_changes_nothing(house):
    await house.stock()

    @agent(on=StockRanLow)
    async def rogue(event, ctx):
        """Give it away."""
        yield Proposal(action=SetPrice(sku="mug", price=Money.of(1, "EUR")), reason="gift")

    plane = await house.boot(rogue, attempts=1)
    await plane.publish([house.news(low())])
    await settle(plane)

    [run] = await house.runs()
    assert run.status is RunStatus.FAILED
    assert run.error == "agent 'rogue' may not propose SetPrice"
    assert not await house.stories()


async def test_an_agent_cannot_act_through_its_view_of_the_store(house):
    await house.stock()

    @agent(on=StockRanLow, allowed_actions=[SetPrice])
    async def sneak(event, ctx):
        """Act instead of proposing."""
        await ctx.store.apply(SetPrice(sku="mug", price=Money.of(1, "EUR")), key="sneak")
        yield Proposal(action=SetPrice(sku="mug", price=Money.of(1, "EUR")), reason="")

    plane = await house.boot(sneak, attempts=1)
    await plane.publish([house.news(low())])
    await settle(plane)

    assert "may not call 'apply' on the store" in (await house.runs())[0].error
    assert (await house.store.product("mug")).price == Money.of(10, "EUR")


async def test_what_an_agent_finds_wakes_the_next(house):
    await house.stock()

    @agent(schedule=every(days=1))
    async def finder(event, ctx):
        """Find what runs low."""
        yield low()

    plane = await house.boot(finder, raise_to("10.50"))
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")
    source = (await house.journal.events(page=1, per_page=9)).items
    assert "agent:finder" in {event.source for event in source}


async def test_purchases_of_one_run_stop_together_at_the_budget(house):
    for sku in ("a", "b", "c"):
        await house.stock(sku, cost=40)
    house.policy = PolicySettings(autonomy={"*.*": "limits"}, purchase_budget_per_day=Decimal(1000))

    @agent(on=ObservationRejected, allowed_actions=[CreatePurchaseOrder])
    async def buyer(event, ctx):
        """Buy too much."""
        for sku in ("a", "b", "c"):
            yield Proposal(action=CreatePurchaseOrder(sku=sku, quantity=10), reason="more")

    plane = await house.boot(buyer)
    await plane.publish([house.news(ObservationRejected(sku="a", what="", value="", reason=""))])
    await settle(plane)
    await plane.publish([house.news(ObservationRejected(sku="b", what="", value="", reason=""))])
    await settle(plane)

    verdicts = [story.decision.verdict for story in await house.stories()]
    assert verdicts.count(Verdict.ALLOW) == 2
    assert len(await house.store.purchase_orders()) == 2


async def test_a_plan_changes_nothing(house):
    await house.stock()

    @agent(schedule=every(days=1))
    async def finder(event, ctx):
        """Find what runs low."""
        yield low()

    await house.boot(finder, raise_to("15"))
    found = await plan(house.pipeline(), ["finder", "scarcity"])

    assert [(f.agent, d.verdict) for f, d in found] == [("scarcity", Verdict.ASK)]
    assert not await house.runs()
    assert not await house.stories()
    assert (await house.store.product("mug")).price == Money.of(10, "EUR")


async def test_pause_stops_runs_and_effects_and_outlives_a_restart(house):
    await house.stock()
    plane = await house.boot(raise_to("10.50"))
    await plane.set_paused(True, by="owner")
    await plane.publish([house.news(low())])
    await settle(plane)
    plane = await house.boot()
    await settle(plane)
    assert not await house.runs()

    await plane.set_paused(False, by="owner")
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")
    kinds = [entry.kind for entry in (await house.journal.audit(page=1, per_page=9)).items]
    assert kinds.count("control") == 2


async def crash_at_the_stores_next_write(house, plane):
    """Die when everything is decided and nothing is done."""

    def die(name):
        if name == "write":
            house.store.database.fault_hook = lambda _name: None
            raise Crash(name)

    house.store.database.fault_hook = die
    await settle(plane)


async def test_a_pause_between_proposing_and_acting_holds_the_effect_back(house):
    await house.stock()
    plane = await house.boot(raise_to("10.50"))

    await plane.publish([house.news(low())])
    with pytest.raises(Crash):
        await crash_at_the_stores_next_write(house, plane)
    plane = await house.boot()
    await plane.set_paused(True, by="owner")
    house.later(seconds=30)
    await settle(plane)
    assert (await house.store.product("mug")).price == Money.of(10, "EUR")

    await plane.set_paused(False, by="owner")
    house.later(seconds=30)
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of("10.50", "EUR")
    assert not await house.verify()


async def test_an_allowance_that_the_cost_overtook_is_not_used_after_a_crash(house):
    from storecrew.domain.shop.catalog import SetCost

    await house.stock()
    plane = await house.boot(raise_to("10.50"))
    await plane.publish([house.news(low())])
    with pytest.raises(Crash):
        await crash_at_the_stores_next_write(house, plane)
    await house.store.apply(SetCost(sku="mug", cost=Money.of("10.40", "EUR")), key="cost")

    plane = await house.boot()
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    [story] = await house.stories()
    assert (story.outcome.result, story.outcome.code) == (Result.REFUSED, "stale")
    assert not await house.verify()


async def test_an_order_goes_all_the_way(house):
    from storecrew.app.crew import CREW
    from storecrew.domain.shop.payments import CapturePayment

    await house.stock()
    plane = await house.boot(*CREW, wait_for_batches=False)
    order = await house.order(2)
    await settle(plane)
    assert (await house.store.order(order)).status is OrderStatus.AWAITING_PAYMENT

    await house.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    await settle(plane)
    await plane.publish([house.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert (await house.store.order(order)).status is OrderStatus.DELIVERED
    assert [s.on_hand for s in await house.store.stock(["mug"])] == [8]
    assert not await house.verify()


async def test_a_run_by_hand_gets_its_parameters(house):
    seen = []

    @agent(allowed_actions=[AdjustStock])
    async def curious(event, ctx):
        """Look at what it was given."""
        seen.append((event.by, dict(event.parameters)))
        for nothing in ():
            yield nothing

    plane = await house.boot(curious)
    run = await plane.request_run("curious", key="k", by="owner", parameters={"depth": 2})
    await settle(plane)

    assert seen == [("owner", {"depth": 2})]
    assert (await house.journal.run(run)).status is RunStatus.DONE
    with pytest.raises(NotFound):
        await plane.request_run("nobody", key="k2", by="owner", parameters={})


async def test_a_hung_agent_is_stopped_at_its_deadline(house):
    import asyncio

    @agent(on=StockRanLow, deadline=timedelta(milliseconds=20))
    async def hung(event, ctx):
        """Never come back."""
        await asyncio.Event().wait()
        yield low()

    plane = await house.boot(hung, attempts=1)
    await plane.publish([house.news(low())])
    await settle(plane)

    [run] = await house.runs()
    assert run.status is RunStatus.FAILED
    assert "still proposing" in run.error
