"""A process that sells, pays, ships and cancels for ever, and says what the ledger answered."""

import asyncio
import json
import sys
from datetime import UTC, datetime

from storecrew.domain.actions import Action
from storecrew.domain.money import Money
from storecrew.domain.shop.catalog import UpsertProduct
from storecrew.domain.shop.inventory import SetStock, StockCount
from storecrew.domain.shop.orders import ApproveOrder, CancelOrder, FulfilOrder, Line, PlaceOrder
from storecrew.domain.shop.payments import CapturePayment
from storecrew.stores.sql import SqlStore, open_store

LINES = (Line(sku="A", quantity=1), Line(sku="B", quantity=2))


class Present:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def sell(store: SqlStore, name: str) -> None:
    for n in range(100_000):
        key = f"{name}/{n}"
        order_id = await step(store, PlaceOrder(lines=LINES), key)
        await step(store, ApproveOrder(order_id=order_id), f"{key}/approve")
        if n % 3 == 0:
            await step(store, CancelOrder(order_id=order_id), f"{key}/cancel")
            continue
        payment = CapturePayment(order_id=order_id, reference=key)
        await step(store, payment, f"{key}/pay")
        await step(store, FulfilOrder(order_id=order_id), f"{key}/fulfil")


async def step(store: SqlStore, action: Action, key: str) -> int:
    outcome = await store.apply(action, key=key)
    order_id = int(outcome.detail["order_id"])
    answer = {"key": key, "order_id": order_id, "status": outcome.detail["status"]}
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    return order_id


async def main(url: str, schema: str, run: str) -> None:
    store = await open_store(url, clock=Present(), currency="EUR", schema=schema)
    for sku in ("A", "B"):
        product = UpsertProduct(sku=sku, name=sku, price=Money.of(10, "EUR"))
        await store.apply(product, key=f"{run}/{sku}")
    levels = (StockCount(sku="A", on_hand=100_000), StockCount(sku="B", on_hand=200_000))
    await store.apply(SetStock(levels=levels), key=f"{run}/stock")
    await asyncio.gather(*(sell(store, f"{run}/{n}") for n in range(4)))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
