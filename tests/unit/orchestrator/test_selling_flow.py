"""Selling, from what wakes an agent to what stands in the books, under the policy and undone."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from house import settle

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


async def do(house, action, *keys):
    outcome = await house.store.apply(action, key="/".join(map(str, ("do", *keys))))
    assert outcome.applied, outcome
    return outcome


async def begin(house, member, limits, settings=None):
    """Boot one agent under these limits, with settings of its own."""
    plane = await house.boot(member, wait_for_batches=False)
    policy = Policy(PolicySettings(autonomy={"*.*": "limits"}, **limits))
    pipeline = replace(plane._pipeline, policy=policy, settings={member.name: settings or {}})
    plane._pipeline = pipeline
    return plane


async def sold_from_main(house, days=20):
    """Let units leave the main warehouse each day, so that it is known what is needed there."""
    for day in range(days):
        line = (Line(sku="mug", quantity=2),)
        order = await do(house, PlaceOrder(lines=line, customer="ann"), "order", day)
        number = order.detail["order_id"]
        await do(house, ApproveOrder(order_id=number), "approve", day)
        await do(house, CapturePayment(order_id=number, reference=f"p{day}"), "pay", day)
        await do(house, FulfilOrder(order_id=number), "fulfil", day)
        house.later(days=1)


async def test_r131_a_late_supplier_moves_stock_and_the_move_is_taken_back(house):
    await house.store.put_customers([Customer(id="ann", name="Ann")])
    await house.store.put_suppliers([Supplier(id="s", name="S", lead_time_days=5)])
    await house.stock("mug", units=46)
    await do(house, UpsertProduct(sku="mug", name="mug", price=euro(10), supplier="s"), "put")
    await do(house, AdjustStock(sku="mug", change=80, reason="found", warehouse="north"), "n")
    await sold_from_main(house)
    bought = await do(house, CreatePurchaseOrder(sku="mug", quantity=30), "buy")
    plane = await begin(house, inventory, {})
    due = house.clock.now() + timedelta(days=21)
    await do(
        house, DelayPurchaseOrder(purchase_id=bought.detail["purchase_id"], due_at=due), "late"
    )
    await settle(plane)

    (story,) = await house.stories()
    move = story.filed.proposal.action
    assert isinstance(move, TransferStock)
    assert (move.source, move.target) == ("north", "main")
    assert story.outcome.applied
    levels = {x.warehouse: x.available for x in await house.store.stock(["mug"])}
    assert levels == {"main": 6 + move.quantity, "north": 80 - move.quantity}
    assert story.filed.proposal.assumptions == ("cost of moving",)

    await plane.undo(story.filed.id, by="owner")
    await settle(plane)
    levels = {x.warehouse: x.available for x in await house.store.stock(["mug"])}
    assert levels == {"main": 6, "north": 80}
    assert not await house.verify()


def euro(amount):
    return Money.of(amount, "EUR")


async def left_in_the_cart(house):
    await house.store.put_customers([Customer(id="ann", name="Ann", marketing_consent=True)])
    await house.stock("mug", units=50)
    await do(house, RecordCustomerActivity(customer="ann", kind="carted", sku="mug"), "act")
    house.later(days=2)


async def offered(house, limits, own):
    """Run personalization once, and return the plane and what became of its offer to Ann."""
    plane = await begin(house, personalization, limits, own)
    await plane.request_run("personalization", key="once", by="person:owner", parameters={})
    await settle(plane)
    offers = [
        story
        for story in await house.stories()
        if isinstance(story.filed.proposal.action, CreateDiscount)
    ]
    return plane, offers[0] if offers else None


async def test_r126_personal_price_bounds_nobody_is_offered_anything_by_default(house):
    await left_in_the_cart(house)
    _, story = await offered(house, {}, {})
    assert story is None


@pytest.mark.parametrize(
    ("limits", "own"),
    [
        ({}, {"personal_offers": True}),
        ({"personal_offers": True, "margin_floor": Decimal("0.49")}, {"personal_offers": True}),
    ],
    ids=["the owner does not allow it", "below the floor"],
)
async def test_r126_personal_price_bounds_are_the_policys(house, limits, own):
    await left_in_the_cart(house)
    _, story = await offered(house, limits, own)
    assert story.decision.verdict is Verdict.DENY
    assert await house.store.discounts(ending_after=house.clock.now()) == []


async def test_r126_personal_price_bounds_an_offer_inside_them_is_made_and_taken_back(house):
    await left_in_the_cart(house)
    on = {"personal_offers": True}
    plane, story = await offered(house, on, on)
    assert story.decision.verdict is Verdict.ALLOW
    (code,) = await house.store.discounts(ending_after=house.clock.now())
    assert (code.customers, code.skus, code.percent) == (("ann",), ("mug",), Decimal(5))

    await plane.undo(story.filed.id, by="owner")
    await settle(plane)
    assert await house.store.discounts(ending_after=house.clock.now()) == []
    assert not await house.verify()
