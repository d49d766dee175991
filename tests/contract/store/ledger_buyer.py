"""A process of buyers: each wants one unit, all at once. Prints how many got one."""

import asyncio
import sys

from ledger_shop import Clock, lines

from storecrew.database import Durability
from storecrew.domain.shop.orders import PlaceOrder
from storecrew.stores.sql import open_store


async def buy(url: str, schema: str, name: str, buyers: int) -> int:
    store = await open_store(
        url,
        clock=Clock(),
        currency="EUR",
        schema=schema,
        durability=Durability(synchronous="OFF", busy_seconds=30),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    order = PlaceOrder(lines=lines(A=1))
    outcomes = await asyncio.gather(
        *(store.apply(order, key=f"{name}/{buyer}") for buyer in range(buyers))
    )
    await store.close()
    return sum(outcome.applied for outcome in outcomes)


if __name__ == "__main__":
    url, schema, name, buyers = sys.argv[1:]
    sys.stdout.write(f"{asyncio.run(buy(url, schema, name, int(buyers)))}\n")
