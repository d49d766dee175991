"""What the made-up market does about offers, messages and mishaps."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from storecrew.backtest.manual_operator import answers, looked_at
from storecrew.database import DISPOSABLE
from storecrew.domain.actions import Action
from storecrew.domain.money import Money
from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.messages import MessageQueued
from storecrew.domain.shop.orders import (
    CancelOrder,
    HoldOrder,
    Line,
    OrderFulfilled,
    OrderPlaced,
    PlaceOrder,
    ReleaseOrder,
)
from storecrew.domain.shop.payments import CapturePayment, PaymentFailed
from storecrew.domain.shop.promotions import (
    BundleChanged,
    DiscountCreated,
    DiscountEnded,
    RecommendationsChanged,
    StartCampaign,
)
from storecrew.domain.shop.support import EscalateTicket, OpenTicket
from storecrew.stores.simulated import SimulatedShop, VirtualClock, disruptions
from storecrew.stores.simulated.catalog import articles
from storecrew.stores.simulated.demand import shoppers
from storecrew.stores.simulated.follow_ups import Due, FollowUps
from storecrew.stores.simulated.promotions import Storefront, reader, returns_for
from storecrew.stores.simulated.tally import OrderRecord, Tally
from storecrew.stores.sql import open_store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WEEK = timedelta(weeks=1)
GOODS = articles(3, size=30)
DAYS = [date(2026, 1, 1) + timedelta(days=n) for n in range(365)]


def sale(code: str = "c", percent: int = 10, *skus: str) -> DiscountCreated:
    return DiscountCreated(
        code=code, skus=skus or ("A",), percent=Decimal(percent), starts_at=NOW, ends_at=NOW + WEEK
    )


def test_the_best_sale_of_the_moment_counts_and_ends_when_it_ends() -> None:
    window = Storefront()
    assert all(window.note(each) for each in (sale(), sale("d", 20)))
    assert window.sale("A", NOW, 7) is None  # nobody was told of it
    window.told = {"c": {7}, "d": {7}}
    best = window.sale("A", NOW, 7)
    assert best is not None
    assert (best.code, best.share) == ("d", 0.2)
    assert window.sale("A", NOW, 8) is None
    assert window.sale("A", NOW + WEEK, 7) is None
    assert window.sale("B", NOW, 7) is None
    window.note(DiscountEnded(code="d"))
    left = window.sale("A", NOW, 7)
    assert left is not None
    assert left.code == "c"


def test_a_bundle_is_used_by_who_has_all_of_it_in_the_basket() -> None:
    window = Storefront()
    window.note(BundleChanged(name="set", skus=("A", "B"), price=Money.of(9, "EUR")))
    both = [Line(sku="A", quantity=1), Line(sku="B", quantity=2)]
    assert window.bundle(both) == "set"
    assert window.bundle(both[:1]) == ""
    window.note(BundleChanged(name="set"))
    assert window.bundle(both) == ""
    assert not window.note(OrderFulfilled(order_id=1))


def test_what_really_goes_together_is_added_by_about_one_in_ten_who_are_shown_it() -> None:
    article = GOODS[0]
    crowd = [s for day in DAYS[:60] for s in shoppers(GOODS, 3, day, 100) if s.sku == article.sku]
    shown, strange = Storefront(), Storefront()
    place = f"product:{article.sku}"
    shown.note(RecommendationsChanged(place=place, skus=article.companions))
    other = tuple(x.sku for x in GOODS if x.sku not in (article.sku, *article.companions))[:3]
    strange.note(RecommendationsChanged(place=place, skus=other))
    added = [shown.addition(s, article.companions) for s in crowd]
    share = sum(each is not None for each in added) / len(crowd)
    assert 0.05 < share < 0.16
    assert {each for each in added if each} == {article.companions[0]}
    assert not any(strange.addition(s, article.companions) for s in crowd)


def test_readers_answer_a_mail_alike_whoever_else_gets_it() -> None:
    found = [reader(3, "spring", n, GOODS, False, NOW) for n in range(4000)]
    assert found[:10] == [reader(3, "spring", n, GOODS, False, NOW) for n in range(10)]
    assert 0.012 < sum(x.buys is not None for x in found) / len(found) < 0.028
    assert 0 < sum(x.opts_out for x in found) / len(found) < 0.008
    with_sale = [reader(3, "spring", n, GOODS, True, NOW) for n in range(4000)]
    assert sum(x.buys is not None for x in with_sale) > sum(x.buys is not None for x in found)
    back = [returns_for(3, GOODS[0], n, NOW) for n in range(400)]
    assert 0.3 < sum(x is not None for x in back) / len(back) < 0.5


def test_mishaps_are_the_same_for_a_seed_and_rare() -> None:
    outages = [each for day in DAYS if (each := disruptions.outage(3, day))]
    assert 2 < len(outages) < 20
    start, end = outages[0]
    assert disruptions.cards_fail(3, start)
    assert not disruptions.cards_fail(3, end)
    cheats = [cheat for day in DAYS if (cheat := disruptions.fraud(3, day, GOODS))]
    assert 15 < len(cheats) < 50
    voyages = [disruptions.shipment_outcome(3, str(n)) for n in range(2000)]
    assert 0.03 < sum(bool(v.late_by) for v in voyages) / 2000 < 0.09
    assert {disruptions.payment_behaviour(3, str(n)).method for n in range(50)} == {"card", "bank"}


def delivered(*, told: str = "", days: float = 1) -> int:
    """Return how many of 1,000 customers complain of a parcel after so many days."""
    tally = Tally()
    later = FollowUps(3, tally)
    for number in range(1, 1001):
        tally.orders[number] = OrderRecord(NOW, 1000, 400)
        if told:
            topic = f"order:{number}:{told}"
            later.note(MessageQueued(customer="c", purpose="service", topic=topic), NOW)
        later.happen(Due(NOW + timedelta(days=days), number, "deliver"))
    return len(tally.complaints)


def test_customers_complain_of_what_is_late_and_less_if_they_were_told() -> None:
    assert delivered(told="shipped") == 0
    assert 5 < delivered() < 45
    assert delivered(told="late:2026-03-06", days=5) < delivered(told="shipped", days=5) / 2


def test_a_card_that_fails_is_tried_again_or_paid_otherwise_where_it_is_not_offered() -> None:
    day = next(day for day in DAYS if disruptions.outage(3, day))
    start, _ = disruptions.outage(3, day) or (NOW, NOW)
    later = FollowUps(3, Tally())
    by_card = next(
        n for n in range(99) if disruptions.payment_behaviour(3, str(n)).method == "card"
    )
    failed = later.happen(Due(start, by_card, "pay"))
    assert isinstance(failed, PaymentFailed)
    assert later.heap
    later.off.add("card")
    takes = next(
        n
        for n in range(by_card, 999)
        if (paying := disruptions.payment_behaviour(3, str(n))).method == "card"
        and paying.takes_other
    )
    assert isinstance(later.happen(Due(start, takes, "pay")), CapturePayment)


def test_a_called_back_payment_costs_what_was_paid_and_a_fee_unless_it_was_stopped() -> None:
    tally = Tally()
    later = FollowUps(3, tally)
    for number in (1, 2):
        tally.orders[number] = OrderRecord(NOW, 9000, 4000, cancelled=number == 2)
        later.happen(Due(NOW, number, "call_back"))
    assert tally.frauds == [(NOW, 9000 + disruptions.CHARGEBACK)]
    totals = tally.between(NOW, NOW + WEEK)
    assert totals.profit == totals.margin - 10_500


@pytest.fixture
async def shop():
    clock = VirtualClock(NOW)
    books = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    made = await SimulatedShop.open(books, seed=3, clock=clock, size=12, units=8)
    yield made
    assert await made.store.verify() == []
    await made.store.close()


async def do(shop: SimulatedShop, action: Action, key: str) -> None:
    outcome = await shop.store.apply(action, key=key)
    assert outcome.applied, outcome


async def test_a_campaign_brings_orders_of_its_own_and_a_few_opt_outs(shop: SimulatedShop) -> None:
    agreed = [c.id for c in await shop.store.customers() if c.marketing_consent]
    campaign = StartCampaign(
        name="spring", segment="all", title="Hello", body="News", recipients=tuple(agreed),
        ends_at=NOW + 2 * WEEK,
    )  # fmt: skip
    await do(shop, campaign, "campaign")
    await shop.advance(NOW + WEEK)
    facts = [p.event for _, p in await shop.store.outbox(0, limit=5000)]
    placed = [e for e in facts if isinstance(e, OrderPlaced)]
    keys = await shop.store.applied_keys("market/3/order/spring")
    assert 0 < len(keys) < len(agreed) / 10
    assert len(placed) > len(keys)


async def test_by_hand_customers_are_answered_and_held_orders_looked_at(
    shop: SimulatedShop,
) -> None:
    sku = (await shop.store.products())[0].sku
    for n, (name, held) in enumerate((("C0001", True), ("X1", True), ("C0002", False))):
        order = PlaceOrder(lines=(Line(sku=sku, quantity=1),), customer=name)
        await do(shop, order, f"o{n}")
        if held:
            await do(shop, HoldOrder(order_id=n + 1, reason="odd"), f"h{n}")
    await do(shop, OpenTicket(ticket_id="open", text="?", customer="C0001"), "t1")
    await do(shop, OpenTicket(ticket_id="odd", text="?", customer="C0001"), "t2")
    await do(shop, EscalateTicket(ticket_id="odd", reason="unsure"), "t3")
    await shop.settle()
    assert await looked_at(shop.store, shop.is_fraud) == [
        ReleaseOrder(order_id=1),
        CancelOrder(order_id=2, reason="not the card's owner"),
    ]
    answered = [x.subject for x in await answers(shop.store, also_open=False)]
    assert answered == ["ticket:odd"]
    assert [x.subject for x in await answers(shop.store)] == ["ticket:odd", "ticket:open"]
    assert isinstance((await shop.store.customers())[0], Customer)
