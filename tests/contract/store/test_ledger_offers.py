"""Orders at the price of an offer: the books add up, and no offer is used that does not hold."""

from datetime import timedelta
from decimal import Decimal

import pytest
from ledger_shop import Shop, euro, lines

from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.orders import ApproveOrder, CompleteDelivery, FulfilOrder, PlaceOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.promotions import CreateDiscount, EndDiscount, OfferBundle
from storecrew.domain.shop.returns import AcceptReturn

WEEK = timedelta(weeks=1)


@pytest.fixture
async def selling(shop: Shop) -> Shop:
    """A shop with a discount of 15 % on A, one for ann alone, and a bundle of A and B."""
    await shop.peopled()
    await shop.stocked(A=20, B=20, C=20)
    now = shop.clock.now()
    sale = {"skus": ("A",), "starts_at": now, "ends_at": now + WEEK}
    await shop.done(CreateDiscount(code="SALE", percent=Decimal("15.05"), **sale))
    await shop.done(CreateDiscount(code="ANN", percent=Decimal(10), customers=("ann",), **sale))
    await shop.done(OfferBundle(name="set", skus=("A", "B"), price=euro("15.01")))
    return shop


async def order(shop: Shop, outcome) -> list[tuple[str, int, str]]:
    found = await shop.store.order(outcome.detail["order_id"])
    assert found.total == sum((x.unit_price * x.quantity for x in found.lines), euro(0))
    return [(x.sku, x.quantity, str(x.unit_price.amount)) for x in found.lines]


async def test_a_code_lowers_its_own_products_and_rounds_for_the_shop(selling: Shop):
    placed = await selling.done(PlaceOrder(lines=lines(A=2, B=1), code="SALE"))
    assert await order(selling, placed) == [("A", 2, "8.50"), ("B", 1, "10.00")]


async def test_a_bundle_has_its_price_and_the_rest_is_sold_as_ever(selling: Shop):
    placed = await selling.done(PlaceOrder(lines=lines(A=2, B=1, C=1), bundle="set"))
    sold = await order(selling, placed)
    assert sold == [("A", 1, "7.50"), ("B", 1, "7.51"), ("A", 1, "10.00"), ("C", 1, "10.00")]
    assert (await selling.store.order(placed.detail["order_id"])).total == euro("35.01")


async def test_two_sets_are_two_bundles(selling: Shop):
    placed = await selling.done(PlaceOrder(lines=lines(A=2, B=2), bundle="set"))
    assert (await selling.store.order(placed.detail["order_id"])).total == euro("30.02")


async def test_who_returns_a_part_of_a_bundle_gets_what_it_was_sold_for(selling: Shop):
    placed = await selling.done(PlaceOrder(lines=lines(A=1, B=1), bundle="set"))
    number = placed.detail["order_id"]
    await selling.done(ApproveOrder(order_id=number))
    await selling.done(CapturePayment(order_id=number, reference="r"))
    await selling.done(FulfilOrder(order_id=number))
    await selling.done(CompleteDelivery(order_id=number))
    back = await selling.done(AcceptReturn(order_id=number, lines=lines(B=1)))
    assert back.detail["refund"] == {"amount": "7.51", "currency": "EUR"}


async def test_when_prices_fell_below_the_bundle_nobody_pays_more_for_a_set(selling: Shop):
    await selling.done(SetPrice(sku="A", price=euro(5)))
    placed = await selling.done(PlaceOrder(lines=lines(A=1, B=1), bundle="set"))
    assert (await selling.store.order(placed.detail["order_id"])).total == euro(15)


@pytest.mark.parametrize(
    ("offer", "field"),
    [
        ({"code": "NEVER"}, "code"),
        ({"code": "ANN"}, "code"),
        ({"code": "ANN", "customer": "bob"}, "code"),
        ({"bundle": "never"}, "bundle"),
        ({"code": "SALE", "bundle": "set"}, "bundle"),
    ],
)
async def test_an_offer_that_does_not_hold_is_refused_and_reserves_nothing(
    selling: Shop, offer, field
):
    refused = await selling.refused(PlaceOrder(lines=lines(A=1, B=1), **offer))
    assert refused.detail == {"field": field}
    assert await selling.level("A") == (20, 0)


async def test_a_code_for_other_products_and_a_bundle_without_its_parts_are_refused(selling: Shop):
    await selling.refused(PlaceOrder(lines=lines(B=1), code="SALE"))
    await selling.refused(PlaceOrder(lines=lines(A=2), bundle="set"))
    assert await selling.level("B") == (20, 0)


async def test_a_code_holds_from_its_start_until_its_end(selling: Shop):
    later = selling.clock.now() + WEEK
    soon = CreateDiscount(
        code="SOON", percent=Decimal(5), skus=("A",), starts_at=later, ends_at=later + WEEK
    )
    await selling.done(soon)
    await selling.refused(PlaceOrder(lines=lines(A=1), code="SOON"))
    selling.clock.advance(days=7)
    await selling.refused(PlaceOrder(lines=lines(A=1), code="SALE"))
    await selling.done(PlaceOrder(lines=lines(A=1), code="SOON"))
    await selling.done(EndDiscount(code="SOON"))
    await selling.refused(PlaceOrder(lines=lines(A=1), code="SOON"))
    assert await selling.store.discounts(ending_after=selling.clock.now()) == []


async def test_a_code_for_one_customer_serves_that_customer(selling: Shop):
    placed = await selling.done(PlaceOrder(lines=lines(A=1), customer="ann", code="ANN"))
    assert await order(selling, placed) == [("A", 1, "9.00")]
