"""Story: a customer who browses becomes a larger order, which is there in time.

    python examples/08-stories/upsell.py

The crew has learned from two months of orders that roof racks and boxes are bought together. Ann
looks at a rack; she is shown the box, and both for less. She takes both; the order is checked,
its payment captured, the parcel sent, and she is told of each step once.
"""

import asyncio
from datetime import timedelta

from story_shop import StoryShop, open_shop

from storecrew.domain.control.model_registry import ModelKind
from storecrew.domain.shop.customers import RecordCustomerActivity
from storecrew.domain.shop.orders import DeliveryConfirmed
from storecrew.domain.shop.payments import AuthorizePayment


async def history(shop: StoryShop) -> None:
    """Two months in which racks and boxes go together, and everything else does not."""
    goods = {"rack": ("90", "40"), "box": ("240", "110"), "mats": ("25", "9"), "lamp": ("12", "5")}
    for sku, (price, cost) in goods.items():
        await shop.product(sku, price, cost, main=400)
    for day in range(60):
        if day % 2:
            await shop.sold("bob", rack=1, box=1)
        await shop.sold("cleo", **{("mats", "lamp")[day % 2]: 1})
        shop.clock.advance_to(shop.clock.now() + timedelta(days=1))


async def upsell(shop: StoryShop) -> int:
    """Tell the story; return the number of Ann's order."""
    await history(shop)
    await shop.models.train(ModelKind.SIMILARITY, by="story")
    await shop.pass_time(days=1)
    await shop.do(
        RecordCustomerActivity(customer="ann", kind="viewed", sku="rack"), by="person:ann"
    )
    shop.tell("Ann looks at a rack.")
    await shop.pass_time(minutes=1)
    shown = await shop.store.recommendations("customer:ann")
    shop.tell(f"Ann is shown: {', '.join(shown)}.")
    (bundle,) = [b for b in await shop.store.bundles() if set(b.skus) == {"rack", "box"}]
    shop.tell(f"Both together cost {bundle.price} in place of 330.00 EUR.")
    number = await shop.order("ann", bundle.name, rack=1, box=1)
    await shop.pass_time(minutes=30)
    total = (await shop.store.order(number)).total
    aside = AuthorizePayment(order_id=number, reference="psp-1", amount=total)
    await shop.do(aside, by="person:provider")
    await shop.pass_time(hours=2)
    await shop.hear(DeliveryConfirmed(order_id=number))
    await shop.pass_time(hours=1)
    return number


async def main() -> None:
    """Tell the story, then prove the books."""
    async with open_shop() as shop:
        await upsell(shop)
        await shop.prove()


if __name__ == "__main__":
    asyncio.run(main())
