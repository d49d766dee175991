"""Selling, from what wakes an agent to what stands in the books, under the policy and undone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from storecrew.agents.inventory import inventory
from storecrew.agents.personalization import personalization
from storecrew.domain.control.proposals import Verdict
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.customers import Customer, RecordCustomerActivity
from storecrew.domain.shop.inventory import AdjustStock, TransferStock
from storecrew.domain.shop.orders import ApproveOrder, FulfilOrder, Line, PlaceOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.promotions import CreateDiscount
from storecrew.domain.shop.purchasing import CreatePurchaseOrder, DelayPurchaseOrder, Supplier
from storecrew.policy import Policy, PolicySettings
from support.in_memory_plane import settle


async def do(in_memory_plane, action, *keys):
    outcome = await in_memory_plane.store.apply(action, key="/".join(map(str, ("do", *keys))))
    assert outcome.applied, outcome
    return outcome


async def begin(in_memory_plane, member, limits, settings=None):
    """Boot one agent under these limits, with settings of its own."""
    plane = await in_memory_plane.boot(member, wait_for_batches=False)
    policy = Policy(PolicySettings(autonomy={"*.*": "limits"}, **limits))
    pipeline = replace(plane._pipeline, policy=policy, settings={member.name: settings or {}})
    plane._pipeline = pipeline
    return plane


async def sold_from_main(in_memory_plane, days=20):
    """Let units leave the main warehouse each day, so that it is known what is needed there."""
    for day in range(days):
        line = (Line(sku="mug", quantity=2),)
        order = await do(in_memory_plane, PlaceOrder(lines=line, customer="ann"), "order", day)
        number = order.detail["order_id"]
        await do(in_memory_plane, ApproveOrder(order_id=number), "approve", day)
        await do(in_memory_plane, CapturePayment(order_id=number, reference=f"p{day}"), "pay", day)
        await do(in_memory_plane, FulfilOrder(order_id=number), "fulfil", day)
        in_memory_plane.later(days=1)


async def test_r131_a_late_supplier_moves_stock_and_the_move_is_taken_back(in_memory_plane):
    await in_memory_plane.store.put_customers([Customer(id="ann", name="Ann")])
    await in_memory_plane.store.put_suppliers([Supplier(id="s", name="S", lead_time_days=5)])
    await in_memory_plane.stock("mug", units=46)
    await do(
        in_memory_plane, UpsertProduct(sku="mug", name="mug", price=euro(10), supplier="s"), "put"
    )
    await do(
        in_memory_plane, AdjustStock(sku="mug", change=80, reason="found", warehouse="north"), "n"
    )
    await sold_from_main(in_memory_plane)
    bought = await do(in_memory_plane, CreatePurchaseOrder(sku="mug", quantity=30), "buy")
    plane = await begin(in_memory_plane, inventory, {})
    due = in_memory_plane.clock.now() + timedelta(days=21)
    await do(
        in_memory_plane,
        DelayPurchaseOrder(purchase_id=bought.detail["purchase_id"], due_at=due),
        "late",
    )
    await settle(plane)

    (story,) = await in_memory_plane.stories()
    move = story.filed.proposal.action
    assert isinstance(move, TransferStock)
    assert (move.source, move.target) == ("north", "main")
    assert story.outcome.applied
    levels = {x.warehouse: x.available for x in await in_memory_plane.store.stock(["mug"])}
    assert levels == {"main": 6 + move.quantity, "north": 80 - move.quantity}
    assert story.filed.proposal.assumptions == ("cost of moving",)

    await plane.undo(story.filed.id, by="owner")
    await settle(plane)
    levels = {x.warehouse: x.available for x in await in_memory_plane.store.stock(["mug"])}
    assert levels == {"main": 6, "north": 80}
    assert not await in_memory_plane.verify()


def euro(amount):
    return Money.of(amount, "EUR")


async def left_in_the_cart(in_memory_plane):
    await in_memory_plane.store.put_customers(
        [Customer(id="ann", name="Ann", marketing_consent=True)]
    )
    await in_memory_plane.stock("mug", units=50)
    await do(
        in_memory_plane, RecordCustomerActivity(customer="ann", kind="carted", sku="mug"), "act"
    )
    in_memory_plane.later(days=2)


async def offered(in_memory_plane, limits, own):
    """Run personalization once, and return the plane and what became of its offer to Ann."""
    plane = await begin(in_memory_plane, personalization, limits, own)
    await plane.request_run("personalization", key="once", by="person:owner", parameters={})
    await settle(plane)
    offers = [
        story
        for story in await in_memory_plane.stories()
        if isinstance(story.filed.proposal.action, CreateDiscount)
    ]
    return plane, offers[0] if offers else None


async def test_r126_personal_price_bounds_nobody_is_offered_anything_by_default(in_memory_plane):
    await left_in_the_cart(in_memory_plane)
    _, story = await offered(in_memory_plane, {}, {})
    assert story is None


@pytest.mark.parametrize(
    ("limits", "own"),
    [
        ({}, {"personal_offers": True}),
        ({"personal_offers": True, "margin_floor": Decimal("0.49")}, {"personal_offers": True}),
    ],
    ids=["the owner does not allow it", "below the floor"],
)
async def test_r126_personal_price_bounds_are_the_policys(in_memory_plane, limits, own):
    await left_in_the_cart(in_memory_plane)
    _, story = await offered(in_memory_plane, limits, own)
    assert story.decision.verdict is Verdict.DENY
    assert await in_memory_plane.store.discounts(ending_after=in_memory_plane.clock.now()) == []


async def test_r126_personal_price_bounds_an_offer_inside_them_is_made_and_taken_back(
    in_memory_plane,
):
    await left_in_the_cart(in_memory_plane)
    on = {"personal_offers": True}
    plane, story = await offered(in_memory_plane, on, on)
    assert story.decision.verdict is Verdict.ALLOW
    (code,) = await in_memory_plane.store.discounts(ending_after=in_memory_plane.clock.now())
    assert (code.customers, code.skus, code.percent) == (("ann",), ("mug",), Decimal(5))

    await plane.undo(story.filed.id, by="owner")
    await settle(plane)
    assert await in_memory_plane.store.discounts(ending_after=in_memory_plane.clock.now()) == []
    assert not await in_memory_plane.verify()
