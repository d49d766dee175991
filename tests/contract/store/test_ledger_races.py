"""Many buyers at once: threads, stores and processes on one database."""

import asyncio
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from ledger_shop import Clock, Shop, lines

from storecrew.domain.actions import Action, Command
from storecrew.domain.errors import KeyReused
from storecrew.domain.shop.inventory import AdjustStock, SetStock, StockCount
from storecrew.domain.shop.orders import ApproveOrder, PlaceOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.domain.shop.purchasing import CreatePurchaseOrder
from storecrew.stores.sql import SqlStore

BUYER = Path(__file__).with_name("ledger_buyer.py")


@pytest.fixture
async def shops(shared_location, clock: Clock) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two stores on one database, as two processes have them."""
    first = await shared_location.open(clock, busy_seconds=30)
    second = await shared_location.open(clock, busy_seconds=30)
    yield Shop(first, clock), Shop(second, clock)
    wrong = await first.verify()
    await first.close()
    await second.close()
    assert list(wrong) == []


async def _all(store: SqlStore, actions: Sequence[Action], name: str) -> list[str]:
    """Apply them at once; return each one's code, which is empty where it was applied."""
    wishes = (store.apply(action, key=f"{name}/{n}") for n, action in enumerate(actions))
    return [outcome.code for outcome in await asyncio.gather(*wishes)]


@pytest.mark.parametrize("buyers", [2, 10, 200])
async def test_r106_last_units_are_sold_once_to_buyers_at_two_stores(
    shops: tuple[Shop, Shop], buyers: int
):
    first, second = shops
    await first.stocked(A=buyers // 2)
    wishes = [PlaceOrder(lines=lines(A=1))] * (buyers // 2)

    one, other = await asyncio.gather(
        _all(first.store, wishes, "first"), _all(second.store, wishes, "second")
    )

    assert Counter(one + other) == {"": buyers // 2, "short_stock": buyers // 2}
    assert await first.level("A") == (buyers // 2, buyers // 2)


async def test_r106_last_units_are_sold_once_to_buyers_in_two_processes(
    shared_location, clock: Clock
):
    store = await shared_location.open(clock)
    shop = Shop(store, clock)
    await shop.stocked(A=100)
    arguments = [sys.executable, str(BUYER), shared_location.url, shared_location.schema]
    children = [
        subprocess.Popen(  # noqa: ASYNC220 - both children must start before either is waited for
            [*arguments, name, "100"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for name in ("x", "y")
    ]
    await shop.do(AdjustStock(sku="A", change=-1, reason="lost"))
    for child in children:
        assert await asyncio.to_thread(child.stdout.readline) == "ready\n"
    said = await asyncio.gather(*(asyncio.to_thread(c.communicate, "go\n") for c in children))

    assert sum(int(out) for out, _ in said) == 99
    assert await shop.level("A") == (99, 99)
    assert list(await store.verify()) == []
    await store.close()


async def test_orders_that_lock_in_opposite_order_both_finish(shops: tuple[Shop, Shop]):
    first, second = shops
    await first.stocked(A=100, B=100)

    one, other = await asyncio.gather(
        _all(first.store, [PlaceOrder(lines=lines(A=1, B=1))] * 30, "ab"),
        _all(second.store, [PlaceOrder(lines=lines(B=1, A=1))] * 30, "ba"),
    )

    assert one + other == [""] * 60
    assert await first.level("A") == await first.level("B") == (100, 60)


async def test_batches_that_touch_the_same_rows_in_any_order_all_finish(shops: tuple[Shop, Shop]):
    first, second = shops
    await first.stocked(A=100, B=100)
    pair = [PlaceOrder(lines=lines(A=1)), PlaceOrder(lines=lines(B=1))]

    async def batches(shop: Shop, actions: list[Action], name: str) -> None:
        for n in range(15):
            batch = [
                Command(key=f"{name}/{n}/{m}", action=action, actor="x")
                for m, action in enumerate(actions)
            ]
            assert all(outcome.applied for outcome in await shop.store.apply_batch(batch))

    await asyncio.gather(
        batches(first, pair, "p"), batches(second, pair[::-1], "q"), batches(first, pair, "r")
    )

    assert await first.level("A") == await first.level("B") == (100, 45)


async def test_one_key_at_many_stores_at_once_is_one_effect(shops: tuple[Shop, Shop]):
    await shops[0].stocked(A=100)
    order = PlaceOrder(lines=lines(A=1))

    outcomes = await asyncio.gather(
        *(shops[n % 2].store.apply(order, key="same") for n in range(20))
    )

    assert len({outcome.detail["order_id"] for outcome in outcomes}) == 1
    assert await shops[0].level("A") == (100, 1)
    with pytest.raises(KeyReused):
        await shops[1].do(PlaceOrder(lines=lines(A=2)), key="same")


async def test_one_payment_reference_at_two_stores_pays_one_order(shops: tuple[Shop, Shop]):
    first, second = shops
    await first.stocked(A=10)
    orders = [await first.placed(A=1), await first.placed(A=1)]
    for order_id in orders:
        await first.done(ApproveOrder(order_id=order_id))

    outcomes = await asyncio.gather(
        first.do(CapturePayment(order_id=orders[0], reference="r"), key="x"),
        second.do(CapturePayment(order_id=orders[1], reference="r"), key="y"),
    )

    assert sorted(outcome.code for outcome in outcomes) == ["", "duplicate_reference"]


async def test_one_purchase_is_opened_by_two_stores_at_once(shops: tuple[Shop, Shop]):
    await shops[0].stocked(A=10)

    outcomes = await asyncio.gather(
        *(shops[n % 2].do(CreatePurchaseOrder(sku="A", quantity=5), key=f"r{n}") for n in range(6))
    )

    assert sorted(o.code for o in outcomes) == ["", *["already_open"] * 5]


async def test_a_new_product_counted_at_two_stores_at_once_is_created_once(
    shops: tuple[Shop, Shop],
):
    count = SetStock(levels=(StockCount(sku="New", on_hand=5),))

    outcomes = await asyncio.gather(*(shops[n % 2].do(count, key=f"c{n}") for n in range(6)))

    assert all(outcome.applied for outcome in outcomes)
    assert await shops[1].level("New") == (5, 0)


async def test_a_reader_of_facts_misses_none_while_many_write(shops: tuple[Shop, Shop]):
    first, second = shops
    await first.stocked(A=1000)
    start = len(await first.facts())
    seen: list[int] = []
    writing = asyncio.gather(
        _all(first.store, [PlaceOrder(lines=lines(A=1))] * 60, "w1"),
        _all(second.store, [PlaceOrder(lines=lines(A=1))] * 60, "w2"),
    )
    while not writing.done():
        facts = await second.store.outbox(seen[-1] if seen else 0)
        seen += [position for position, _ in facts]
        await asyncio.sleep(0)
    await writing
    seen += [position for position, _ in await second.store.outbox(seen[-1] if seen else 0)]

    assert len(seen) == len(set(seen)) == start + 120


async def test_r117_read_after_write_at_another_store_is_never_stale(shops: tuple[Shop, Shop]):
    first, second = shops
    await first.stocked(A=5)
    for taken in range(1, 6):
        writer, reader = (first, second) if taken % 2 else (second, first)
        assert (await reader.store.stock(["A"]))[0].available == 6 - taken  # it knows the level
        placed = await writer.do(PlaceOrder(lines=lines(A=1)), key=f"order/{taken}")
        assert (await reader.store.stock(["A"]))[0].available == 5 - taken
        assert (await reader.store.order(placed.detail["order_id"])).lines[0].quantity == 1
    assert (await second.do(PlaceOrder(lines=lines(A=1)), key="late")).code == "short_stock"
