"""Story: a supplier is late, and the plan changes across warehouses; customers are told once.

    python examples/08-stories/late_supplier.py

Racks run low in the main warehouse, and more are on their way. The supplier moves the day by three
weeks: the crew moves units from the north, and tells the customer whose order waits.
"""

import asyncio
from datetime import timedelta

from story_shop import StoryShop, open_shop

from storecrew.domain.shop.purchasing import CreatePurchaseOrder, DelayPurchaseOrder


async def late_supplier(shop: StoryShop) -> int:
    """Tell the story; return the number of the order that waits."""
    await shop.product("rack", "90", "40", main=150, north=80)
    for _ in range(56):
        await shop.sold("bob", rack=2)
        shop.clock.advance_to(shop.clock.now() + timedelta(days=1))
    main = next(s for s in await shop.store.stock(["rack"]) if s.warehouse == "main")
    bought = await shop.do(CreatePurchaseOrder(sku="rack", quantity=40))
    shop.tell(f"{main.on_hand} racks are left in main; 40 more are due within a week.")
    waiting = await shop.order("cleo", rack=1)
    await shop.pass_time(minutes=30)
    due = shop.clock.now() + timedelta(days=27)
    late = DelayPurchaseOrder(purchase_id=bought["purchase_id"], due_at=due)
    await shop.do(late, by="person:supplier")
    shop.tell(f"The supplier says: not before {due:%d %B}.")
    await shop.pass_time(hours=3)
    return waiting


async def main() -> None:
    """Tell the story, then prove the books."""
    async with open_shop() as shop:
        await late_supplier(shop)
        await shop.prove()


if __name__ == "__main__":
    asyncio.run(main())
