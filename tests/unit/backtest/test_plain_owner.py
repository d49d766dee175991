"""The plain owner does an honest day's work each morning, and orders goods on Mondays."""

from datetime import UTC, datetime, timedelta

from storecrew.backtest import BaselineOwner, run_days
from storecrew.database import DISPOSABLE
from storecrew.domain.control.events import EventEnvelope
from storecrew.domain.events import Event
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.messages import MailReceived
from storecrew.domain.shop.orders import DeliveryConfirmed, Line, OrderStatus, PlaceOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.stores.simulated import SimulatedShop, VirtualClock
from storecrew.stores.sql import SqlStore, open_store

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


async def open_books(stock: int = 50) -> tuple[SqlStore, VirtualClock]:
    clock = VirtualClock(MONDAY)
    books = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    mats = UpsertProduct(
        sku="P1",
        name="Floor Mats",
        price=Money.of(20, "EUR"),
        cost=Money.of(10, "EUR"),
        pack_size=5,
    )
    await books.apply(mats, key="p")
    await books.apply(SetStock(levels=(StockCount(sku="P1", on_hand=stock),)), key="s")
    return books, clock


def heard(event: Event) -> EventEnvelope:
    return EventEnvelope(source="test", external_id=str(event), event=event, at=MONDAY)


async def morning(owner: BaselineOwner, clock: VirtualClock, *events: Event, day: int = 0) -> None:
    clock.advance_to(MONDAY + timedelta(days=day, hours=8))
    await owner.operate(clock.now(), [heard(event) for event in events])


async def test_an_order_is_answered_the_next_morning_and_sent_the_morning_after_its_payment() -> (
    None
):
    books, clock = await open_books()
    owner = BaselineOwner(books)
    await books.apply(PlaceOrder(lines=(Line(sku="P1", quantity=2),)), key="o")
    await owner.operate(clock.now() + timedelta(hours=5), [])
    assert (await books.order(1)).status is OrderStatus.RECEIVED
    await morning(owner, clock)
    assert (await books.order(1)).status is OrderStatus.AWAITING_PAYMENT
    await morning(owner, clock, day=1)
    assert (await books.order(1)).status is OrderStatus.AWAITING_PAYMENT
    await books.apply(CapturePayment(order_id=1, reference="r"), key="c")
    await morning(owner, clock, day=2)
    assert (await books.order(1)).status is OrderStatus.AWAITING_DELIVERY
    await morning(owner, clock, DeliveryConfirmed(order_id=1), day=3)
    assert (await books.order(1)).status is OrderStatus.DELIVERED
    assert await books.verify() == []
    await books.close()


async def test_written_orders_are_placed_and_unreadable_ones_passed_over() -> None:
    books, clock = await open_books()
    mails = [
        MailReceived(mail="Floor Mats:3"),
        MailReceived(mail="what?"),
        MailReceived(mail="X:1"),
    ]
    await morning(BaselineOwner(books), clock, *mails)
    assert [order.lines[0].quantity for order in await books.open_orders()] == [3]
    await books.close()


async def test_goods_are_ordered_on_mondays_up_to_four_weeks_in_whole_packs() -> None:
    books, clock = await open_books(stock=60)
    owner = BaselineOwner(books)
    await books.apply(PlaceOrder(lines=(Line(sku="P1", quantity=42),)), key="o")
    await morning(owner, clock, day=1)
    assert await books.purchase_orders() == []
    await morning(owner, clock, day=7)
    (purchase,) = await books.purchase_orders()
    assert purchase.quantity == 25  # 42 sold in four weeks, 18 left, packs of five
    await morning(owner, clock, day=14)
    assert len(await books.purchase_orders()) == 1
    await books.close()


async def test_a_sold_out_product_is_kept_in_the_range() -> None:
    books, clock = await open_books(stock=0)
    await morning(BaselineOwner(books), clock)
    (purchase,) = await books.purchase_orders()
    assert purchase.quantity == 5
    await books.close()


async def test_a_trial_reports_each_day_and_both_arms_by_the_same_count() -> None:
    clock = VirtualClock(MONDAY)
    books = await open_store(
        "sqlite://", clock=clock, currency="EUR", durability=DISPOSABLE, inline=True
    )
    shop = await SimulatedShop.open(books, seed=3, clock=clock, size=10)
    days: list[tuple[int, int]] = []
    report = await run_days(
        shop,
        BaselineOwner(shop.store).operate,
        clock,
        4,
        progress=lambda done, of: days.append((done, of)),
    )
    assert days == [(1, 4), (2, 4), (3, 4), (4, 4)]
    orders = [await shop.store.order(number) for number in range(1, report.orders + 1)]
    kept = sum(o.total.amount for o in orders if o.status is not OrderStatus.CANCELLED)
    assert report.revenue.amount == kept
    assert Money.of(0, "EUR") < report.margin < report.revenue
    assert report.stock_value > Money.of(0, "EUR")
    await shop.store.close()
