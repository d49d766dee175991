"""From an event to an audited effect, and what stands between."""

from datetime import timedelta
from decimal import Decimal

import pytest
from house import settle

from storecrew.domain.actions import AdjustStock, Reorder, SetPrice
from storecrew.domain.errors import AlreadyDecided, NotFound, NotPermitted, NotUndoable
from storecrew.domain.events import DeliveryConfirmed, ObservationRejected, StockRanLow
from storecrew.domain.money import Money
from storecrew.domain.orders import Status
from storecrew.domain.proposals import Result, Verdict
from storecrew.domain.runs import ApprovalStatus, RunStatus
from storecrew.orchestrator.planning import plan
from storecrew.policy import PolicySettings
from storecrew.sdk import Proposal, agent, every
from storecrew.testing.simulation.faults import Crash


def low(sku="mug"):
    return StockRanLow(sku=sku, warehouse="main", position=1, reorder_point=5, daily_demand=1.0)


def raise_to(amount, **options):
    @agent(on=StockRanLow, may=[SetPrice], name="scarcity", **options)
    async def scarcity(event, ctx):
        """Raise the price of what runs low."""
        product = await ctx.store.product(event.sku)
        price = SetPrice(sku=event.sku, price=Money.of(amount, "EUR"), expect=product.price)
        yield Proposal(action=price, reason="it runs low", evidence={"position": event.position})

    return scarcity


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


async def ask(house, amount="15"):
    await house.stock()
    plane = await house.boot(raise_to(amount))
    await plane.publish([house.news(low())])
    await settle(plane)
    return plane, (await house.journal.approvals(page=1, per_page=9)).items[0].filed.id


async def test_a_yes_is_carried_out_under_the_proposals_own_key(house):
    plane, proposal = await ask(house)

    run = await plane.answer(proposal, ApprovalStatus.APPROVED, by="owner", note="go")
    await settle(plane)

    assert run == f"{proposal}/settle"
    assert (await house.store.product("mug")).price == Money.of(15, "EUR")
    story = await house.journal.story(proposal)
    assert (story.decision.by, story.outcome.key) == ("owner", proposal)
    assert not await house.verify()


async def test_a_person_may_approve_something_else(house):
    plane, proposal = await ask(house)

    other = SetPrice(sku="mug", price=Money.of(12, "EUR"))
    await plane.answer(proposal, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(12, "EUR")
    assert (await house.journal.story(proposal)).approval.changed == other
    assert not await house.verify()


async def test_not_even_a_person_gets_a_price_below_the_floor(house):
    plane, proposal = await ask(house)

    gift = SetPrice(sku="mug", price=Money.of(1, "EUR"))
    await plane.answer(proposal, ApprovalStatus.APPROVED, by="owner", changed=gift)
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    assert (await house.journal.story(proposal)).decision.verdict is Verdict.DENY
    assert not await house.verify()


async def test_a_no_is_audited_and_changes_nothing(house):
    plane, proposal = await ask(house)

    await plane.answer(proposal, ApprovalStatus.REJECTED, by="owner", note="too dear")
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    entry = (await house.journal.audit(page=1, per_page=9)).items[0]
    assert (entry.result, entry.approved_by) == ("rejected", "owner")
    assert not await house.verify()


@pytest.mark.parametrize("second", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
async def test_a_second_answer_is_refused(house, second):
    plane, proposal = await ask(house)
    await plane.answer(proposal, ApprovalStatus.REJECTED, by="owner")

    with pytest.raises(AlreadyDecided, match="is rejected, not waiting"):
        await plane.answer(proposal, second, by="owner")


async def test_a_late_answer_is_refused(house):
    plane, proposal = await ask(house)
    house.later(hours=73)

    with pytest.raises(AlreadyDecided, match="is expired"):
        await plane.answer(proposal, ApprovalStatus.APPROVED, by="owner")


async def test_an_unanswered_question_expires(house):
    plane, proposal = await ask(house)
    house.later(hours=73)

    await settle(plane)

    assert (await house.journal.approval(proposal)).status is ApprovalStatus.EXPIRED
    assert not await house.verify()


@pytest.mark.parametrize("name", ["scarcity", "agent:scarcity"])
async def test_an_agent_does_not_decide_its_own_proposal(house, name):
    plane, proposal = await ask(house)

    with pytest.raises(NotPermitted, match="decide its own proposal"):
        await plane.answer(proposal, ApprovalStatus.APPROVED, by=name)


async def test_an_unknown_question_cannot_be_answered(house):
    plane = await house.boot(raise_to("15"))
    with pytest.raises(NotFound):
        await plane.answer("nothing/0", ApprovalStatus.APPROVED, by="owner")


async def test_asking_again_about_the_same_thing_replaces_the_question(house):
    plane, first = await ask(house)

    await plane.publish([house.news(low())])
    await settle(plane)

    [waiting] = (await house.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id != first
    assert (await house.journal.approval(first)).status is ApprovalStatus.SUPERSEDED
    with pytest.raises(AlreadyDecided, match="is superseded"):
        await plane.answer(first, ApprovalStatus.APPROVED, by="owner")
    assert not await house.verify()


async def test_what_a_person_does_by_hand_closes_the_question_about_it(house):
    from storecrew.agents.approval import approval
    from storecrew.domain.actions import ApproveOrder

    await house.stock()
    house.policy = PolicySettings()
    plane = await house.boot(approval)
    order = await house.order()
    await settle(plane)
    [asked] = (await house.journal.approvals(page=1, per_page=9)).items

    await house.store.apply(ApproveOrder(order_id=order), key="desk", actor="person:clerk")
    await settle(plane)

    closed = await house.journal.approval(asked.filed.id)
    assert closed.status is ApprovalStatus.SUPERSEDED
    assert closed.note == "overtaken by OrderApproved"
    assert not await house.verify()


async def test_an_order_that_costs_nothing_is_not_sent_before_its_payment_is_recorded(house):
    from storecrew.domain.actions import ApproveOrder, CapturePayment, FulfilOrder

    await house.stock(price=0)
    order = await house.order()
    await house.store.apply(ApproveOrder(order_id=order), key="a")
    unpaid = await house.store.apply(FulfilOrder(order_id=order), key="f1")
    await house.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    sent = await house.store.apply(FulfilOrder(order_id=order), key="f2")

    assert (unpaid.code, sent.applied) == ("unpaid", True)
    assert not await house.verify()


async def test_undo_takes_the_effect_back_once(house):
    await house.stock()
    plane = await house.boot(raise_to("10.50"))
    await plane.publish([house.news(low())])
    await settle(plane)
    [story] = await house.stories()

    first = await plane.undo(story.filed.id, by="owner")
    second = await plane.undo(story.filed.id, by="owner")
    await settle(plane)

    assert first == second
    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    assert len(await house.stories()) == 2
    assert not await house.verify()


async def test_what_was_not_done_cannot_be_undone(house):
    plane, proposal = await ask(house)
    with pytest.raises(NotUndoable, match="nothing was done"):
        await plane.undo(proposal, by="owner")


async def test_what_is_final_says_why_it_cannot_be_undone(house):
    from storecrew.agents.fulfilment import fulfilment
    from storecrew.domain.actions import ApproveOrder, CapturePayment

    await house.stock()
    order = await house.order()
    await house.store.apply(ApproveOrder(order_id=order), key="a", actor="person:me")
    plane = await house.boot(fulfilment)
    paid = CapturePayment(order_id=order, reference="r")
    await house.store.apply(paid, key="p", actor="person:me")
    await settle(plane)
    [story] = await house.stories()

    with pytest.raises(NotUndoable, match="the goods have left"):
        await plane.undo(story.filed.id, by="owner")


async def test_a_stale_price_is_refused_and_audited(house):
    await house.stock()

    @agent(on=StockRanLow, may=[SetPrice])
    async def late(event, ctx):
        """Propose on an old price."""
        old = Money.of("9.99", "EUR")
        yield Proposal(
            action=SetPrice(sku="mug", price=Money.of("10.10", "EUR"), expect=old), reason="old"
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

    @agent(on=StockRanLow, may=[SetPrice])
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
    house.policy = PolicySettings(autonomy={"*.*": "limits"}, reorder_budget_per_day=Decimal(1000))

    @agent(on=ObservationRejected, may=[Reorder])
    async def buyer(event, ctx):
        """Buy too much."""
        for sku in ("a", "b", "c"):
            yield Proposal(action=Reorder(sku=sku, quantity=10), reason="more")

    plane = await house.boot(buyer)
    await plane.publish([house.news(ObservationRejected(sku="a", what="", value="", reason=""))])
    await settle(plane)
    await plane.publish([house.news(ObservationRejected(sku="b", what="", value="", reason=""))])
    await settle(plane)

    verdicts = [story.decision.verdict for story in await house.stories()]
    assert verdicts.count(Verdict.ALLOW) == 2
    assert len(await house.store.purchases()) == 2


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
            house.store.database.fault = lambda _name: None
            raise Crash(name)

    house.store.database.fault = die
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
    from storecrew.domain.actions import SetCost

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
    from storecrew.domain.actions import CapturePayment

    await house.stock()
    plane = await house.boot(*CREW, patient=False)
    order = await house.order(2)
    await settle(plane)
    assert (await house.store.order(order)).status is Status.AWAITING_PAYMENT

    await house.store.apply(CapturePayment(order_id=order, reference="r"), key="p")
    await settle(plane)
    await plane.publish([house.news(DeliveryConfirmed(order_id=order))])
    await settle(plane)

    assert (await house.store.order(order)).status is Status.DELIVERED
    assert [s.on_hand for s in await house.store.stock(["mug"])] == [8]
    assert not await house.verify()


async def test_a_run_by_hand_gets_its_parameters(house):
    seen = []

    @agent(may=[AdjustStock])
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
