"""Orders, from the first mail to the last refund."""

import pytest
from ledger_shop import Shop, euro, lines

from storecrew.domain.errors import InvalidInput, NotFound
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.orders import (
    ApproveOrder,
    CancelOrder,
    CompleteDelivery,
    FulfilOrder,
    Line,
    OrderPlaced,
    OrderQuery,
    OrderStatus,
    PlaceOrder,
)
from storecrew.domain.shop.payments import CapturePayment, PaymentReceived, Refund
from storecrew.domain.shop.returns import AcceptReturn


async def test_a_placed_order_reserves_its_units_and_says_so(shop: Shop):
    await shop.stocked(A=5, B=5)

    outcome = await shop.done(PlaceOrder(lines=lines(A=2, B=1), order_text="A:2, B:1"))

    assert outcome.detail == {
        "order_id": 1,
        "status": "received",
        "total": {"amount": "30.00", "currency": "EUR"},
    }
    assert await shop.level("A") == (5, 2)
    order = await shop.store.order(1)
    assert [(line.sku, line.quantity, line.unit_price) for line in order.lines] == [
        ("A", 2, euro(10)),
        ("B", 1, euro(10)),
    ]
    assert order.order_text == "A:2, B:1"
    assert OrderPlaced(order_id=1, total=euro("30.00")) in await shop.facts()


async def test_r105_second_line_short_changes_nothing(shop: Shop):
    await shop.stocked(A=5, B=1)

    outcome = await shop.refused(PlaceOrder(lines=lines(A=2, B=3)))

    assert (outcome.code, outcome.detail) == ("short_stock", {"missing": {"B": 2}})
    assert await shop.level("A") == (5, 0)
    assert await shop.level("B") == (1, 0)
    assert (await shop.store.orders(OrderQuery())).total == 0
    assert [fact for fact in await shop.facts() if isinstance(fact, OrderPlaced)] == []


async def test_two_lines_for_one_product_are_checked_as_a_sum(shop: Shop):
    await shop.stocked(A=5)
    twice = (Line(sku="A", quantity=3), Line(sku="A", quantity=3))

    outcome = await shop.refused(PlaceOrder(lines=twice))

    assert outcome.detail == {"missing": {"A": 1}}


async def test_an_unknown_product_is_named(shop: Shop):
    outcome = await shop.refused(PlaceOrder(lines=lines(Ghost=1)))

    assert (outcome.code, outcome.detail) == ("not_found", {"product": "Ghost"})


async def test_a_line_may_name_a_product_by_its_name_if_only_one_has_it(shop: Shop):
    for sku, name in (("S1", "Blue cup"), ("S2", "Red cup"), ("S3", "Red cup")):
        await shop.done(UpsertProduct(sku=sku, name=name, price=euro(2)))
        await shop.stocked(**{sku: 4})
    by_name = (Line(sku="Blue cup", quantity=1), Line(sku="S1", quantity=1))

    outcome = await shop.done(PlaceOrder(lines=by_name))

    assert (await shop.store.order(outcome.detail["order_id"])).lines[0].quantity == 2
    assert (await shop.refused(PlaceOrder(lines=lines(**{"Red cup": 1})))).code == "not_found"
    assert (await shop.refused(PlaceOrder(lines=lines(**{"blue cup": 1})))).code == "not_found"


async def test_a_service_needs_no_stock(shop: Shop):
    await shop.done(UpsertProduct(sku="POST", name="Postage", price=euro(3), stocked=False))

    order_id = await shop.order_at(OrderStatus.RETURNED, POST=2)

    assert (await shop.store.order(order_id)).total == euro(6)
    assert list(await shop.store.stock()) == []


async def test_one_warehouse_is_preferred_and_else_the_line_is_split(shop: Shop):
    await shop.stocked(A=2)
    await shop.stocked("north", A=5)

    await shop.placed(A=4)
    await shop.placed(A=3)

    assert await shop.level("A", "north") == (5, 5)
    assert await shop.level("A") == (2, 2)


@pytest.mark.parametrize("quantity", [0, -1, 1_000_001, 10**30])
async def test_impossible_quantities_are_refused(shop: Shop, quantity: int):
    await shop.stocked(A=5)

    assert (await shop.refused(PlaceOrder(lines=lines(A=quantity)))).code == "invalid"
    assert (await shop.refused(PlaceOrder(lines=()))).code == "invalid"


async def test_r101_approval_passes_through_both_states(shop: Shop):
    await shop.stocked(A=5)
    order_id = await shop.placed(A=1)

    outcome = await shop.done(ApproveOrder(order_id=order_id))

    assert outcome.detail["status"] == "awaiting_payment"
    moves = await shop.store.order_transitions([order_id])
    assert [(m.previous, m.status) for m in moves] == [
        (None, OrderStatus.RECEIVED),
        (OrderStatus.RECEIVED, OrderStatus.APPROVED),
        (OrderStatus.APPROVED, OrderStatus.AWAITING_PAYMENT),
    ]


async def test_r102_unpaid_order_is_not_fulfilled(shop: Shop):
    await shop.stocked(A=5)
    order_id = await shop.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)

    assert (await shop.refused(FulfilOrder(order_id=order_id))).code == "unpaid"
    assert await shop.level("A") == (5, 1)


async def test_a_payment_is_the_whole_total_once_per_reference(shop: Shop):
    await shop.stocked(A=5)
    first = await shop.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)
    second = await shop.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)

    short = CapturePayment(order_id=first, reference="r", amount=euro("9.99"))
    assert (await shop.refused(short)).code == "invalid"
    await shop.done(CapturePayment(order_id=first, reference="r", amount=euro(10)))
    again = CapturePayment(order_id=second, reference="r")
    assert (await shop.refused(again)).code == "duplicate_reference"
    twice = CapturePayment(order_id=first, reference="other")
    assert (await shop.refused(twice)).code == "illegal_move"

    assert (await shop.store.order(first)).is_paid
    assert not (await shop.store.order(second)).is_paid
    assert PaymentReceived(order_id=first, amount=euro("10.00")) in await shop.facts()


async def test_fulfilment_takes_reserved_units_off_the_shelf(shop: Shop):
    await shop.stocked(A=5, B=5)

    order_id = await shop.order_at(OrderStatus.AWAITING_DELIVERY, A=2, B=1)

    assert await shop.level("A") == (3, 0)
    moves = [
        m for m in await shop.store.stock_movements() if m.reason == f"order {order_id} fulfilled"
    ]
    assert {(m.sku, m.change, m.on_hand) for m in moves} == {("A", -2, 3), ("B", -1, 4)}
    assert (await shop.refused(FulfilOrder(order_id=order_id))).code == "illegal_move"


async def test_r103_delivery_completes_once(shop: Shop):
    await shop.stocked(A=5)
    order_id = await shop.order_at(OrderStatus.DELIVERED, A=1)

    again = await shop.refused(CompleteDelivery(order_id=order_id))

    assert again.detail == {"from": "delivered", "to": "delivered"}


STEPS = {
    ApproveOrder: OrderStatus.APPROVED,
    FulfilOrder: OrderStatus.AWAITING_DELIVERY,
    CompleteDelivery: OrderStatus.DELIVERED,
    CancelOrder: OrderStatus.CANCELLED,
    AcceptReturn: OrderStatus.RETURNED,
}
LEGAL = {
    OrderStatus.RECEIVED: (ApproveOrder, CancelOrder),
    OrderStatus.AWAITING_PAYMENT: (FulfilOrder, CancelOrder),
    OrderStatus.AWAITING_DELIVERY: (CompleteDelivery,),
    OrderStatus.DELIVERED: (AcceptReturn,),
    OrderStatus.RETURNED: (),
    OrderStatus.CANCELLED: (),
}


@pytest.mark.parametrize("start", LEGAL)
async def test_r104_a_step_that_the_order_machine_forbids_changes_nothing(
    shop: Shop, start: OrderStatus
):
    await shop.stocked(A=5)
    for step, target in STEPS.items():
        order_id = await shop.order_at(start, A=1)
        level, moves = await shop.level("A"), await shop.store.order_transitions([order_id])
        outcome = await shop.do(step(order_id=order_id))
        assert outcome.applied is (step in LEGAL[start]), step
        if outcome.applied:
            continue
        assert outcome.code == "illegal_move"
        assert outcome.detail == {"from": start, "to": target}
        assert await shop.level("A") == level
        assert await shop.store.order_transitions([order_id]) == moves


async def test_cancelling_releases_units_and_refunds_the_payment(shop: Shop):
    await shop.stocked(A=5)
    order_id = await shop.order_at(OrderStatus.AWAITING_PAYMENT, A=2)

    outcome = await shop.done(CancelOrder(order_id=order_id, reason="changed my mind"))

    assert outcome.detail["refund"] == {"amount": "20.00", "currency": "EUR"}
    assert await shop.level("A") == (5, 0)
    assert (await shop.store.order(order_id)).paid == euro(0)


async def test_a_return_in_parts_goes_back_where_it_came_from(shop: Shop):
    await shop.stocked("north", A=3)
    await shop.stocked("south", A=2)
    order_id = await shop.order_at(OrderStatus.DELIVERED, A=4)

    await shop.done(AcceptReturn(order_id=order_id, lines=lines(A=3)))
    assert (await shop.store.order(order_id)).paid == euro(10)
    too_many = await shop.refused(AcceptReturn(order_id=order_id, lines=lines(A=2)))
    assert too_many.code == "invalid"
    await shop.done(AcceptReturn(order_id=order_id))

    assert await shop.level("A", "north") == (3, 0)
    assert await shop.level("A", "south") == (2, 0)
    assert (await shop.store.order(order_id)).paid == euro(0)
    assert (await shop.refused(AcceptReturn(order_id=order_id))).code == "illegal_move"


async def test_a_refund_pays_back_what_is_left_and_no_more(shop: Shop):
    await shop.stocked(A=5)
    order_id = await shop.order_at(OrderStatus.DELIVERED, A=3)
    await shop.done(AcceptReturn(order_id=order_id, lines=lines(A=1)))

    outcome = await shop.done(Refund(order_id=order_id))

    assert outcome.detail["refund"] == {"amount": "20.00", "currency": "EUR"}
    assert (await shop.store.order(order_id)).status is OrderStatus.REFUNDED
    whole = await shop.order_at(OrderStatus.RETURNED, A=1)
    assert (await shop.refused(Refund(order_id=whole))).code == "invalid"


@pytest.mark.parametrize("order_id", [0, -1, 99, 10**30])
async def test_an_order_nobody_placed_is_not_found(shop: Shop, order_id: int):
    for kind in (ApproveOrder, FulfilOrder, CompleteDelivery, CancelOrder, Refund):
        assert (await shop.refused(kind(order_id=order_id))).code == "not_found"
    assert (await shop.refused(AcceptReturn(order_id=order_id))).code == "not_found"
    pay = CapturePayment(order_id=order_id, reference="r")
    assert (await shop.refused(pay)).code == "not_found"
    with pytest.raises(NotFound):
        await shop.store.order(order_id)


async def test_r111_pages_tile_without_overlap(shop: Shop):
    await shop.stocked(A=50)
    for _ in range(7):
        await shop.placed(A=1)
        shop.clock.advance(minutes=1)

    pages = [await shop.store.orders(OrderQuery(page=p, per_page=3)) for p in (1, 2, 3, 4)]

    assert [[order.id for order in page.items] for page in pages] == [[7, 6, 5], [4, 3, 2], [1], []]
    assert {page.total for page in pages} == {7}
    for bad in (OrderQuery(page=0), OrderQuery(per_page=0), OrderQuery(per_page=201)):
        with pytest.raises(InvalidInput):
            await shop.store.orders(bad)


async def test_orders_are_found_by_status_and_customer(shop: Shop):
    await shop.stocked(A=50)
    await shop.done(PlaceOrder(lines=lines(A=1), customer="ann"))
    cancelled = await shop.order_at(OrderStatus.CANCELLED, A=1)
    delivered = await shop.order_at(OrderStatus.DELIVERED, A=1)

    assert [o.id for o in (await shop.store.orders(OrderQuery(customer="ann"))).items] == [1]
    by_status = await shop.store.orders(OrderQuery(status=OrderStatus.CANCELLED))
    assert [o.id for o in by_status.items] == [cancelled]
    assert [o.id for o in await shop.store.open_orders()] == [1]
    assert await shop.store.order_counts() == {
        OrderStatus.RECEIVED: 1,
        OrderStatus.CANCELLED: 1,
        OrderStatus.DELIVERED: 1,
    }
    assert delivered == 3


async def test_sales_are_counted_per_day_without_cancelled_orders(shop: Shop):
    await shop.stocked(A=50, B=50)
    await shop.placed(A=2)
    await shop.placed(A=1, B=1)
    await shop.order_at(OrderStatus.CANCELLED, A=9)
    first = shop.clock.now().date()
    shop.clock.advance(days=2)
    await shop.placed(A=4)

    sales = await shop.store.daily_sales(first, shop.clock.now().date())

    assert (sales.first, sales.days) == (first, 3)
    assert {sku: list(units) for sku, units in sales.units.items()} == {
        "A": [3, 0, 4],
        "B": [1, 0, 0],
    }
    only = await shop.store.daily_sales(first, first, ["B", "C"])
    assert {sku: list(units) for sku, units in only.units.items()} == {"B": [1]}
    with pytest.raises(InvalidInput):
        await shop.store.daily_sales(shop.clock.now().date(), first)
