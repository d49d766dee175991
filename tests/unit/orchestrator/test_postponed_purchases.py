"""Purchases are asked about within the day's budget; the rest is listed and can wait."""

from dataclasses import replace
from decimal import Decimal

import pytest

from storecrew.domain.control.approvals import ApprovalStatus
from storecrew.domain.control.proposals import Effect, Proposal
from storecrew.domain.money import Money
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.orchestrator.dry_run import plan
from storecrew.policy import PolicySettings
from storecrew.policy.settings import AutonomyWord
from storecrew.sdk import agent, every
from support.in_memory_plane import low, settle

SKUS = ("a", "b", "c", "d", "e")


@agent(
    on=StockRanLow,
    schedule=every(days=1),
    allowed_actions=[CreatePurchaseOrder],
    batch=9,
    name="buyer",
)
async def buyer(events, ctx):
    """Propose to buy ten units of each of five products, at 40.00 each."""
    for sku in SKUS:
        worth = Money.of(90, "EUR")
        effect = Effect(low=worth, expected=worth, high=worth)
        action = CreatePurchaseOrder(sku=sku, quantity=10)
        yield Proposal(action=action, reason=f"{sku} runs low", effect=effect)


async def plane_of(shop, autonomy: AutonomyWord, budget: int):
    for sku in SKUS:
        await shop.stock(sku, cost=40)
    shop.policy = PolicySettings(
        autonomy={"*.*": autonomy}, purchase_budget_per_day=Decimal(budget)
    )
    return await shop.boot(buyer, wait_for_batches=False)


async def propose(shop, plane):
    await plane.publish([shop.news(low("a"))])
    await settle(plane)


async def waiting(shop) -> list[str]:
    found = (await shop.journal.approvals(page=1, per_page=99)).items
    return sorted(each.filed.proposal.action.sku for each in found)


async def postponed(shop, day: str | None = None) -> list[str]:
    found = await shop.journal.postponed_purchases(day or shop.clock.now().date().isoformat())
    assert all((p.quantity, p.cost, p.effect.expected.minor) == (10, 40_000, 9_000) for p in found)
    return [each.sku for each in found]


@pytest.mark.parametrize(
    ("autonomy", "budget", "bought", "asked", "listed"),
    [
        ("ask", 1000, [], ["a", "b"], ["c", "d", "e"]),
        ("ask", 2000, [], ["a", "b", "c", "d", "e"], []),
        ("ask", 100, [], ["a"], ["b", "c", "d", "e"]),  # one that is dearer than a day is asked
        ("limits", 1000, ["a", "b"], ["c"], ["d", "e"]),
        ("limits", 100, [], ["a"], ["b", "c", "d", "e"]),
        ("watch", 1000, [], [], []),
    ],
)
async def test_a_day_asks_for_as_much_as_its_budget(
    in_memory_plane, autonomy, budget, bought, asked, listed
):
    plane = await plane_of(in_memory_plane, autonomy, budget)
    await propose(in_memory_plane, plane)
    assert [p.sku for p in await in_memory_plane.store.purchase_orders()] == bought
    assert await waiting(in_memory_plane) == asked
    assert await postponed(in_memory_plane) == listed
    assert not await in_memory_plane.verify()


async def test_later_runs_of_a_day_ask_no_more_and_list_each_product_once(in_memory_plane):
    plane = await plane_of(in_memory_plane, "ask", 1000)
    for _ in range(3):
        await propose(in_memory_plane, plane)
        in_memory_plane.later(hours=1)
    assert await waiting(in_memory_plane) == ["a", "b"]
    assert await postponed(in_memory_plane) == ["c", "d", "e"]


async def test_what_a_person_approves_is_bought_however_much_was_asked(in_memory_plane):
    plane = await plane_of(in_memory_plane, "ask", 1000)
    await propose(in_memory_plane, plane)
    for each in (await in_memory_plane.journal.approvals(page=1, per_page=9)).items:
        await plane.decide(each.filed.id, ApprovalStatus.APPROVED, by="owner")
    await settle(plane)
    assert {p.sku for p in await in_memory_plane.store.purchase_orders()} == {"a", "b"}
    assert not await in_memory_plane.verify()


async def test_the_next_day_asks_anew(in_memory_plane):
    plane = await plane_of(in_memory_plane, "ask", 1000)
    await propose(in_memory_plane, plane)
    for each in (await in_memory_plane.journal.approvals(page=1, per_page=9)).items:
        await plane.decide(each.filed.id, ApprovalStatus.REJECTED, by="owner")
    yesterday = in_memory_plane.clock.now().date().isoformat()
    in_memory_plane.later(days=1)
    await propose(in_memory_plane, plane)
    assert await waiting(in_memory_plane) == ["c", "d"]  # what was rejected is not asked again
    assert await postponed(in_memory_plane, yesterday) == ["c", "d", "e"]
    assert await postponed(in_memory_plane) == ["e"]


async def test_a_plan_shows_what_would_be_asked_and_what_listed(in_memory_plane):
    await plane_of(in_memory_plane, "ask", 1000)
    found = await plan(in_memory_plane.pipeline(), ["buyer"])
    rules = [decision.rule for _, decision in found]
    assert rules == ["autonomy", "autonomy", *["purchase_postponed"] * 3]
    assert "800.00 EUR asked about today; the budget is 1,000.00 EUR" in found[2][1].reason


async def test_a_higher_budget_asks_about_what_was_listed(in_memory_plane):
    plane = await plane_of(in_memory_plane, "ask", 1000)
    await propose(in_memory_plane, plane)
    in_memory_plane.policy = replace(in_memory_plane.policy, purchase_budget_per_day=Decimal(2000))
    plane = await in_memory_plane.boot(buyer, wait_for_batches=False)
    in_memory_plane.later(days=1)
    await propose(in_memory_plane, plane)
    assert await waiting(in_memory_plane) == list(SKUS)
