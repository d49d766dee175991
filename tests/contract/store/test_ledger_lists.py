"""Lists read page by page: the pages hold everything once, in order, whatever their size."""

import pytest
from ledger_shop import Shop

from storecrew.domain.shop.customers import Customer
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import OrderStatus
from storecrew.domain.shop.purchasing import CreatePurchaseOrder, ReceivePurchaseOrder

SKUS = ("A", "B", "C", "D", "E", "F", "G")


async def every_page(read, per_page: int, **names: object) -> list:
    """Return the items of all pages; each page must tell the same total."""
    found, page = [], 1
    while items := (here := await read(page=page, per_page=per_page, **names)).items:
        found += items
        page += 1
    assert here.total == len(found)
    return found


@pytest.mark.parametrize("per_page", [1, 2, 3, 7, 50])
async def test_pages_hold_everything_once_and_in_order(shop: Shop, per_page: int):
    await shop.stocked(**dict.fromkeys(SKUS, 9))
    await shop.stocked(warehouse="east", A=1, G=2)
    await shop.store.put_customers([Customer(id=f"c{n}", name=f"C{n}") for n in range(7)])
    await shop.peopled()
    for sku in SKUS[:5]:
        await shop.done(CreatePurchaseOrder(sku=sku, quantity=1))
    await shop.done(ReceivePurchaseOrder(purchase_id=2))
    store = shop.store

    assert await every_page(store.product_page, per_page) == await store.products()
    assert await every_page(store.stock_page, per_page) == await store.stock()
    assert await every_page(store.customer_page, per_page) == await store.customers()
    for status in ("open", "received", None):
        paged = await every_page(store.purchase_page, per_page, status=status)
        assert paged == await store.purchase_orders(status=status)


async def test_skus_with_stock_are_paged_once_each(shop: Shop):
    await shop.stocked(A=1, B=2, C=3)
    await shop.stocked(warehouse="east", A=1, C=2)

    pages = [await shop.store.stocked_skus(page=page, per_page=2) for page in (1, 2, 3)]

    assert [list(page) for page in pages] == [["A", "B"], ["C"], []]


async def test_the_backlog_tells_the_longest_wait_and_what_is_paid_and_not_sent(shop: Shop):
    await shop.stocked(A=99)
    began = shop.clock.now()
    await shop.order_at(OrderStatus.RECEIVED, A=1)
    await shop.order_at(OrderStatus.AWAITING_PAYMENT, A=1)
    await shop.order_at(OrderStatus.AWAITING_PAYMENT, paid=False, A=1)
    await shop.order_at(OrderStatus.DELIVERED, A=1)

    backlog = await shop.store.order_backlog()

    assert set(backlog.since) == {OrderStatus.RECEIVED, OrderStatus.AWAITING_PAYMENT}
    assert backlog.since[OrderStatus.RECEIVED] >= began
    waiting = await shop.store.open_orders()
    assert backlog.paid_not_sent == sum(o.is_paid and o.status in backlog.since for o in waiting)
    for status, since in backlog.since.items():
        assert since == min(order.updated_at for order in waiting if order.status is status)


async def test_low_stock_and_missing_prices_are_watched(shop: Shop):
    await shop.stocked(A=9, B=4, C=9)
    await shop.placed(C=6)
    await shop.done(SetStock(levels=(StockCount(sku="free", on_hand=9),)))

    assert list(await shop.store.skus_to_watch(below=5)) == ["B", "C", "free"]
    assert list(await shop.store.skus_to_watch(below=4)) == ["C", "free"]
