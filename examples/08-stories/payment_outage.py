"""Story: a payment provider fails; it is found within a minute, mended, and put back later.

    python examples/08-stories/payment_outage.py

Cards stop working while bank transfers go on. The crew finds that this is more than bad luck, and
offers cards no longer while another way to pay is left; half an hour later it tries them again.
"""

import asyncio
from datetime import timedelta

from story_shop import StoryShop, euro, open_shop

from storecrew.domain.shop.payments import AuthorizePayment, PaymentFailed, SetPaymentMethod


async def payment_outage(shop: StoryShop) -> timedelta:
    """Tell the story; return how long it took until cards were offered no longer."""
    await shop.product("rack", "90", "40", main=500)
    for method in ("card", "bank"):
        await shop.do(SetPaymentMethod(method=method, enabled=True))
    for n in range(20):  # an ordinary hour
        number = await shop.order(f"c{n}", rack=1)
        await shop.pass_time(minutes=2)
        aside = AuthorizePayment(
            order_id=number, reference=f"p{n}", amount=euro("90"), method=("bank", "card")[n % 2]
        )
        await shop.do(aside, by="person:provider")
    await shop.pass_time(minutes=90)
    began = shop.clock.now()
    shop.tell("The card provider stops answering.")
    n = 20
    while (await shop.store.payment_methods())["card"]:
        number, n = await shop.order(f"c{n}", rack=1), n + 1
        await shop.hear(PaymentFailed(order_id=number, method="card", reason="no answer"))
        await shop.pass_time(seconds=5)
    found = shop.clock.now() - began
    shop.tell(f"Cards are offered no longer, {found.seconds} s after the first failure.")
    await shop.pass_time(hours=2)
    return found


async def main() -> None:
    """Tell the story, then prove the books."""
    async with open_shop() as shop:
        await payment_outage(shop)
        await shop.prove()


if __name__ == "__main__":
    asyncio.run(main())
