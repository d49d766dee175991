"""Keys: at most one effect each, and always the same answer."""

import dataclasses

import pytest
from ledger_actions import KINDS, prepare_actions
from ledger_shop import Shop, euro, lines

from storecrew.domain.actions import Action, Command
from storecrew.domain.errors import InvalidInput, KeyReused
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    OrderPlaced,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.purchasing import CreatePurchaseOrder, ReceivePurchaseOrder
from storecrew.domain.shop.returns import AcceptReturn
from storecrew.stores.sql.apply import HANDLERS


async def test_every_action_has_something_to_act_on(shop: Shop):
    assert (
        sorted(await prepare_actions(shop)) == KINDS == sorted(kind.__name__ for kind in HANDLERS)
    )


@pytest.mark.parametrize("kind", KINDS)
async def test_a_key_acts_once_and_answers_alike_ever_after(shop: Shop, kind: str):
    action = (await prepare_actions(shop))[kind]

    first = await shop.do(action, key="once")
    facts = await shop.facts()
    again = await shop.do(action, key="once")

    assert first.applied
    assert again == first == await shop.store.outcome("once")
    assert await shop.facts() == facts
    assert "once" in await shop.store.applied_keys("on")


async def test_a_refusal_is_remembered_too(shop: Shop):
    refused = await shop.do(PlaceOrder(lines=lines(A=1)), key="early")
    await shop.stocked(A=5)

    again = await shop.do(PlaceOrder(lines=lines(A=1)), key="early")

    assert again == refused
    assert await shop.level("A") == (5, 0)
    assert "early" not in await shop.store.applied_keys()


async def test_a_key_stands_for_one_action(shop: Shop):
    await shop.stocked(A=5)
    await shop.do(PlaceOrder(lines=lines(A=1)), key="mine")

    with pytest.raises(KeyReused):
        await shop.do(PlaceOrder(lines=lines(A=2)), key="mine")

    assert await shop.level("A") == (5, 1)
    assert await shop.store.outcome("never") is None


async def test_a_refused_action_of_a_batch_stops_no_other(shop: Shop):
    await shop.stocked(A=3)
    orders = [Command(key=f"b{n}", action=PlaceOrder(lines=lines(A=n)), actor="x") for n in (2, 2)]
    orders.append(Command(key="b9", action=PlaceOrder(lines=lines(A=1)), actor="x"))
    orders[1] = dataclasses.replace(orders[1], key="b3")

    outcomes = await shop.store.apply_batch(orders)

    assert [outcome.code for outcome in outcomes] == ["", "short_stock", ""]
    assert list(await shop.store.apply_batch(orders)) == list(outcomes)
    assert await shop.level("A") == (3, 3)


async def test_actions_of_a_batch_see_those_before_them(shop: Shop):
    await shop.stocked(A=3)
    steps: list[Action] = [
        PlaceOrder(lines=lines(A=3)),
        ApproveOrder(order_id=1),
        CapturePayment(order_id=1, reference="r"),
        FulfilOrder(order_id=1),
        CompleteDelivery(order_id=1),
        AcceptReturn(order_id=1, lines=lines(A=1)),
        AcceptReturn(order_id=1),
        PlaceOrder(lines=lines(A=3)),
        CancelOrder(order_id=2),
        SetPrice(sku="A", price=euro(11)),
        SetPrice(sku="A", price=euro(12), expected_price=euro(11)),
        CreatePurchaseOrder(sku="A", quantity=1),
        ReceivePurchaseOrder(purchase_id=1),
        CreatePurchaseOrder(sku="A", quantity=1),
    ]
    batch = [Command(key=f"s{n}", action=step, actor="x") for n, step in enumerate(steps)]

    outcomes = await shop.store.apply_batch(batch)

    assert [outcome.message for outcome in outcomes if not outcome.applied] == []
    assert await shop.level("A") == (4, 0)


async def test_one_key_twice_in_a_batch_is_one_effect(shop: Shop):
    await shop.stocked(A=5)
    twice = [Command(key="same", action=PlaceOrder(lines=lines(A=1)), actor="x")] * 2

    first, second = await shop.store.apply_batch(twice)

    assert first == second
    assert await shop.level("A") == (5, 1)


async def test_a_reused_key_undoes_its_whole_batch(shop: Shop):
    await shop.stocked(A=5)
    batch = [
        Command(key=key, action=PlaceOrder(lines=lines(A=n)), actor="x")
        for key, n in (("one", 1), ("two", 1), ("one", 2))
    ]

    with pytest.raises(KeyReused):
        await shop.store.apply_batch(batch)

    assert await shop.level("A") == (5, 0)


async def test_batches_are_bounded(shop: Shop):
    too_many = [Command(key=str(n), action=PlaceOrder(lines=()), actor="x") for n in range(501)]

    assert list(await shop.store.apply_batch([])) == []
    with pytest.raises(InvalidInput):
        await shop.store.apply_batch(too_many)


@pytest.mark.parametrize("text", ["\0", "\ud800", "a\0b"])
async def test_text_that_no_database_keeps_is_refused(shop: Shop, text: str):
    action = PlaceOrder(lines=(), order_text=text)

    with pytest.raises(InvalidInput):
        await shop.do(action)
    with pytest.raises(InvalidInput):
        await shop.do(PlaceOrder(lines=()), key=text)
    with pytest.raises(InvalidInput):
        await shop.do(PlaceOrder(lines=()), actor=text)
    with pytest.raises(InvalidInput):
        await shop.do(PlaceOrder(lines=()), key="x" * 501)


async def test_look_alike_names_are_different_products(shop: Shop):
    composed, decomposed = "\u00c4", "A\u0308"
    await shop.stocked(**{composed: 1})

    outcome = await shop.refused(PlaceOrder(lines=lines(**{decomposed: 1})))

    assert outcome.code == "not_found"


async def test_an_action_the_store_does_not_know_is_unsupported(shop: Shop):
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Dance(Action):
        pass

    assert (await shop.refused(Dance())).code == "unsupported"


async def test_facts_are_read_in_order_from_any_position(shop: Shop):
    await shop.stocked(A=5)
    await shop.placed(A=1)

    every = await shop.store.outbox(0)
    first = await shop.store.outbox(0, limit=2)
    rest = await shop.store.outbox(first[-1][0])

    assert [*first, *rest] == list(every)
    assert every[-1][1].event == OrderPlaced(order_id=1, total=euro("10.00"))
    assert every[-1][1].source == "store"
    assert await shop.store.outbox(every[-1][0]) == []
