"""The smallest useful agent: it praises what sells out by asking a little more for it.

    python examples/hello_agent.py --once

wakes it on a made-up shop and prints what it proposes. To put it on duty in yours, name it in
`storecrew.yaml`, with this folder on PYTHONPATH:

    agents:
      hello_agent:
        source: hello_agent:hello_agent
"""

import argparse
import asyncio
from decimal import Decimal

from storecrew.domain.shop.catalog import Product, SetPrice
from storecrew.domain.shop.inventory import StockRanLow
from storecrew.sdk import Context, Money, Proposal, Proposals, agent


@agent(on=StockRanLow, allowed_actions=[SetPrice], capabilities=["pricing"])
async def hello_agent(event: StockRanLow, ctx: Context) -> Proposals:
    """Raise the price by a twentieth of what lasts less than three days."""
    days = event.position / event.daily_demand
    if days < 3:
        product = await ctx.store.product(event.sku)
        price = (product.price * Decimal("1.05")).rounded()
        yield Proposal(
            action=SetPrice(sku=product.sku, price=price, expected_price=product.price),
            reason=f"{days:.1f} days of cover are left.",
            evidence={"units": event.position, "daily_demand": event.daily_demand},
        )


async def wake_once() -> None:
    """Show what the agent proposes when a made-up product runs low."""
    from storecrew.testing.fake_store import FakeStore
    from storecrew.testing.run_agent import run_agent  # only needed to try it

    mug = Product(sku="mug", name="Mug", price=Money.of("12.00", "EUR"))
    low = StockRanLow(sku="mug", warehouse="main", position=4, reorder_point=9, daily_demand=2.0)
    for said in await run_agent(hello_agent, low, FakeStore(product_list=[mug])):
        print(said)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Try the agent.")
    parser.add_argument("--once", action="store_true", required=True, help="wake it once")
    parser.parse_args()
    asyncio.run(wake_once())
