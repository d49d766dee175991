"""The simulated shop: one seed is one market, and its books always add up."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from storecrew.backtest import BaselineOwner, run_days, warm_up
from storecrew.database import DISPOSABLE
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.errors import InvalidInput
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import SetPrice
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import DeliveryConfirmed, OrderStatus, parse_order
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.stores.simulated import SimulatedShop, VirtualClock
from storecrew.stores.simulated.catalog import articles, customers
from storecrew.stores.simulated.demand import level, response, shoppers, wants
from storecrew.stores.simulated.tally import OrderRecord, Tally
from storecrew.stores.sql import open_store

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)


async def open_shop(seed: int = 7, size: int = 24) -> tuple[SimulatedShop, VirtualClock]:
    clock = VirtualClock(START)
    books = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    return await SimulatedShop.open(books, seed=seed, clock=clock, size=size), clock


async def test_one_seed_replays_one_history_and_another_does_not() -> None:
    facts = []
    for seed in (7, 7, 8):
        shop, clock = await open_shop(seed)
        await run_days(shop, BaselineOwner(shop.store).operate, clock, 3)
        facts.append([(n, p.event, p.at) for n, p in await shop.store.outbox(0, limit=10_000)])
        await shop.store.close()
    assert facts[0] == facts[1]
    assert facts[0] != facts[2]


async def test_the_books_add_up_after_two_weeks_and_every_kind_of_thing_happened() -> None:
    shop, clock = await open_shop()
    heard: Counter[str] = Counter()
    owner = BaselineOwner(shop.store)

    async def operate(
        now: datetime, news: "list[EventEnvelope] | tuple[EventEnvelope, ...]"
    ) -> None:
        heard.update(type(each.event).__name__ for each in news)
        await owner.operate(now, news)

    report = await run_days(shop, operate, clock, 14)
    assert await shop.store.verify() == []
    counts = await shop.store.order_counts()
    assert counts[OrderStatus.DELIVERED] > counts[OrderStatus.CANCELLED] > 0
    assert heard["MailReceived"] > 0
    assert heard["DeliveryConfirmed"] > 100
    assert await shop.store.purchase_orders(status="received")
    assert report.orders == sum(counts.values())
    await shop.store.close()


async def test_opening_the_shop_again_changes_nothing() -> None:
    shop, clock = await open_shop()
    await shop.advance(START + timedelta(hours=30))
    before = await shop.store.products(), await shop.store.stock()
    again = await SimulatedShop.open(shop.store, seed=7, clock=clock, size=24)
    assert (await again.store.products(), await again.store.stock()) == before
    await again.advance(START + timedelta(hours=40))
    assert await again.store.verify() == []
    await shop.store.close()


async def test_the_market_speaks_only_of_what_left_the_books() -> None:
    shop, clock = await open_shop()
    owner, delivered = BaselineOwner(shop.store), []
    for hour in range(24 * 6):
        news = await shop.advance(START + timedelta(hours=hour + 1))
        for each in news:
            assert each.at <= clock.now()
            if isinstance(each.event, DeliveryConfirmed):
                status = (await shop.store.order(each.event.order_id)).status
                assert status is OrderStatus.AWAITING_DELIVERY
                delivered.append(each.external_id)
            if isinstance(each.event, MailReceived):
                assert parse_order(each.event.mail)
        await owner.operate(clock.now(), news)
    assert len(delivered) == len(set(delivered)) > 10
    await shop.store.close()


async def test_a_higher_price_sells_less_to_the_same_crowd() -> None:
    sold = []
    for factor in (1, 2):
        shop, _ = await open_shop()
        for n, product in enumerate(await shop.store.products()):
            price = Money.from_minor(product.price.minor * factor, "EUR")
            await shop.store.apply(SetPrice(sku=product.sku, price=price), key=f"test/{n}")
        await shop.advance(START + 2 * DAY)
        sales = await shop.store.daily_sales(START.date(), (START + DAY).date())
        sold.append(sum(sum(units) for units in sales.units.values()))
        await shop.store.close()
    assert sold[1] < sold[0] / 2


async def test_what_the_shelf_lacks_is_a_lost_sale() -> None:
    shop, clock = await open_shop()
    report = await run_days(shop, _nobody, clock, 3)
    assert report.lost_sales == Money.from_minor(0, "EUR")
    await shop.store.close()
    shop, clock = await open_shop(size=1)
    for product in await shop.store.products():
        await shop.store.apply(
            SetStock(levels=(StockCount(sku=product.sku, on_hand=100),)), key="test/few"
        )
    report = await run_days(shop, _nobody, clock, 5)
    await shop.store.close()
    assert report.lost_sales > Money.from_minor(0, "EUR")
    assert report.on_time == 0
    assert report.cancelled > 0


async def test_a_supplier_delivers_what_was_bought_once() -> None:
    shop, clock = await open_shop()
    near = next(p.sku for p in await shop.store.products() if p.supplier == "LOKAL")
    outcome = await shop.store.apply(CreatePurchaseOrder(sku=near, quantity=30), key="test/buy")
    assert outcome.applied
    await run_days(shop, _nobody, clock, 8)
    received = await shop.store.purchase_orders(status="received")
    assert outcome.detail["purchase_id"] in [purchase.id for purchase in received]
    assert await shop.store.verify() == []
    await shop.store.close()


async def _nobody(_now: datetime, _news: object) -> None:
    """Run the shop by not being there."""


def test_the_crowd_is_the_same_whatever_was_drawn_before() -> None:
    sold = articles(3)
    day = START.date()
    first = shoppers(sold, 3, day, 50)
    shoppers(sold, 3, day + DAY, 50)
    assert shoppers(sold, 3, day, 50) == first
    assert shoppers(sold[:5], 3, day, 50)[0].id in {each.id for each in first}


def test_demand_falls_with_the_price_and_is_about_as_large_as_asked_for() -> None:
    sold = articles(3)
    for article in sold:
        answers = [
            response(article, round(article.list_price * f), 1.0) for f in (0.5, 0.9, 1, 1.2)
        ]
        assert answers == sorted(answers, reverse=True)
        assert response(article, article.list_price, 0.8) < 1 == answers[2]
        assert response(article, 0, 1.0) == 3
    assert sum(a.base for a in sold) == pytest.approx(55, rel=0.05)
    year = [START.date() + n * DAY for n in range(0, 364, 7)]
    busy = [sum(level(a, 3, day) for a in sold) for day in year]
    assert 35 < sum(busy) / len(busy) < 80


def test_half_of_the_crowd_at_list_price_buys_when_demand_halves() -> None:
    crowd = [n / 3000 for n in range(3000)]
    assert sum(wants(1.0, each) for each in crowd) == 2 * sum(wants(0.5, each) for each in crowd)


def test_the_catalogue_leaves_every_price_above_its_cost_and_about_half_consent() -> None:
    sold = articles(11)
    assert len({article.sku for article in sold}) == len({a.name for a in sold}) == 120
    assert all(article.list_price > article.cost * 1.3 for article in sold)
    consent = sum(customer.marketing_consent for customer in customers(11))
    assert 120 < consent < 280


def test_virtual_time_never_goes_back_and_needs_a_zone() -> None:
    clock = VirtualClock(START)
    clock.advance_to(START + DAY)
    clock.advance_to(START)
    assert clock.now() == START + DAY
    with pytest.raises(InvalidInput):
        VirtualClock(datetime(2026, 1, 5))  # noqa: DTZ001 - the case under test


def test_the_tally_counts_what_was_kept_and_charges_what_was_held() -> None:
    tally = Tally()
    tally.orders = {
        1: OrderRecord(START, 1000, 600, delivered_at=START + 2 * DAY),
        2: OrderRecord(START, 1000, 600, delivered_at=START + 4 * DAY, returned=500),
        3: OrderRecord(START, 1000, 600, cancelled=True),
        4: OrderRecord(START + 9 * DAY, 1000, 600),
        5: OrderRecord(START + 20 * DAY, 1000, 600),
    }
    tally.lose(START, 70)
    tally.lose(START, 0)
    tally.hold(START, {"A": 3650}, {"A": 100})
    totals = tally.between(START, START + 10 * DAY)
    assert (totals.revenue, totals.goods, totals.holding) == (2500, 1500, 200)
    assert totals.margin == 800
    assert (totals.lost, totals.orders, totals.cancelled, totals.returns) == (70, 4, 1, 1)
    assert (totals.on_time, totals.due) == (1, 2)


async def test_warming_up_leaves_a_history_and_an_honest_position() -> None:
    shop, clock = await open_shop()
    await warm_up(shop, clock, 10)
    assert clock.now() == START + 10 * DAY
    sales = await shop.store.daily_sales(START.date(), clock.now().date())
    assert len(sales.units) > 15
    await shop.store.close()
