"""The smallest useful agent: raise the price of what is about to sell out.

    python examples/01-minimal/scarcity_pricing.py

runs it once on a product in memory and prints what it proposes.
"""

import asyncio
from decimal import Decimal

from storecrew import (
    Context,
    FakeStore,
    Money,
    Product,
    Proposal,
    Proposals,
    SetPrice,
    StockRanLow,
    agent,
    run_agent,
)


@agent(on=StockRanLow, allowed_actions=[SetPrice], capabilities=["pricing"])
async def scarcity_pricing(event: StockRanLow, ctx: Context) -> Proposals:
    """Raise the price by a twentieth when under three days of cover are left."""
    days = event.position / event.daily_demand
    if days < 3:
        product = await ctx.store.product(event.sku)
        price = (product.price * Decimal("1.05")).rounded()
        yield Proposal(
            action=SetPrice(sku=product.sku, price=price, expected_price=product.price),
            reason=f"{days:.1f} days of cover are left.",
            evidence={"units": event.position, "daily_demand": event.daily_demand},
        )


async def main() -> None:
    """Print what the agent proposes when a mug runs low."""
    mug = Product(sku="mug", name="Mug", price=Money.of("12.00", "EUR"))
    low = StockRanLow(sku="mug", warehouse="main", position=4, reorder_point=9, daily_demand=2.0)
    for proposal in await run_agent(scarcity_pricing, low, FakeStore(product_list=[mug])):
        print(proposal)


if __name__ == "__main__":
    asyncio.run(main())
