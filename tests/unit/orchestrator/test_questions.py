"""What waits for a person: answers, changes of mind, undo."""

import pytest
from house import low, raise_to, settle

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.errors import AlreadyDecided, NotFound, NotPermitted, NotUndoable
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.policy import PolicySettings


async def ask(house, amount="15"):
    await house.stock()
    plane = await house.boot(raise_to(amount))
    await plane.publish([house.news(low())])
    await settle(plane)
    return plane, (await house.journal.approvals(page=1, per_page=9)).items[0].filed.id


async def test_a_yes_is_carried_out_under_the_proposals_own_key(house):
    plane, proposal = await ask(house)

    run = await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", note="go")
    await settle(plane)

    assert run == f"{proposal}/settle"
    assert (await house.store.product("mug")).price == Money.of(15, "EUR")
    story = await house.journal.story(proposal)
    assert (story.decision.by, story.outcome.key) == ("owner", proposal)
    assert not await house.verify()


async def test_a_person_may_approve_something_else(house):
    plane, proposal = await ask(house)

    other = SetPrice(sku="mug", price=Money.of(12, "EUR"))
    await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=other)
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(12, "EUR")
    assert (await house.journal.story(proposal)).approval.changed == other
    assert not await house.verify()


async def test_not_even_a_person_gets_a_price_below_the_floor(house):
    plane, proposal = await ask(house)

    gift = SetPrice(sku="mug", price=Money.of(1, "EUR"))
    await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner", changed=gift)
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    assert (await house.journal.story(proposal)).decision.verdict is Verdict.DENY
    assert not await house.verify()


async def test_a_no_is_audited_and_changes_nothing(house):
    plane, proposal = await ask(house)

    await plane.decide(proposal, ApprovalStatus.REJECTED, by="owner", note="too dear")
    await settle(plane)

    assert (await house.store.product("mug")).price == Money.of(10, "EUR")
    entry = (await house.journal.audit(page=1, per_page=9)).items[0]
    assert (entry.result, entry.approved_by) == ("rejected", "owner")
    assert not await house.verify()


@pytest.mark.parametrize("second", [ApprovalStatus.APPROVED, ApprovalStatus.REJECTED])
async def test_a_second_answer_is_refused(house, second):
    plane, proposal = await ask(house)
    await plane.decide(proposal, ApprovalStatus.REJECTED, by="owner")

    with pytest.raises(AlreadyDecided, match="is rejected, not waiting"):
        await plane.decide(proposal, second, by="owner")


async def test_a_late_answer_is_refused(house):
    plane, proposal = await ask(house)
    house.later(hours=73)

    with pytest.raises(AlreadyDecided, match="is expired"):
        await plane.decide(proposal, ApprovalStatus.APPROVED, by="owner")


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
        await plane.decide(proposal, ApprovalStatus.APPROVED, by=name)


async def test_an_unknown_question_cannot_be_answered(house):
    plane = await house.boot(raise_to("15"))
    with pytest.raises(NotFound):
        await plane.decide("nothing/0", ApprovalStatus.APPROVED, by="owner")


async def test_asking_again_about_the_same_thing_replaces_the_question(house):
    plane, first = await ask(house)

    scarcer = StockRanLow(
        sku="mug", warehouse="main", position=0, reorder_point=5, daily_demand=1.0
    )
    await plane.publish([house.news(scarcer)])
    await settle(plane)

    [waiting] = (await house.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id != first
    assert (await house.journal.approval(first)).status is ApprovalStatus.SUPERSEDED
    with pytest.raises(AlreadyDecided, match="is superseded"):
        await plane.decide(first, ApprovalStatus.APPROVED, by="owner")
    assert not await house.verify()


async def test_the_same_question_is_not_asked_twice(house):
    plane, first = await ask(house)

    await plane.publish([house.news(low())])
    await settle(plane)

    [waiting] = (await house.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.id == first
    [again] = [story for story in await house.stories() if story.filed.id != first]
    assert (again.decision.verdict, again.decision.rule) == (Verdict.DENY, "already asked")
    assert first in again.decision.reason
    await plane.decide(first, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    assert (await house.store.product("mug")).price == Money.of(15, "EUR")
    assert not await house.verify()


async def test_who_said_no_is_not_asked_the_same_again_for_a_fortnight(house):
    plane, first = await ask(house)
    await plane.decide(first, ApprovalStatus.REJECTED, by="owner")

    house.later(days=13)
    await plane.publish([house.news(low())])
    await settle(plane)
    [again] = [story for story in await house.stories() if story.filed.id != first]
    assert (again.decision.verdict, again.decision.rule) == (Verdict.DENY, "answered no")
    assert first in again.decision.reason

    house.later(days=2)
    await plane.publish([house.news(low())])
    await settle(plane)
    [waiting] = (await house.journal.approvals(page=1, per_page=9)).items
    assert waiting.filed.proposal.action == again.filed.proposal.action
    assert not await house.verify()


async def test_what_a_person_does_by_hand_closes_the_question_about_it(house):
    from storecrew.agents.order_management import order_management
    from storecrew.domain.shop.orders import ApproveOrder

    await house.stock()
    house.policy = PolicySettings()
    plane = await house.boot(order_management, wait_for_batches=False)
    order = await house.order()
    await settle(plane)
    [asked] = (await house.journal.approvals(page=1, per_page=9)).items

    await house.store.apply(ApproveOrder(order_id=order), key="desk", actor="person:clerk")
    await settle(plane)

    closed = await house.journal.approval(asked.filed.id)
    assert closed.status is ApprovalStatus.SUPERSEDED
    assert closed.note == "overtaken by OrderApproved"
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
    from storecrew.agents.order_management import order_management
    from storecrew.domain.shop.orders import ApproveOrder
    from storecrew.domain.shop.payments import CapturePayment

    await house.stock()
    order = await house.order()
    await house.store.apply(ApproveOrder(order_id=order), key="a", actor="person:me")
    plane = await house.boot(order_management, wait_for_batches=False)
    paid = CapturePayment(order_id=order, reference="r")
    await house.store.apply(paid, key="p", actor="person:me")
    await settle(plane)
    [story] = await house.stories()

    with pytest.raises(NotUndoable, match="the goods have left"):
        await plane.undo(story.filed.id, by="owner")
