"""An agent on a schedule with a setting of its own: it keeps a minimum of every product."""

from storecrew import (
    ClockTicked,
    Context,
    CreatePurchaseOrder,
    Proposal,
    Proposals,
    RunRequested,
    agent,
    every,
)


@agent(schedule=every(hours=6), allowed_actions=[CreatePurchaseOrder], capabilities=["purchasing"])
async def minimum_stock(event: ClockTicked | RunRequested, ctx: Context) -> Proposals:
    """Buy what is missing to the minimum number of units of each product."""
    minimum = int(ctx.settings.get("minimum", 10))
    for level in await ctx.store.stock():
        if level.available < minimum:
            yield Proposal(
                action=CreatePurchaseOrder(
                    sku=level.sku, quantity=minimum - level.available, warehouse=level.warehouse
                ),
                reason=f"{level.available} units are left; the minimum is {minimum}.",
                evidence={"available": level.available, "minimum": minimum},
            )
