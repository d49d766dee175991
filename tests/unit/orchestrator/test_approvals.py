"""What waits for a person: answers, changes of mind, undo."""

import pytest

from storecrew.domain.control.agents import PauseAgent, ResumeAgent
from storecrew.domain.control.approvals import ApprovalStatus, check_change
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.errors import (
    AlreadyDecided,
    InvalidInput,
    NotFound,
    NotPermitted,
    NotUndoable,
)
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice, UpsertProduct
from storecrew.domain.shop.inventory import AdjustStock, SetStock, StockCount, StockRanLow
from storecrew.domain.shop.orders import CancelOrder, Line, PlaceOrder
from storecrew.domain.shop.promotions import EndDiscount
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.domain.shop.support import ReplyToTicket
from storecrew.policy import PolicySettings
from support.in_memory_plane import low, raise_to, settle


async def ask(in_memory_plane, amount="15"):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to(amount))
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    return plane, (await in_memory_plane.journal.approvals(page=1, per_page=9)).items[0].filed.id


async def test_a_yes_is_carried_out_under_the_proposals_own_key(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)

    run = await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", note="go")
    await settle(plane)

    assert run == f"{proposal}/settle"
    assert (await in_memory_plane.store.product("mug")).price == Money.of(15, "EUR")
    story = await in_memory_plane.journal.story(proposal)
    assert (story.decision.by, story.outcome.key) == ("owner", proposal)
    assert not await in_memory_plane.verify()


async def test_a_person_may_approve_something_else(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)

    other = SetPrice(sku="mug", price=Money.of(12, "EUR"))
    await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(12, "EUR")
    assert (await in_memory_plane.journal.story(proposal)).approval.changed == other
    assert not await in_memory_plane.verify()


async def test_a_change_is_audited_as_the_persons(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)
    other = SetPrice(sku="mug", price=Money.of(12, "EUR"))
    await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)

    rows = (await in_memory_plane.journal.audit(page=1, per_page=9)).items
    [row] = [row for row in rows if row.subject == proposal]
    assert (row.actor, row.approved_by, row.result) == ("person:owner", "owner", "applied")


EUR = Money.of(12, "EUR")


@pytest.mark.parametrize(
    "changed",
    [
        SetPrice(sku="cup", price=EUR),
        UpsertProduct(sku="mug", name="mug", price=EUR),
        SetStock(levels=(StockCount(sku="mug", on_hand=9),)),
        PauseAgent(agent="pricing"),
        PlaceOrder(lines=(Line(sku="mug", quantity=1),)),
        CreatePurchaseOrder(sku="mug", quantity=5),
        EndDiscount(code="mug"),
        AdjustStock(sku="mug", change=-1, reason="gone"),
    ],
    ids=lambda action: f"{type(action).__name__} {action.subject}",
)
async def test_a_change_to_another_kind_or_object_is_refused(in_memory_plane, changed):
    plane, proposal = await ask(in_memory_plane)

    with pytest.raises(InvalidInput, match="must stay"):
        await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=changed)
    await settle(plane)

    waiting = await in_memory_plane.journal.approval(proposal)
    assert waiting.status is ApprovalStatus.WAITING
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert not await in_memory_plane.verify()


LEVELS = (StockCount(sku="mug", on_hand=9), StockCount(sku="cup", on_hand=9))


@pytest.mark.parametrize(
    ("proposed", "changed", "keeps"),
    [
        (SetStock(levels=LEVELS), SetStock(levels=LEVELS[:1]), True),
        (SetStock(levels=LEVELS[:1]), SetStock(levels=LEVELS), False),
        (
            CreatePurchaseOrder(sku="a", quantity=5),
            CreatePurchaseOrder(sku="a", quantity=2),
            True,
        ),
        (
            ReplyToTicket(ticket_id="t", text="a", expected_text="q"),
            ReplyToTicket(ticket_id="t", text="b", expected_text="q"),
            True,
        ),
        (
            ReplyToTicket(ticket_id="t", text="a", expected_text="q"),
            ReplyToTicket(ticket_id="u", text="a", expected_text="q"),
            False,
        ),
        (CancelOrder(order_id=1, reason="a"), CancelOrder(order_id=2, reason="a"), False),
        (CancelOrder(order_id=1, reason="a"), CancelOrder(order_id=1, reason="b"), True),
        (PauseAgent(agent="a"), PauseAgent(agent="b"), False),
        (PauseAgent(agent="a"), ResumeAgent(agent="a"), False),
    ],
)
def test_a_change_keeps_what_an_action_is_about(proposed, changed, keeps):
    if keeps:
        check_change(proposed, changed)
        return
    with pytest.raises(InvalidInput, match="must stay"):
        check_change(proposed, changed)


async def test_not_even_a_person_gets_a_price_below_the_floor(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)

    gift = SetPrice(sku="mug", price=Money.of(1, "EUR"))
    await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=gift)
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert (await in_memory_plane.journal.story(proposal)).decision.verdict is Verdict.DENY
    assert not await in_memory_plane.verify()


async def test_a_no_is_audited_and_changes_nothing(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)

    await plane.decide(proposal, ApprovalStatus.REJECTED, by="owner", note="too dear")
    await settle(plane)

    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    entry = (await in_memory_plane.journal.audit(page=1, per_page=9)).items[0]
    assert (entry.result, entry.approved_by) == ("rejected", "owner")
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("second", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
async def test_a_second_answer_is_refused(in_memory_plane, second):
    plane, proposal = await ask(in_memory_plane)
    await plane.decide(proposal, ApprovalStatus.REJECTED, by="owner")

    with pytest.raises(AlreadyDecided, match="is rejected, not waiting"):
        await plane.decide(proposal, second, by="owner")


async def test_a_late_answer_is_refused(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)
    in_memory_plane.later(hours=73)

    with pytest.raises(AlreadyDecided, match="is expired"):
        await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner")


async def test_an_unanswered_question_expires(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)
    in_memory_plane.later(hours=73)

    await settle(plane)

    assert (await in_memory_plane.journal.approval(proposal)).status is ApprovalStatus.EXPIRED
    assert not await in_memory_plane.verify()


@pytest.mark.parametrize("name", ["scarcity", "agent:scarcity"])
async def test_an_agent_does_not_decide_its_own_proposal(in_memory_plane, name):
    plane, proposal = await ask(in_memory_plane)

    with pytest.raises(NotPermitted, match="decide its own proposal"):
        await plane.decide(proposal, ApprovalStatus.APPROVED, by=name)


async def test_an_unknown_question_cannot_be_answered(in_memory_plane):
    plane = await in_memory_plane.boot(raise_to("15"))
    with pytest.raises(NotFound):
        await plane.decide("nothing/0", ApprovalStatus.APPROVED, by="owner")


async def test_asking_again_about_the_same_thing_replaces_the_question(in_memory_plane):
    plane, first = await ask(in_memory_plane)

    scarcer = StockRanLow(
        sku="mug", warehouse="main", position=0, reorder_point=5, daily_demand=1.0
    )
    await plane.publish([in_memory_plane.news(scarcer)])
    await settle(plane)

    [waiting] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id != first
    assert (await in_memory_plane.journal.approval(first)).status is ApprovalStatus.SUPERSEDED
    with pytest.raises(AlreadyDecided, match="is superseded"):
        await plane.decide(first, ApprovalStatus.APPROVED, by="owner")
    assert not await in_memory_plane.verify()


async def test_the_same_question_is_not_asked_twice(in_memory_plane):
    plane, first = await ask(in_memory_plane)

    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)

    [waiting] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id == first
    [again] = [story for story in await in_memory_plane.stories() if story.filed.id != first]
    assert (again.decision.verdict, again.decision.rule) == (Verdict.DENY, "already asked")
    assert first in again.decision.reason
    await plane.decide(first, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    assert (await in_memory_plane.store.product("mug")).price == Money.of(15, "EUR")
    assert not await in_memory_plane.verify()


async def test_who_said_no_is_not_asked_the_same_again_for_a_fortnight(in_memory_plane):
    plane, first = await ask(in_memory_plane)
    await plane.decide(first, ApprovalStatus.REJECTED, by="owner")

    in_memory_plane.later(days=13)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    [again] = [story for story in await in_memory_plane.stories() if story.filed.id != first]
    assert (again.decision.verdict, again.decision.rule) == (Verdict.DENY, "answered no")
    assert first in again.decision.reason

    in_memory_plane.later(days=2)
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    [waiting] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.proposal.action == again.filed.proposal.action
    assert not await in_memory_plane.verify()


async def test_what_a_person_does_by_hand_closes_the_question_about_it(in_memory_plane):
    from storecrew.agents.order_management import order_management
    from storecrew.domain.shop.orders import ApproveOrder

    await in_memory_plane.stock()
    in_memory_plane.policy = PolicySettings()
    plane = await in_memory_plane.boot(order_management, wait_for_batches=False)
    order = await in_memory_plane.order()
    await settle(plane)
    [asked] = (await in_memory_plane.journal.approvals(page=1, per_page=9)).items

    await in_memory_plane.store.apply(
        ApproveOrder(order_id=order), key="by hand", actor="person:clerk"
    )
    await settle(plane)

    closed = await in_memory_plane.journal.approval(asked.filed.id)
    assert closed.status is ApprovalStatus.SUPERSEDED
    assert closed.note == "overtaken by OrderApproved"
    assert not await in_memory_plane.verify()


async def test_the_trace_of_a_product_lists_what_was_proposed_about_it(in_memory_plane):
    _, proposal = await ask(in_memory_plane)
    trace = await in_memory_plane.journal.trace("product:mug")
    assert {event.event.subject for event in trace.events} == {"product:mug"}
    assert [story.filed.id for story in trace.stories] == [proposal]
    assert trace.proposals == 1


async def test_a_price_set_by_hand_closes_the_question_about_the_price(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)
    by_hand = SetPrice(sku="mug", price=Money.of(11, "EUR"))
    await in_memory_plane.store.apply(by_hand, key="by hand", actor="person:clerk")
    await settle(plane)

    closed = await in_memory_plane.journal.approval(proposal)
    assert (closed.status, closed.note) == (
        ApprovalStatus.SUPERSEDED,
        "overtaken by PriceChanged",
    )
    with pytest.raises(AlreadyDecided):
        await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner")
    assert (await in_memory_plane.store.product("mug")).price == Money.of(11, "EUR")
    assert not await in_memory_plane.verify()


async def test_undo_takes_the_effect_back_once(in_memory_plane):
    await in_memory_plane.stock()
    plane = await in_memory_plane.boot(raise_to("10.50"))
    await plane.publish([in_memory_plane.news(low())])
    await settle(plane)
    [story] = await in_memory_plane.stories()

    first = await plane.undo(story.filed.id, by="owner")
    second = await plane.undo(story.filed.id, by="owner")
    await settle(plane)

    assert first == second
    assert (await in_memory_plane.store.product("mug")).price == Money.of(10, "EUR")
    assert len(await in_memory_plane.stories()) == 2
    assert not await in_memory_plane.verify()


async def test_what_was_not_done_cannot_be_undone(in_memory_plane):
    plane, proposal = await ask(in_memory_plane)
    with pytest.raises(NotUndoable, match="nothing was done"):
        await plane.undo(proposal, by="owner")


async def test_what_is_final_says_why_it_cannot_be_undone(in_memory_plane):
    from storecrew.agents.order_management import order_management
    from storecrew.domain.shop.orders import ApproveOrder
    from storecrew.domain.shop.payments import CapturePayment

    await in_memory_plane.stock()
    order = await in_memory_plane.order()
    await in_memory_plane.store.apply(ApproveOrder(order_id=order), key="a", actor="person:me")
    plane = await in_memory_plane.boot(order_management, wait_for_batches=False)
    paid = CapturePayment(order_id=order, reference="r")
    await in_memory_plane.store.apply(paid, key="p", actor="person:me")
    await settle(plane)
    [story] = await in_memory_plane.stories()

    with pytest.raises(NotUndoable, match="the goods have left"):
        await plane.undo(story.filed.id, by="owner")
